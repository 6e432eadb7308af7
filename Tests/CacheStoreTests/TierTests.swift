import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

/// Rows in memory and on disk, with real files.
@Suite struct TierTests {
  private let folder: SpillPlace

  init() throws { folder = try SpillPlace() }

  private func fixture(_ limit: Int, _ change: (inout StoreOptions) -> Void = { _ in }) throws -> Fixture {
    try Fixture {
      ($0.spillsToDisk, $0.spillDirectory, $0.memoryLimitBytes) = (true, folder.path + "/spill", limit)
      change(&$0)
    }
  }

  private func numbers(_ first: Int64, _ count: Int) -> [Int64?] { (first..<first + Int64(count)).map { $0 } }

  @Test func theColdestGoesToDiskAndStaysReadable() throws {
    let fixture = try fixture(1000) { $0.partitionSizeRows = 20 }
    try fixture.put("a", [numbers(0, 50)])
    try fixture.put("b", [numbers(100, 50)])
    try fixture.put("c", [numbers(200, 50)])
    let status = fixture.store.status()
    #expect(fixture.store.keys() == ["a", "b", "c"])
    #expect(status.residentBytes == 800)
    #expect((status.tiers.spilled.count, status.tiers.spilled.bytes, status.diskFileCount) == (1, 400, 1))
    #expect(status.diskBytes > 400)
    #expect(status.evictedCount == 0)
    // "a" has gone, which was put first.
    let a = try #require(fixture.store.peek("a"))
    #expect(a.segments.map(\.placement.tier) == [.disk])
    #expect(try a.numbers() == numbers(0, 50))
    #expect(try a.numbers(offset: 15, limit: 10) == numbers(15, 10))
    #expect(a.statistics(partition: 1, column: 0).rowCount == 20)
    #expect(fixture.counter.live == 2)
    fixture.audit()
    #expect(fixture.store.events.map(\.kind) == [.put, .put, .spilled, .put])
    #expect(fixture.store.remove("a"))
    #expect(try a.numbers() == numbers(0, 50))
    #expect(fixture.store.status().diskFileCount == 1, "a removed entry that is still held keeps its file")
    fixture.store.close()
    #expect(try SystemFiles().status(folder.path + "/spill") == nil)
  }

  @Test func aTableLargerThanTheLimitStreamsToDisk() throws {
    for (copyAll, count) in [(true, 1), (true, 10), (false, 1), (false, 10)] {
      let fixture = try fixture(1000) { $0.partitionSizeRows = 30 }
      let batches = (0..<count).map { numbers(Int64($0 * 10_000 / count), 10_000 / count) }
      let entry = try fixture.put("a", batches, copyAll: copyAll)
      #expect(try entry.numbers() == numbers(0, 10_000))
      #expect(entry.partitions.allSatisfy { $0.rowCount <= 30 })
      let status = fixture.store.status()
      #expect(status.highWaterBytes <= 1000, "copied: \(copyAll), batches: \(count)")
      #expect(status.diskBytes >= 79_000)
      fixture.audit()
      fixture.store.close()
    }
  }

  @Test func rowsThatAreReadOftenComeBack() throws {
    let fixture = try fixture(1000) { $0.partitionSizeRows = 20 }
    try fixture.put("a", [numbers(0, 50)])
    try fixture.put("b", [numbers(100, 50)])
    try fixture.put("c", [numbers(200, 50)])
    #expect(fixture.store.remove("c"))
    #expect(fixture.store.remove("b"))
    for round in 0..<2 {
      fixture.store.housekeep()
      let entry = try #require(fixture.store.lookup("a"))
      #expect(!entry.isInMemory, "round \(round)")
      #expect(try entry.numbers() == numbers(0, 50))
    }
    fixture.store.housekeep()
    let entry = try #require(fixture.store.lookup("a"))
    #expect(entry.isInMemory)
    #expect(entry.segments[0].placement.tier == .both)
    #expect(try entry.numbers() == numbers(0, 50))
    #expect(try entry.numbers(offset: 15, limit: 10) == numbers(15, 10))
    fixture.audit()
    // Leaving again writes nothing.
    let written = fixture.store.status().tiers.writtenBytes
    try fixture.put("d", [numbers(300, 100)])
    try fixture.put("e", [numbers(500, 20)])
    #expect(!entry.isInMemory)
    #expect(fixture.store.status().tiers.spilled.count == 2)
    #expect(try entry.numbers() == numbers(0, 50))
    fixture.audit()
    #expect(fixture.store.status().tiers.writtenBytes - written < 1500)
  }

