import ArrowData
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct TimeToLiveTests {
  @Test func expiredIsGoneAtThatInstantForEveryRead() throws {
    let reads: [(Store) -> Bool] = [
      { $0.lookup("a") != nil }, { $0.peek("a") != nil }, { $0.contains("a") }, { $0.keys() == ["a"] }, { $0.status().entryCount == 1 },
      { if case .entry = $0.resolve("a") { true } else { false } }, { if case .entry = $0.resolve("A") { true } else { false } },
    ]
    for read in reads {
      let fixture = try Fixture()
      try fixture.put("a", ttl: 10)
      fixture.clock.advance(by: 9.999)
      #expect(read(fixture.store))
      fixture.clock.advance(by: 0.001)
      #expect(!read(fixture.store))
      // The memory goes with the read that looked.
      #expect(fixture.counter.live == 0)
      let status = fixture.store.status()
      #expect((status.expiredCount, status.expiredBytes, status.currentSizeBytes) == (1, 24, 0))
      fixture.audit()
    }
  }

  @Test func expiredIsGoneForEveryChange() throws {
    let changes: [(Fixture) throws -> Bool] = [
      { !$0.store.remove("a") }, { try !$0.store.updateTTL("a", ttl: 5) }, { !$0.store.pin("a") }, { $0.store.clear() == 0 },
      { try $0.put("a", overwrite: false).rowCount == 3 },
    ]
    for change in changes {
      let fixture = try Fixture()
      try fixture.put("a", ttl: 10)
      fixture.clock.advance(by: 10)
      #expect(try change(fixture))
      #expect(fixture.store.status().expiredCount == 1)
      fixture.audit()
    }
  }

  @Test func purgingFreesWithoutALook() throws {
    let fixture = try Fixture()
    for index in 0..<100 { try fixture.put("\(index)", ttl: Double(index + 1)) }
    fixture.clock.advance(by: 40)
    #expect(fixture.store.purgeExpired() == 40)
    #expect(fixture.counter.live == 60)
    #expect(fixture.store.purgeExpired() == 0)
    #expect(fixture.store.keys() == (40..<100).map(String.init))
  }

  @Test func readsOfOtherKeysFreeABitEach() throws {
    let fixture = try Fixture()
    try fixture.put("other")
    for index in 0..<100 { try fixture.put("\(index)", ttl: 1) }
    fixture.clock.advance(by: 1)
    var reads = 0
    while fixture.counter.live > 1, reads < 100 {
      #expect(fixture.store.lookup("other") != nil)
      reads += 1
    }
    #expect((2...20).contains(reads))
  }

  @Test func aLaterTimeReplacesTheEarlier() throws {
    let fixture = try Fixture()
    try fixture.put("a", ttl: 10)
    #expect(try fixture.store.updateTTL("a", ttl: 100))
    fixture.clock.advance(by: 50)
    #expect(fixture.store.contains("a"))
    #expect(try fixture.store.updateTTL("a", ttl: nil))
    fixture.clock.advance(by: 1e9)
    #expect(fixture.store.contains("a"))
    #expect(try fixture.store.updateTTL("a", ttl: 1))
    #expect(fixture.store.peek("a")?.access.expiresAt == fixture.clock.now() + 1)
    fixture.clock.advance(by: 1)
    #expect(!fixture.store.contains("a"))
    #expect(try !fixture.store.updateTTL("a", ttl: 1))
  }

  @Test func aPutWithoutOneDropsTheOld() throws {
    let fixture = try Fixture()
    try fixture.put("a", ttl: 10)
    try fixture.put("a")
    fixture.clock.advance(by: 10)
    #expect(fixture.store.contains("a"))
    #expect(fixture.store.purgeExpired() == 0)
    try fixture.put("a", ttl: 10)
    try fixture.put("a", ttl: 1000)
    fixture.clock.advance(by: 10)
    #expect(fixture.store.purgeExpired() == 0)
    #expect(fixture.store.contains("a"))
  }

  @Test func timesThatChangeOftenDoNotPileUp() throws {
    let fixture = try Fixture()
    try fixture.put("a", ttl: 10)
    try fixture.put("b", ttl: 1e6)
    for step in 0..<5000 { _ = try fixture.store.updateTTL("a", ttl: Double(1000 + step % 7)) }
    #expect(fixture.store.tiers.catalog.withLock { $0.expiryQueueLength } < 200)
    fixture.clock.advance(by: 1007)
    #expect(fixture.store.keys() == ["b"])
  }
}

