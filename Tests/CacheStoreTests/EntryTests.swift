import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

@Suite struct EntryTests {
  @Test(arguments: [-3, 0, 1, 3, 4, 6, 7, 100, Int.max, Int.min], [nil, 0, 1, 4, 100, -1, Int.max] as [Int?])
  func anyRowRangeIsRead(offset: Int, limit: Int?) throws {
    let fixture = try Fixture()
    let entry = try fixture.put("a", [[0, 1, 2], [3], [4, 5, nil]])
    let all: [Int64?] = [0, 1, 2, 3, 4, 5, nil]
    let first = min(max(offset, 0), 7)
    let expected = Array(all.dropFirst(first).prefix(max(limit ?? 7, 0)))
    #expect(try entry.numbers(offset: offset, limit: limit) == expected)
  }

  @Test func aReaderHasTheColumnsAskedFor() throws {
    let fixture = try Fixture()
    let schema = Schema(fields: [try Field(name: "a", format: "l"), try Field(name: "a", format: "u")], metadata: [KeyValue(key: [1], value: [2])])
    let entry = try fixture.put("a", StreamSpec(schema: schema, batches: [.table([column([Int64(1)]), column(["x"])], length: 1)]))
    for columns in [nil, [1], [1, 0, 1], [], [4, -1, 0]] as [[Int]?] {
      let reader = entry.reader(columns: columns)
      #expect(reader.schema == schema.selecting(columns))
      var stream = ArrowArrayStream()
      exportStream(reader, columns: nil, to: &stream)
      let batch = try #require(try StreamReader(moving: &stream).next())
      #expect(batch.rowCount == 1)
      let stored = try entry.batches()[0]
      let chosen = (columns ?? [0, 1]).filter { (0...1).contains($0) }
      #expect(batch.schema.fields.indices.map { batch.values($0) } == chosen.map { stored.values($0) })
    }
  }

  @Test func streamsOutliveEntryAndStore() throws {
    let counter: ReleaseCounter
    var stream = ArrowArrayStream()
    do {
      let fixture = try Fixture()
      counter = fixture.counter
      exportStream(try fixture.put("a", [[1], [2]]).reader(), columns: nil, to: &stream)
      fixture.store.close()
    }
    #expect(counter.live == 2)
    var batch = ArrowArray()
    #expect(stream.get_next(&stream, &batch) == 0)
    stream.release(&stream)
    #expect(counter.live == 1)
    batch.release(&batch)
    #expect(counter.live == 0)
  }

  @Test func anEmptyTableKeepsItsColumns() throws {
    let fixture = try Fixture()
    for batches in [[], [[]], [[], []]] as [[[Int64?]]] {
      let entry = try fixture.put("a", batches)
      #expect(entry.rowCount == 0)
      #expect(entry.segments.isEmpty && entry.partitions.isEmpty)
      #expect(entry.sizeBytes == 0)
      #expect(try entry.numbers() == [])
      #expect(entry.reader().schema.fields.map(\.name) == ["v"])
    }
    #expect(fixture.store.contains("a"))
  }

  @Test func statisticsCoverAPartitionAcrossItsBatches() throws {
    let fixture = try Fixture { $0.partitionSizeRows = 3 }
    let entry = try fixture.put("a", [[5, 1], [nil, 9], [7]])
    #expect(entry.partitions.count == 2)
    #expect(entry.statistics(partition: 0, column: 0) == ColumnStatistics(rowCount: 3, nullCount: 1, bounds: .int(min: 1, max: 5)))
    #expect(entry.statistics(partition: 1, column: 0) == ColumnStatistics(rowCount: 2, nullCount: 0, bounds: .int(min: 7, max: 9)))
    for (partition, column) in [(2, 0), (-1, 0), (0, 1), (0, -1)] {
      #expect(entry.statistics(partition: partition, column: column) == .unknown(rowCount: 0))
    }
    onThreads(4) { _ in
      for _ in 0..<100 { #expect(entry.statistics(partition: 1, column: 0).nullCount == 0) }
    }
  }

  @Test func memosLiveAsLongAsTheirVersion() throws {
    final class Kept {}
    let fixture = try Fixture()
    weak var first: Kept?
    weak var second: Kept?
    do {
      let entry = try fixture.put("a")
      let (one, two) = (Kept(), Kept())
      (first, second) = (one, two)
      entry.setMemo("table", one, byteCount: 100)
      #expect(entry.memo("table") === one)
      #expect(entry.memo("frame") == nil)
      entry.setMemo("table", two, byteCount: 30)
      entry.setMemo("frame", two, byteCount: 7)
      #expect(fixture.store.status().memoBytes == 37)
      entry.setMemo("frame", nil)
      #expect(fixture.store.status().memoBytes == 30)
    }
    #expect(first == nil)
    #expect(second != nil)
    try fixture.put("a")
    #expect(second == nil)
    #expect(fixture.store.status().memoBytes == 0)
  }

  @Test func memosCountAgainstTheLimitAndGoFirst() throws {
    final class Kept {}
    let probe = try Fixture()
    let size = try probe.put("a").sizeBytes
    let fixture = try Fixture { $0.memoryLimitBytes = 3 * size }
    let first = try fixture.put("a")
    #expect(first.setMemo("frame", Kept(), byteCount: 2 * size))
    #expect(!first.setMemo("other", Kept(), byteCount: 1))
    #expect(first.setMemo("small", Kept()))
    #expect(first.memo("other") == nil)
    let second = try fixture.put("b")
    #expect(first.memo("frame") == nil, "the memo makes room for the entry")
    #expect(first.memo("small") != nil, "what has no memory of its own stays")
    #expect(fixture.store.status().memoBytes == 0)
    #expect(fixture.store.keys() == ["a", "b"])
    #expect(second.setMemo("frame", Kept(), byteCount: size))
    #expect(fixture.store.remove("a"))
    #expect(second.setMemo("more", Kept(), byteCount: size))
    #expect(fixture.store.status().memoBytes == 2 * size)
  }

  @Test func accessIsRecorded() throws {
    let fixture = try Fixture()
    let entry = try fixture.put("a")
    #expect(entry.access == AccessRecord(lastAccessedAt: fixture.clock.now(), accessCount: 0, expiresAt: nil))
    fixture.clock.advance(by: 5)
    _ = fixture.store.peek("a")
    #expect(entry.access.accessCount == 0)
    _ = fixture.store.lookup("a")
    _ = fixture.store.lookup("b")
    #expect(entry.access == AccessRecord(lastAccessedAt: fixture.clock.now(), accessCount: 1, expiresAt: nil))
    let status = fixture.store.status()
    #expect((status.hits, status.misses) == (1, 1))
  }
}