  @Test func pinnedRowsStayInMemory() throws {
    let fixture = try fixture(1000)
    let a = try fixture.put("a", [numbers(0, 50)])
    #expect(fixture.store.pin("a"))
    try fixture.put("b", [numbers(100, 50)])
    try fixture.put("c", [numbers(200, 50)])
    #expect(a.isInMemory)
    #expect(fixture.store.peek("b")?.isInMemory == false)
    // What has no room beside them goes to disk at once.
    let d = try fixture.put("d", [numbers(300, 90)])
    #expect(!d.isInMemory && a.isInMemory)
    fixture.audit()
    fixture.store.unpin("a")
    fixture.audit()
  }

  @Test func theDiskLimitEvicts() throws {
    let fixture = try fixture(1000) { $0.diskLimitBytes = 20_000 }
    for index in 0..<60 { try fixture.put("k\(index)", [numbers(Int64(index) * 100, 50)]) }
    let status = fixture.store.status()
    #expect(status.diskHighWaterBytes <= 20_000)
    #expect(status.tiers.evicted.causes["disk limit"] ?? 0 > 20)
    #expect(fixture.store.keys().last == "k59")
    #expect(fixture.store.keys().count == status.entryCount && status.entryCount > 3)
    for key in fixture.store.keys() {
      let first = try #require(Int64(key.dropFirst())) * 100
      #expect(try fixture.store.lookup(key)?.numbers() == numbers(first, 50))
    }
    fixture.audit()
  }

  @Test func aDiskThatFailsLeavesEvictionToMakeRoom() throws {
    let files = FaultyFiles()
    let fixture = try fixture(1000) { $0.files = files }
    try fixture.put("a", [numbers(0, 50)])
    files.replaceFaults([.init(.create, .error(EIO), isLasting: true)])
    try fixture.put("b", [numbers(100, 50)])
    try fixture.put("c", [numbers(200, 50)])
    let status = fixture.store.status()
    #expect(fixture.store.keys() == ["b", "c"])
    #expect(status.tiers.spillFailures >= 1)
    #expect(status.tiers.lastSpillFailure?.contains("spill_directory") == true)
    #expect(status.diskFileCount == 0)
    fixture.audit()
    let error = #expect(throws: CacheError.self) { try fixture.put("d", [numbers(0, 500)]) }
    #expect(error?.code == .memoryLimit && error?.cause?.contains("spill_directory") == true)
    #expect(fixture.store.keys() == ["b", "c"])
    fixture.audit()
  }

  @Test func readersOutliveTheStore() throws {
    for compression in [IPCCompression.none, .lz4] {
      let fixture = try fixture(1000) { ($0.compression, $0.partitionSizeRows) = (compression, 20) }
      for (index, key) in ["a", "b", "c", "d"].enumerated() { try fixture.put(key, [numbers(Int64(index) * 100, 50)]) }
      let entry = try #require(fixture.store.peek("a"))
      #expect(!entry.isInMemory)
      let reader = try #require(fixture.store.peek("b")).reader()
      fixture.store.close()
      #expect(folder.all.isEmpty)
      #expect(try entry.numbers() == numbers(0, 50))
      #expect(try entry.numbers(offset: 15, limit: 10) == numbers(15, 10))
      var stream = ArrowArrayStream()
      exportStream(reader, columns: nil, to: &stream)
      #expect(try StreamReader(moving: &stream).next()?.rowCount ?? 0 > 0)
    }
  }

  /// As long as the disk takes rows nothing is evicted, however many put over each other.
  @Test(.timeLimit(.minutes(10))) func nothingIsEvictedForMemoryWhileTheDiskTakesRows() throws {
    let fixture = try fixture(8000) { ($0.partitionSizeRows, $0.hasBackground) = (40, true) }
    onThreads(4) { thread in
      for step in 0..<150 {
        do { try fixture.put("k\((step * 7 + thread) % 18)", [numbers(Int64(step), 300)], copyAll: step % 2 == 0) } catch { Issue.record(error) }
      }
    }
    fixture.store.tiers.housekeeper.stop()
    let status = fixture.store.status()
    #expect(status.evictedCount == 0 && status.entryCount == 18 && status.highWaterBytes <= 8000)
    fixture.audit()
  }

