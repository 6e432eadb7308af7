import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

/// Entries whose texts are kept as indices into dictionaries.
@Suite struct EncodedEntryTests {
  private static let rows = 3000

  private func texts(_ distinct: Int, _ name: String = "word") -> [String?] {
    (0..<Self.rows).map { $0 % 11 == 7 ? nil : "\(name) number \($0 * 7 % distinct), to be kept" }
  }

  private func table(_ columns: [[String?]], batches: Int = 1) throws -> StreamSpec {
    let fields = try columns.indices.map { try Field(name: "c\($0)", format: "u") }
    let batch = ArraySpec.table(columns.map { column($0) }, length: Self.rows)
    return StreamSpec(schema: Schema(fields: fields), batches: Array(repeating: batch, count: batches))
  }

  private func rows(_ entry: Entry, offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil) throws -> [[Value]] {
    var stream = ArrowArrayStream()
    exportStream(entry.reader(offset: offset, limit: limit, columns: columns), columns: nil, to: &stream)
    let reader = try StreamReader(moving: &stream)
    #expect(reader.schema == entry.schema.selecting(columns))
    var found = [[Value]](repeating: [], count: reader.schema.fields.count)
    while let batch = try reader.next() { for index in found.indices { found[index] += batch.values(index) } }
    return found
  }

  @Test(arguments: [DictionaryEncoding.never, .whenMemoryIsShort, .always]) func whatWasPutIsThere(encoding: DictionaryEncoding) throws {
    let fixture = try Fixture { ($0.dictionaryEncoding, $0.partitionSizeRows) = (encoding, 1000) }
    let spec = try table([texts(5), texts(5000), texts(900)], batches: 2)
    let entry = try fixture.put("a", spec)
    #expect(entry.schema == spec.schema)
    #expect(entry.encodedColumns == (encoding == .always ? [0, 2] : []))
    let plain = try Fixture { ($0.dictionaryEncoding, $0.partitionSizeRows) = (.never, 1000) }
    let expected = try plain.put("a", spec)
    for (offset, limit, columns) in [(0, nil, nil), (2990, 20, [2, 1]), (1, 1, [0]), (5999, 9, nil), (6000, 1, nil)] as [(Int, Int?, [Int]?)] {
      #expect(try rows(entry, offset: offset, limit: limit, columns: columns) == rows(expected, offset: offset, limit: limit, columns: columns))
    }
    for partition in entry.partitions.indices {
      for index in 0..<3 { #expect(entry.statistics(partition: partition, column: index) == expected.statistics(partition: partition, column: index)) }
    }
    fixture.audit()
    if encoding == .always {
      #expect(entry.sizeBytes < expected.sizeBytes * 3 / 5)
      // Of each batch the one column that stayed.
      withExtendedLifetime(entry) { #expect(fixture.counter.live == 2) }
    } else {
      #expect(entry.sizeBytes == expected.sizeBytes)
    }
  }

  @Test func columnsThatAreCopiedAnywayAreCopiedOnce() throws {
    let fixture = try Fixture { $0.dictionaryEncoding = .always }
    let entry = try fixture.put("a", try table([texts(5), texts(5000)]), copyAll: true)
    #expect(entry.encodedColumns == [0])
    #expect(fixture.counter.live == 0)
    #expect(try rows(entry) == [texts(5), texts(5000)].map { $0.map { $0.map { .bytes(Array($0.utf8)) } ?? .null } })
    fixture.audit()
  }

  /// Two tables fit below the threshold as they are; the third is encoded, and no entry has to go.
  @Test func memoryThatIsShortIsSaved() throws {
    let size = try Fixture().put("a", try table([texts(5)])).sizeBytes
    let fixture = try Fixture {
      $0.memoryLimitBytes = 3 * size
      $0.spillThreshold = 0.8
    }
    for index in 0..<6 { try fixture.put("t\(index)", try table([texts(5, "table \(index)")])) }
    #expect(fixture.store.keys().count == 6)
    let encoded = (0..<6).map { fixture.store.peek("t\($0)")?.encodedColumns }
    #expect(encoded == [[], [], [0], [0], [0], [0]])
    fixture.audit()
  }

  @Test func encodedRowsComeBackFromDisk() throws {
    let place = try SpillPlace()
    let fixture = try Fixture {
      ($0.dictionaryEncoding, $0.spillsToDisk, $0.spillDirectory, $0.memoryLimitBytes) = (.always, true, place.path + "/spill", 100_000)
    }
    let tables = (0..<8).map { index in [texts(5, "table \(index)"), texts(300)] }
    for (index, columns) in tables.enumerated() { try fixture.put("t\(index)", try table(columns)) }
    var onDisk = 0
    for (index, columns) in tables.enumerated() {
      let entry = try #require(fixture.store.peek("t\(index)"))
      #expect(entry.encodedColumns == [0, 1])
      onDisk += entry.isInMemory ? 0 : 1
      let expected: [[Value]] = columns.map { $0.map { $0.map { .bytes(Array($0.utf8)) } ?? .null } }
      #expect(try rows(entry) == expected)
      #expect(try rows(entry, offset: 1700, limit: 5, columns: [1]) == [Array(expected[1][1700..<1705])])
      #expect(entry.statistics(partition: 0, column: 0).nullCount == columns[0].count { $0 == nil })
    }
    #expect(onDisk > 0)
    fixture.audit()
    fixture.store.close()
  }

  @Test func aMarkOfTheCacheIsRefused() throws {
    let fixture = try Fixture()
    let mark = KeyValue(key: Array("arrow_cache.dictionary_encoded".utf8), value: Array("u".utf8))
    let field = try Field(name: "s", format: "C", metadata: [mark], dictionary: Field(name: "", format: "u"))
    let spec = StreamSpec(schema: Schema(fields: [field]), batches: [])
    #expect(throws: CacheError.self) { try fixture.put("a", spec) }
    #expect(fixture.store.keys().isEmpty)
  }
}
