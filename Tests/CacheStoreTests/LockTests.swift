import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

/// Producers' callbacks run with no lock held: here each of them calls the store, which would hang.
@Suite struct LockTests {
  private final class Gate: Sendable {
    private let store = Locked<Store?>(nil)
    private let calls = Locked(0)

    func set(_ store: Store?) { self.store.withLock { $0 = store } }
    func enter() {
      guard let store = store.withLock({ $0 }) else { return }
      calls.withLock { $0 += 1 }
      _ = store.status()
      _ = store.lookup("a")
    }
    var callCount: Int { calls.withLock { $0 } }
  }

  @Test(.timeLimit(.minutes(10)), arguments: ["replace", "remove", "clear", "close", "evict", "expire", "purge", "fail", "refuse", "exists", "large"])
  func releasesHappenAfterUnlocking(how: String) throws {
    let gate = Gate()
    let clock = ManualClock()
    var options = StoreOptions()
    (options.memoryLimitBytes, options.spillsToDisk, options.hasBackground) = (100, false, false)
    let store = try Store(options: options, clock: clock)
    let counter = ReleaseCounter { gate.enter() }
    gate.set(store)
    func put(_ key: String, _ count: Int, failing: Bool = false, overwrite: Bool = true, ttl: Double? = nil) throws(CacheError) {
      var spec = StreamSpec(
        schema: Schema(fields: [try Field(name: "v", format: "l")]),
        batches: [.table([column([Int64](repeating: 0, count: count))], length: count)])
      if failing { spec.failure = (1, "no more") }
      _ = try store.put(
        key: key, stream: try spec.reader(counter), kind: "", userMetadata: "", ttl: ttl, overwrite: overwrite, autoPartition: nil, copyColumns: nil,
        copyAll: false)
    }
    try put("a", 8, ttl: 10)
    let before = gate.callCount
    switch how {
    case "replace": try put("a", 9)
    case "remove": #expect(store.remove("a"))
    case "clear": #expect(store.clear() == 1)
    case "close": store.close()
    case "evict": try put("b", 8)
    case "expire":
      clock.advance(by: 10)
      #expect(store.lookup("a") == nil)
    case "purge":
      clock.advance(by: 10)
      #expect(store.purgeExpired() == 1)
    case "fail": #expect(throws: CacheError.self) { try put("a", 8, failing: true) }
    case "exists": #expect(throws: CacheError.self) { try put("a", 8, overwrite: false) }
    case "large": #expect(throws: CacheError.self) { try put("b", 80) }
    default:
      _ = store.pin("a")
      #expect(throws: CacheError.self) { try put("b", 8) }
    }
    #expect(gate.callCount > before)
    store.close()
    #expect(counter.live == 0)
    gate.set(nil)
  }

  @Test(.timeLimit(.minutes(10))) func memosAreDroppedAfterUnlocking() throws {
    final class Caller {
      let entry: Entry
      init(_ entry: Entry) { self.entry = entry }
      deinit { _ = entry.memo("x") }
    }
    let fixture = try Fixture()
    let entry = try fixture.put("a")
    entry.setMemo("x", Caller(entry))
    entry.setMemo("x", Caller(entry))
    entry.setMemo("x", nil)
    #expect(entry.memo("x") == nil)
  }

  @Test(.timeLimit(.minutes(10))) func manyThreadsLeaveAConsistentStore() throws {
    let fixture = try Fixture {
      $0.memoryLimitBytes = 4000
      $0.partitionSizeRows = 7
    }
    onThreads(8) { thread in
      var generator = SeededGenerator(UInt64(thread))
      for step in 0..<400 {
        let key = "k\(Int.random(in: 0...9, using: &generator))"
        switch Int.random(in: 0...9, using: &generator) {
        case 0...2:
          // Every row of a version is the same number.
          let number = Int64(thread * 1000 + step)
          _ = try? fixture.put(key, [[Int64?]](repeating: [number, number], count: 1 + step % 20), copyAll: step % 2 == 0)
        case 3...6:
          if let entry = fixture.store.lookup(key), let numbers = try? entry.numbers() {
            #expect(numbers.count == entry.rowCount)
            #expect(Set(numbers).count == 1)
            #expect(entry.statistics(partition: 0, column: 0).nullCount == 0)
          }
        case 7: _ = fixture.store.remove(key)
        case 8:
          if fixture.store.pin(key) { fixture.store.unpin(key) }
        default: _ = fixture.store.status()
        }
      }
    }
    fixture.audit()
    fixture.store.close()
    #expect(fixture.counter.live == 0)
  }
}
