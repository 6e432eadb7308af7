import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

@Suite struct EvictionTests {
  /// Four entries with a history in which each policy has another favourite; then they go one by one.
  @Test(arguments: [
    ("lru", ["b", "d", "a", "c"]), ("lfu", ["d", "b", "c", "a"]), ("fifo", ["a", "b", "c", "d"]), ("size", ["c", "d", "b", "a"]),
    ("ttl", ["d", "c", "a", "b"]),
  ])
  func victimsGoInThePolicysOrder(policy: String, order: [String]) throws {
    let fixture = try Fixture {
      $0.memoryLimitBytes = 1000
      $0.evictionPolicy = policy
    }
    try fixture.put("a", bytes: 80)
    try fixture.put("b", bytes: 80)
    try fixture.put("c", bytes: 160, ttl: 500)
    try fixture.put("d", bytes: 96, ttl: 100)
    for key in ["a", "a", "a", "b", "c", "c", "b", "d", "a", "c"] { #expect(fixture.store.lookup(key) != nil) }
    fixture.audit()
    for (index, victim) in order.enumerated() {
      let free = 1000 - fixture.store.status().currentSizeBytes
      try fixture.put("new\(index)", bytes: free + 8)
      #expect(fixture.store.status().evictedCount == index + 1)
      #expect(!fixture.store.contains(victim))
      _ = fixture.store.remove("new\(index)")
      #expect(fixture.store.keys().count == 3 - index)
      fixture.audit()
    }
    #expect(fixture.counter.live == 0)
  }

  @Test(arguments: [(0, false), (23, false), (24, true), (25, true)]) func theLimitIsExact(limit: Int, fits: Bool) throws {
    let fixture = try Fixture { $0.memoryLimitBytes = limit }
    if fits {
      try fixture.put("a")
      try fixture.put("b")
      #expect(fixture.store.keys() == ["b"])
      #expect(fixture.store.status().evictedBytes == 24)
    } else {
      let error = #expect(throws: CacheError.self) { try fixture.put("a") }
      #expect(error?.code == .memoryLimit)
      #expect(error?.message.contains("24 bytes") ?? false)
      #expect(error?.message.contains("\(limit)") ?? false)
    }
    fixture.audit()
    fixture.store.close()
    #expect(fixture.counter.live == 0)
  }

  @Test func aTableBeyondTheLimitStopsTheStreamAndLeavesEverything() throws {
    let fixture = try Fixture { $0.memoryLimitBytes = 100 }
    try fixture.put("a", bytes: 80)
    let read = Locked(0)
    var spec = try fixture.numbers([[Int64?]](repeating: [1, 2, 3, 4, 5], count: 1000))
    spec.onNext = { _ in read.withLock { $0 += 1 } }
    let error = #expect(throws: CacheError.self) { try fixture.put("b", spec) }
    #expect(error?.code == .memoryLimit)
    #expect(read.withLock { $0 } == 3)
    #expect(fixture.store.keys() == ["a"])
    #expect(fixture.store.status().evictedCount == 0)
    #expect(fixture.counter.live == 1)
  }

  @Test func whatIsReplacedMakesRoomFirst() throws {
    let fixture = try Fixture { $0.memoryLimitBytes = 200 }
    try fixture.put("a", bytes: 96)
    try fixture.put("b", bytes: 96)
    try fixture.put("a", bytes: 104)
    #expect(fixture.store.keys() == ["a", "b"])
    #expect(fixture.store.status().evictedCount == 0)
    try fixture.put("a", bytes: 160)
    #expect(fixture.store.keys() == ["a"])
    fixture.audit()
  }

  @Test func expiredEntriesGoBeforeAnyOther() throws {
    let fixture = try Fixture { $0.memoryLimitBytes = 100 }
    try fixture.put("a", bytes: 48)
    try fixture.put("b", bytes: 48, ttl: 1)
    fixture.clock.advance(by: 1)
    try fixture.put("c", bytes: 48)
    #expect(fixture.store.keys() == ["a", "c"])
    #expect(fixture.store.status().evictedCount == 0)
  }

  @Test func entriesThatShareBuffersAreEvictedUntilItFits() throws {
    let fixture = try Fixture { $0.memoryLimitBytes = 100 }
    let source = try fixture.put("a", bytes: 80)
    for key in ["b", "c"] {
      var stream = ArrowArrayStream()
      exportStream(source.reader(offset: 0, limit: 5), columns: nil, to: &stream)
      _ = try fixture.store.put(
        key: key, stream: try StreamReader(moving: &stream), kind: "", userMetadata: "", ttl: nil, overwrite: true, autoPartition: nil,
        copyColumns: nil, copyAll: false)
      fixture.audit()
    }
    #expect(fixture.store.status().currentSizeBytes == 80)
    // Without "a" the others reach 40 bytes of its buffer: that is enough.
    try fixture.put("d", bytes: 56)
    #expect(fixture.store.keys() == ["b", "c", "d"])
    #expect(fixture.store.status().evictedBytes == 40)
    try fixture.put("e", bytes: 48)
    #expect(fixture.store.keys() == ["e"])
    #expect(fixture.store.status().currentSizeBytes == 48)
    fixture.audit()
  }

  // MARK: pins

  @Test(arguments: evictionPolicyNames) func pinnedEntriesStay(policy: String) throws {
    let fixture = try Fixture {
      $0.memoryLimitBytes = 200
      $0.evictionPolicy = policy
    }
    try fixture.put("a", bytes: 80)
    #expect(fixture.store.pin("a"))
    #expect(fixture.store.pin("a"))
    #expect(!fixture.store.pin("missing"))
    #expect(fixture.store.status().pinnedCount == 1)
    for index in 0..<5 {
      try fixture.put("x\(index)", bytes: 104)
      _ = fixture.store.lookup("x\(index)")
      #expect(fixture.store.keys() == ["a", "x\(index)"])
      fixture.audit()
    }
    let error = #expect(throws: CacheError.self) { try fixture.put("y", bytes: 128) }
    #expect(error?.code == .memoryLimit)
    #expect(error?.message.contains("128 bytes, 120 of the memory limit of 200") ?? false)
    #expect(error?.message.contains("80 are pinned") ?? false)
    #expect(fixture.store.keys() == ["a", "x4"])
    fixture.store.unpin("a")
    #expect(throws: CacheError.self) { try fixture.put("y", bytes: 128) }
    fixture.store.unpin("a")
    fixture.store.unpin("a")
    fixture.audit()
    try fixture.put("y", bytes: 176)
    #expect(fixture.store.keys() == ["y"])
    fixture.audit()
  }

  @Test func aPinStaysWithTheKeyWhenTheEntryIsReplaced() throws {
    let fixture = try Fixture { $0.memoryLimitBytes = 100 }
    try fixture.put("a", bytes: 48)
    _ = fixture.store.pin("a")
    try fixture.put("a", bytes: 56)
    fixture.audit()
    #expect(throws: CacheError.self) { try fixture.put("b", bytes: 48) }
    // A pinned entry may be replaced by a larger one as long as it fits by itself.
    try fixture.put("a", bytes: 96)
    #expect(fixture.store.remove("a"))
    try fixture.put("b", bytes: 96)
    fixture.store.unpin("a")
    #expect(fixture.store.status().pinnedCount == 0)
    fixture.audit()
  }
}