/// With a thread in the background and the system's clock.
@Suite struct BackgroundExpiryTests {
  private let folder: SpillPlace

  init() throws { folder = try SpillPlace() }

  /// Waits, generously, for what nobody asks the store for.
  private func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<2000 {
      if holds() { return true }
      usleep(10_000)
    }
    return false
  }

  private func store(_ checkInterval: Double, _ limit: Int = 1_000_000) throws -> (Store, ReleaseCounter) {
    var options = StoreOptions()
    (options.checkInterval, options.memoryLimitBytes, options.spillDirectory) = (checkInterval, limit, folder["spill"])
    return (try Store(options: options), ReleaseCounter())
  }

  private func put(_ store: Store, _ counter: ReleaseCounter, _ key: String, ttl: Double?, rows: Int = 10) throws {
    let spec = StreamSpec(schema: try schema("l"), batches: [.table([numbers(0..<rows)], length: rows)])
    _ = try store.put(
      key: key, stream: try spec.reader(counter), kind: "", userMetadata: "", ttl: ttl, overwrite: true, autoPartition: nil, copyColumns: nil,
      copyAll: false)
  }

  @Test(.timeLimit(.minutes(10))) func memoryAndFilesGoWithoutACall() throws {
    let (store, counter) = try store(60, 4000)
    // Most of it on disk.
    for index in 0..<50 { try put(store, counter, "\(index)", ttl: 0.3, rows: 100) }
    #expect(store.tiers.disk.fileCount > 0)
    #expect(eventually { counter.live == 0 && store.tiers.disk.fileCount == 0 && store.tiers.memory.totals.used == 0 })
    #expect(folder.all.filter { $0.hasSuffix(".arrow") } == [])
    #expect(store.status().expiredCount == 50)
    store.close()
  }

  @Test(.timeLimit(.minutes(10))) func aSoonerTimeWakesTheThread() throws {
    let (store, counter) = try store(1000)
    try put(store, counter, "late", ttl: 500)
    try put(store, counter, "never", ttl: nil)
    // It sleeps until "late" is due by now.
    usleep(50_000)
    try put(store, counter, "soon", ttl: 0.2)
    #expect(eventually { counter.live == 2 })
    #expect(try store.updateTTL("late", ttl: 0.1))
    #expect(eventually { counter.live == 1 })
    #expect(try store.updateTTL("never", ttl: 0.1))
    #expect(eventually { counter.live == 0 })
    store.close()
  }

  @Test(.timeLimit(.minutes(10))) func manyGoAtTheirTimes() throws {
    let (store, counter) = try store(60)
    for index in 0..<2000 { try put(store, counter, "\(index)", ttl: index % 2 == 0 ? 0.05 + Double(index) / 10_000 : 1000) }
    #expect(eventually { counter.live == 1000 })
    #expect(store.keys().count == 1000)
    store.close()
    #expect(counter.live == 0)
  }

  @Test(.timeLimit(.minutes(10))) func withoutAnIntervalOnlyCallsLook() throws {
    let (store, counter) = try store(0)
    try put(store, counter, "a", ttl: 0.05)
    usleep(400_000)
    #expect(counter.live == 1)
    #expect(store.lookup("a") == nil)
    #expect(counter.live == 0)
    store.close()
  }
}
