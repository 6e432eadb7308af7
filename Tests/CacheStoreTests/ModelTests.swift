import Primitives
import Testing

@testable import CacheStore

/// Random operations on the store and on a model that does everything the slow and obvious way; both must agree after each.
@Suite struct ModelTests {
  private struct Model {
    struct Item {
      var key: String
      var bytes: Int
      var version: Int
      var lastAccess: Int
      var accessCount = 0
      var expiresAt: Double?
    }

    let policy: String
    let limit: Int
    var items: [Item] = []
    var pins: [String: Int] = [:]
    var tick = 0
    var evicted: [String] = []
    var expired = 0

    var total: Int { items.reduce(0) { $0 + $1.bytes } }

    mutating func expire(_ now: Double) {
      let before = items.count
      items.removeAll { $0.expiresAt.map { $0 <= now } ?? false }
      expired += before - items.count
    }

    mutating func put(_ key: String, _ bytes: Int, _ expiresAt: Double?) -> Bool {
      let pinned = items.filter { pins[$0.key] != nil && $0.key != key }.reduce(0) { $0 + $1.bytes }
      guard bytes + pinned <= limit else { return false }
      tick += 1
      let place = items.firstIndex { $0.key == key }
      let item = Item(key: key, bytes: bytes, version: tick, lastAccess: tick, expiresAt: expiresAt)
      if let place { items[place] = item } else { items.append(item) }
      while total > limit {
        let candidates = items.filter { pins[$0.key] == nil && $0.key != key }
        guard let victim = candidates.min(by: { goesBefore($0, $1) }) else { return false }
        evicted.append(victim.key)
        items.removeAll { $0.key == victim.key }
      }
      return true
    }

    private func goesBefore(_ a: Item, _ b: Item) -> Bool {
      switch policy {
      case "lru": a.lastAccess < b.lastAccess
      case "lfu": (a.accessCount, a.lastAccess) < (b.accessCount, b.lastAccess)
      case "size": (-a.bytes, a.lastAccess) < (-b.bytes, b.lastAccess)
      case "ttl": (a.expiresAt ?? .infinity, a.version) < (b.expiresAt ?? .infinity, b.version)
      default: a.version < b.version
      }
    }
  }

  @Test(arguments: ["lru", "lfu", "fifo", "size", "ttl"], [1, 2, 3] as [UInt64])
  func theStoreAgreesWithTheModel(policy: String, seed: UInt64) throws {
    let fixture = try Fixture {
      $0.memoryLimitBytes = 2000
      $0.evictionPolicy = policy
      $0.partitionSizeRows = 10
    }
    let store = fixture.store
    var generator = SeededGenerator(seed)
    var model = Model(policy: policy, limit: 2000)
    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    for step in 0..<2000 {
      let key = "k\(random(0...15))"
      let now = fixture.clock.now()
      model.expire(now)
      let index = model.items.firstIndex { $0.key == key }
      switch random(0...99) {
      case 0..<35:
        let bytes = 8 * random(1...(random(0...9) == 0 ? 300 : 60))
        let ttl = random(0...2) == 0 ? Double(random(1...30)) : nil
        let fits = model.put(key, bytes, ttl.map { now + $0 })
        #expect(((try? fixture.put(key, bytes: bytes, ttl: ttl)) != nil) == fits, "step \(step)")
      case 35..<70:
        #expect((store.lookup(key) != nil) == (index != nil))
        if let index {
          model.tick += 1
          model.items[index].lastAccess = model.tick
          model.items[index].accessCount += 1
        }
      case 70..<76:
        #expect(store.remove(key) == (index != nil))
        if let index { model.items.remove(at: index) }
      case 76..<82:
        let ttl = Double(random(1...30))
        #expect(try store.updateTTL(key, ttl: ttl) == (index != nil))
        if let index { model.items[index].expiresAt = now + ttl }
      case 82..<86:
        #expect(store.pin(key) == (index != nil))
        if index != nil { model.pins[key, default: 0] += 1 }
      case 86..<92:
        store.unpin(key)
        if let count = model.pins[key] { model.pins[key] = count > 1 ? count - 1 : nil }
      case 92..<97: fixture.clock.advance(by: Double(random(1...5)))
      case 97: #expect(store.purgeExpired() >= 0)
      case 98: _ = store.peek(key)
      default:
        if random(0...9) == 0 {
          #expect(store.clear() == model.items.count)
          model.items = []
        }
      }
      model.expire(fixture.clock.now())
      let status = store.status()
      #expect(store.keys() == model.items.map(\.key), "step \(step)")
      #expect(status.currentSizeBytes == model.total)
      #expect(status.evictedCount == model.evicted.count, "step \(step)")
      #expect(status.expiredCount == model.expired, "step \(step)")
      fixture.audit()
      if store.keys() != model.items.map(\.key) { return }
    }
    #expect(model.evicted.count > 50)
    #expect(model.expired > 5)
    store.close()
    #expect(fixture.counter.live == 0)
  }
}