  @Test func aPutThatTheDiskRefusesLeavesWhatWasThere() throws {
    let files = FaultyFiles()
    let fixture = try fixture(2000) { $0.files = files }
    try fixture.put("a", [numbers(0, 50)])
    try fixture.put("b", [numbers(100, 50)])
    files.replaceFaults([.init(.create, .error(EACCES), isLasting: true)])
    for key in ["c", "a"] {
      let error = #expect(throws: CacheError.self) { try fixture.put(key, (0..<10).map { numbers(Int64($0) * 50, 50) }) }
      #expect(error?.code == .memoryLimit && error?.cause != nil, "\(String(describing: error))")
      #expect(fixture.store.keys() == ["a", "b"])
      #expect(try fixture.store.peek("a")?.numbers() == numbers(0, 50))
      fixture.audit()
    }
    #expect(fixture.store.status().evictedCount == 0)
    #expect(fixture.store.status().tiers.refusedCount == 2)
    // One that fits without the disk takes the place of the coldest.
    try fixture.put("c", (0..<4).map { numbers(Int64($0) * 50, 50) })
    #expect(fixture.store.keys() == ["b", "c"])
    fixture.audit()
  }

  @Test func lostRowsAreAnErrorOnceAndThenAMiss() throws {
    let fixture = try fixture(1000)
    for (index, key) in ["a", "b", "c", "d"].enumerated() { try fixture.put(key, [numbers(Int64(index) * 100, 50)]) }
    for name in folder.all where name.hasSuffix(".arrow") { try SystemFiles().unlink(folder[name]) }
    let entry = try #require(fixture.store.lookup("a"))
    #expect(!entry.isInMemory)
    let error = #expect(throws: CacheError.self) { try entry.numbers() }
    #expect(error?.description.contains("lost") == true && error?.description.contains(".arrow") == true)
    #expect(fixture.store.lookup("a") == nil)
    #expect(fixture.store.events.last?.kind == .lost)
    // The others are as they were, and what is put anew can spill again.
    #expect(try fixture.store.lookup("d")?.numbers() == numbers(300, 50))
    try fixture.put("a", [numbers(0, 50)])
    try fixture.put("e", [numbers(400, 50)])
    #expect(try fixture.store.lookup("a")?.numbers() == numbers(0, 50))
    fixture.audit()
  }

  @Test(.timeLimit(.minutes(10))) func manyThreadsOverADisk() throws {
    let fixture = try fixture(8000) {
      $0.partitionSizeRows = 40
      $0.diskLimitBytes = 400_000
      $0.hasBackground = true
    }
    try fixture.put("pinned", [numbers(0, 40)])
    onThreads(6) { thread in
      var generator = SeededGenerator(UInt64(thread))
      for step in 0..<300 {
        let key = "k\(Int.random(in: 0...12, using: &generator))"
        switch Int.random(in: 0...9, using: &generator) {
        case 0...2:
          let number = Int64(thread * 1000 + step)
          do {
            try fixture.put(
              key, [[Int64?]](repeating: [Int64?](repeating: number, count: 40), count: 1 + step % 20), copyAll: step % 2 == 0)
          } catch { Issue.record(error) }
        case 3...6:
          do {
            if let entry = fixture.store.lookup(key) {
              let numbers = try entry.numbers()
              #expect(numbers.count == entry.rowCount)
              #expect(Set(numbers).count == 1)
            }
          } catch { Issue.record(error) }
        case 7: _ = fixture.store.remove(key)
        // One that nobody replaces: a pinned version that is replaced stays beside the new one until the put ends.
        case 8: if fixture.store.pin("pinned") { fixture.store.unpin("pinned") }
        default: #expect(fixture.store.status().highWaterBytes <= 8000)
        }
      }
    }
    fixture.store.tiers.housekeeper.stop()
    fixture.audit()
    #expect(fixture.store.status().tiers.spilled.count > 50)
    fixture.store.close()
    #expect(fixture.counter.live == 0)
  }
}
