import CArrow
import Primitives
import Testing

@testable import ArrowData

/// Columns of texts that the cache encodes, against the rows that were put.
@Suite struct EncodingTests {
  private static let formats = ["u", "U", "vu", "z", "Z", "vz"]

  private func batch(_ columns: [ArraySpec], _ formats: [String], _ counter: ReleaseCounter = ReleaseCounter()) throws -> RecordBatch {
    let fields = try formats.enumerated().map { index, format in
      try Field(name: "c\(index)", format: format, metadata: [KeyValue(key: Array("k".utf8), value: Array("v".utf8))])
    }
    return try ArraySpec.table(columns, length: Int(columns[0].length)).batch(Schema(fields: fields), counter)
  }

  /// Words of lengths around all that is treated apart: empty, within eight bytes, sixteen, beyond, and alike but for one byte.
  private func words(_ count: Int, _ random: inout SeededGenerator) -> [[UInt8]] {
    var words: Set<[UInt8]> = [[], [0], [0, 0], Array("12345678".utf8), Array("123456789".utf8)]
    while words.count < count {
      var word = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 97...99, using: &random) }
      words.insert(word)
      if !word.isEmpty {
        word[Int.random(in: 0..<word.count, using: &random)] ^= 1
        words.insert(word)
      }
    }
    return Array(words.sorted { $0.lexicographicallyPrecedes($1) }.prefix(count))
  }

  @Test(arguments: formats, [1, 3, 256, 257, 700])
  func rowsComeBackAsTheyWere(format: String, distinct: Int) throws {
    var random = SeededGenerator(UInt64(distinct) &* 31 &+ UInt64(format.utf8.count))
    let counter = ReleaseCounter()
    for (nullShare, offset) in [(0, 0), (0, 9), (3, 0), (3, 13)] {
      let words = words(distinct, &random)
      let count = 16_000
      // Each word once at least, so that the number of distinct values is known.
      let values: [[UInt8]?] = (0..<count).map { row in
        if row < distinct { return words[row] }
        if nullShare > 0, Int.random(in: 0...nullShare, using: &random) == 0 { return nil }
        return words[Int.random(in: 0..<distinct, using: &random)]
      }
      let plain = try batch([textColumn(values, format: format, offset: offset)], [format], counter)
      let encoded = try #require(try plain.encoded(columns: nil))
      #expect(encoded.schema.plain == plain.schema && encoded.schema != plain.schema)
      #expect(encoded.schema.fields[0].format == (distinct <= 256 ? "C" : "S"))
      #expect(encoded.schema.fields[0].encodedFormat == format)
      let dictionary = try #require(encoded.column(0).pointee.dictionary)
      #expect(dictionary.pointee.count == distinct)
      let field = try #require(encoded.schema.fields[0].dictionary)
      #expect(Set(Value.all(field, dictionary)).count == distinct)

      for (from, rows) in [(0, count), (0, 0), (count, 0), (1, 1), (7, 64), (count - 3, 3), (511, 3000)] {
        let part = try encoded.plain(offset: from, count: rows)
        #expect(part.schema == plain.schema && part.rowCount == rows)
        #expect(part.values(0) == values[from..<(from + rows)].map { $0.map { .bytes($0) } ?? .null })
        let node = part.column(0).pointee
        #expect(node.null_count == Int64(values[from..<(from + rows)].count { $0 == nil }))
        let other = ColumnStatistics(of: plain, column: 0, offset: from, count: rows)
        #expect(ColumnStatistics(of: encoded, column: 0, offset: from, count: rows) == other)
      }
    }
    #expect(counter.live == 0)
  }

  @Test(arguments: [1, 2, 3]) func threadsFindTheSame(threads: Int) throws {
    var random = SeededGenerator(5)
    let count = 800_000
    let words = (0..<3000).map { Array("word \($0) of them".utf8) }
    // Each part has values of its own, and some that all have; one is all null.
    let values: [[UInt8]?] = (0..<count).map { row in
      row > 600_000 ? nil : words[(row / 100_000) * 300 + Int.random(in: 0..<700, using: &random)]
    }
    let plain = try batch([textColumn(values, format: "U")], ["U"])
    let encoded = try #require(try plain.encoded(columns: nil, threads: threads))
    let back = try encoded.plain(offset: 3, count: count - 3, threads: threads)
    let original = plain.column(0).pointee
    let offsets = try #require(back.column(0).pointee.buffer(1)).assumingMemoryBound(to: Int64.self)
    let data = try #require(back.column(0).pointee.buffer(2))
    let originalData = try #require(original.buffer(2))
    // Byte by byte: what the values are has the same bytes in the same order.
    let start = original.valueOffset(3, width: 8)
    let end = original.valueOffset(count, width: 8)
    #expect(Int(offsets[count - 3]) == end - start)
    #expect(UnsafeRawBufferPointer(start: data, count: end - start).elementsEqual(UnsafeRawBufferPointer(start: originalData + start, count: end - start)))
    #expect((0...(count - 3)).allSatisfy { Int(offsets[$0]) == original.valueOffset(3 + $0, width: 8) - start })
    #expect(back.column(0).pointee.null_count == Int64(values.dropFirst(3).count { $0 == nil }))
  }

  @Test func columnsThatDoNotPayStayAsTheyAre() throws {
    let count = 4000
    let unique = (0..<count).map { Array("number \($0)".utf8) as [UInt8]? }
    let halfOfThem = (0..<count).map { Array("number \($0 / 2)".utf8) as [UInt8]? }
    let few = (0..<count).map { Array("number \($0 % 7)".utf8) as [UInt8]? }
    let plain = try batch([unique, halfOfThem, few].map { textColumn($0, format: "u") }, ["u", "u", "u"])
    let encoded = try #require(try plain.encoded(columns: nil))
    #expect(encoded.schema.fields.map(\.format) == ["u", "u", "C"])
    #expect(encoded.column(0).pointee.buffer(1) == plain.column(0).pointee.buffer(1))
    #expect(try plain.encoded(columns: [0, 1]) == nil)
    #expect(try plain.encoded(columns: []) == nil)
    // The rule: half of the bytes at most.
    #expect(encoded.selecting([2]).buffers.reduce(0) { $0 + $1.byteCount } * 2 <= plain.selecting([2]).buffers.reduce(0) { $0 + $1.byteCount })
  }

  @Test func moreValuesThanIndicesReach() throws {
    let count = 200_000
    let values = (0..<count).map { Array("a value of some length, and more of it, \($0 % 65_537)".utf8) as [UInt8]? }
    #expect(try batch([textColumn(values, format: "u")], ["u"]).encoded(columns: nil) == nil)
    let fitting = (0..<count).map { Array("a value of some length, and more of it, \($0 % 65_536)".utf8) as [UInt8]? }
    let plain = try batch([textColumn(fitting, format: "u")], ["u"])
    let encoded = try #require(try plain.encoded(columns: nil))
    #expect(encoded.column(0).pointee.dictionary?.pointee.count == 65_536)
    #expect(try encoded.plain(offset: count - 70_000, count: 70_000).values(0) == fitting.suffix(70_000).map { .bytes($0 ?? []) })
  }

  @Test(arguments: formats) func nullsAlone(format: String) throws {
    let values = [[UInt8]?](repeating: nil, count: 2000)
    let plain = try batch([textColumn(values, format: format)], [format])
    let encoded = try #require(try plain.encoded(columns: nil))
    #expect(try encoded.plain(offset: 5, count: 100).values(0) == Array(repeating: .null, count: 100))
    #expect(ColumnStatistics(of: encoded, column: 0, offset: 0, count: 2000).nullCount == 2000)
  }

  @Test func shortColumnsExtensionsAndOtherTypesAreLeftAlone() throws {
    let few = (0..<1023).map { _ in Array("x".utf8) as [UInt8]? }
    #expect(try batch([textColumn(few, format: "u")], ["u"]).encoded(columns: nil) == nil)
    let many = textColumn((0..<2000).map { _ in Array("{}".utf8) }, format: "u")
    let mark = KeyValue(key: Array("ARROW:extension:name".utf8), value: Array("arrow.json".utf8))
    let json = try ArraySpec.table([many], length: 2000).batch(
      Schema(fields: [Field(name: "j", format: "u", metadata: [mark])]), ReleaseCounter())
    #expect(try json.encoded(columns: nil) == nil)
    #expect(try batch([column([Int64?](repeating: 5, count: 2000))], ["l"]).encoded(columns: nil) == nil)
  }

  @Test func offsetsThatFallAreNotFollowed() throws {
    for bad in [Int32(-1), 1 << 30, 2] {
      var offsets = (0...2000).map { Int32($0 * 4) }
      offsets[1000] = bad
      let spec = ArraySpec(length: 2000, buffers: [nil, bytes(offsets), [UInt8](repeating: 65, count: 8000)])
      #expect(try batch([spec], ["u"]).encoded(columns: nil) == nil)
    }
    var views = (0..<2000).flatMap { _ in bytes([Int32(20), 0, 0, 0]) }
    views.replaceSubrange((1000 * 16)..<(1001 * 16), with: bytes([Int32(20), 0, 0, 90]))
    let spec = ArraySpec(length: 2000, buffers: [nil, views, [UInt8](repeating: 65, count: 100), bytes([Int64(100)])])
    #expect(try batch([spec], ["vu"]).encoded(columns: nil) == nil)
  }

  @Test(arguments: ["u", "vu"]) func damagedIndicesAreAnError(format: String) throws {
    let values = (0..<2000).map { Array("value number \($0 % 3)".utf8) as [UInt8]? }
    let encoded = try #require(try batch([textColumn(values, format: format)], [format]).encoded(columns: nil))
    let codes = try #require(encoded.column(0).pointee.buffer(1))
    UnsafeMutableRawPointer(mutating: codes).storeBytes(of: 3, toByteOffset: 1500, as: UInt8.self)
    #expect(try encoded.plain(offset: 0, count: 1500).rowCount == 1500)
    #expect(throws: CacheError.self) { try encoded.plain(offset: 0, count: 1501) }
    #expect(ColumnStatistics(of: encoded, column: 0, offset: 0, count: 2000).bounds == .unknown)
  }

  @Test func memoryGoesWithItsLastReader() throws {
    let counter = ReleaseCounter()
    let values = (0..<2000).map { Array("value number \($0 % 3)".utf8) as [UInt8]? }
    var plain: RecordBatch? = try batch([textColumn(values, format: "vu"), column([Int64?](repeating: 5, count: 2000))], ["vu", "l"], counter)
    var encoded: RecordBatch? = try plain?.encoded(columns: nil)
    plain = nil
    #expect(counter.live == 1)  // the numbers
    let part = try #require(try encoded?.plain(columns: [0], offset: 1000, count: 10))
    encoded = nil
    #expect(counter.live == 0)
    #expect(part.values(0) == values[1000..<1010].map { .bytes($0 ?? []) })
  }

  /// Values of three kinds in one table: of those that are chosen, in the order in which they are.
  @Test func columnsAreChosenAndOrdered() throws {
    let texts = (0..<2000).map { Array("value number \($0 % 3)".utf8) as [UInt8]? }
    let numbers = (0..<2000).map { Int64($0) as Int64? }
    let plain = try batch([textColumn(texts, format: "u"), column(numbers), textColumn(texts.reversed(), format: "Z")], ["u", "l", "Z"])
    let encoded = try #require(try plain.encoded(columns: nil))
    let part = try encoded.plain(columns: [2, 1, 7, 0], offset: 10, count: 20)
    #expect(part.schema == plain.schema.selecting([2, 1, 0]))
    let expected = plain.selecting([2, 1, 0])
    for index in 0..<3 { #expect(part.values(index) == Array(expected.values(index)[10..<30])) }
  }
}
