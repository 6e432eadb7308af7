import Glibc
import Testing

@testable import CacheStore

/// Random operations on a policy and on a reference that does it the slow and obvious way: both must always name the same victim.
@Suite struct PolicyReferenceTests {
  private static let capacity = 2000

  private static func reference(_ name: String) -> (any ReferencePolicy)? {
    switch name {
    case "lru": return ReferenceOrder<Int> { subject, old, _, read in read ? subject.lastAccess : old ?? 0 }
    case "lfu": return ReferenceOrder<Int> { subject, _, _, _ in subject.reads }
    case "fifo": return ReferenceOrder<Int> { subject, _, _, _ in subject.sequence }
    case "size": return ReferenceOrder<Int> { subject, _, _, _ in -subject.bytes }
    case "ttl": return ReferenceOrder<Double> { subject, _, _, _ in 1e6 * (subject.expiresAt ?? 1e3) + Double(subject.sequence) }
    case "arc": return ReferenceARC(capacity)
    case "sieve": return ReferenceSieve()
    case "s3fifo": return ReferenceS3FIFO(capacity)
    case "w-tinylfu": return ReferenceTinyLFU(sample: 384)
    case "gdsf":
      var age = 0.0
      return ReferenceOrder<AgedValue>(
        { subject, old, _, read in
          let since = read ? age : old?.age ?? age
          let cost = subject.seconds ?? Double(max(1, subject.bytes)) * 1e-8
          return AgedValue(value: since + (Double(subject.reads) + 1) * cost / Double(max(1, subject.bytes)), age: since)
        }, evicted: { age = max(age, $0.value) })
    case "weighted":
      var time = 0.0
      return ReferenceOrder<WeightedValue> { subject, old, held, read in
        if read { time += 1 / Double(max(1, held)) }
        let (inserted, last) = (old?.inserted ?? time, read ? time : old?.last ?? time)
        let value = last + 0.5 * inserted + log2(1 + Double(subject.reads)) - log10(Double(max(1, subject.bytes)))
        return WeightedValue(value: value, inserted: inserted, last: last)
      }
    default: return nil
    }
  }

  private struct AgedValue: Comparable {
    var value, age: Double
    static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    static func == (left: Self, right: Self) -> Bool { left.value == right.value }
  }

  private struct WeightedValue: Comparable {
    var value, inserted, last: Double
    static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    static func == (left: Self, right: Self) -> Bool { left.value == right.value }
  }

  @Test(arguments: evictionPolicyNames, [1, 2, 3, 4, 5] as [UInt64])
  func thePolicyAgreesWithItsReference(name: String, seed: UInt64) throws {
    let policy = try makeEvictionPolicy(name, capacityBytes: Self.capacity)
    let reference = try #require(Self.reference(name))
    var generator = SeededGenerator(seed)
    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    var held: [Int: (item: EvictionItem, subject: Subject)] = [:]
    var tick = 0
    var evictions = 0

    func check(_ step: Int, excluding: Int?) -> Int? {
      let ours = policy.victim(excluding: excluding.flatMap { held[$0]?.item })
      let theirs = reference.victim(excluding: excluding)
      let key = held.first { $0.value.item === ours }?.key
      #expect(key == theirs, "step \(step), \(held.count) held")
      #expect(policy.victim(excluding: excluding.flatMap { held[$0]?.item }) === ours, "a second look finds the same")
      return key == theirs ? key : nil
    }

    for step in 0..<3000 {
      let key = min(random(0...39), random(0...39))
      tick += 1
      switch random(0...99) {
      case 0..<45:
        if let old = held[key] {
          old.item.recordAccess(tick: UInt64(tick))
          policy.touch(old.item)
          held[key]?.subject.reads += 1
          held[key]?.subject.lastAccess = tick
          if let subject = held[key]?.subject { reference.change(subject, read: true) }
        } else {
          let bytes = random(0...9) == 0 ? random(0...600) : random(1...100)
          while held.values.reduce(0, { $0 + $1.subject.bytes }) + bytes > Self.capacity {
            guard let victim = check(step, excluding: nil), let gone = held.removeValue(forKey: victim) else { return }
            policy.remove(gone.item, isEvicted: true)
            reference.remove(victim, evicted: true)
            evictions += 1
          }
          let seconds = random(0...3) == 0 ? nil : Double(random(1...1000)) / 100
          let expiresAt = random(0...1) == 0 ? Double(random(1...100)) : nil
          let hash = EvictionItem.mixed(UInt64(key + 1))
          let item = EvictionItem(
            keyHash: hash, byteCount: bytes, sequence: UInt64(tick), lastAccess: UInt64(tick), rebuildSeconds: seconds,
            expiresAt: expiresAt)
          let subject = Subject(
            key: key, hash: hash, sequence: tick, bytes: bytes, seconds: seconds, expiresAt: expiresAt, lastAccess: tick)
          held[key] = (item, subject)
          policy.insert(item)
          reference.insert(subject)
        }
      case 45..<60:
        if let gone = held.removeValue(forKey: key) {
          policy.remove(gone.item, isEvicted: false)
          policy.remove(gone.item, isEvicted: false)  // a second time does nothing
          policy.touch(gone.item)  // nor does a read of what the policy does not have
          reference.remove(key, evicted: false)
          #expect(!gone.item.isRanked)
        }
      case 60..<65:
        if let old = held[key] {
          old.item.byteCount = random(0...200)
          policy.resize(old.item)
          held[key]?.subject.bytes = old.item.byteCount
          if let subject = held[key]?.subject { reference.change(subject, read: false) }
        }
      case 65..<70:
        if let old = held[key] {
          old.item.expiresAt = Double(random(1...100))
          policy.reschedule(old.item)
          held[key]?.subject.expiresAt = old.item.expiresAt
          if let subject = held[key]?.subject { reference.change(subject, read: false) }
        }
      case 70..<75: _ = check(step, excluding: key)
      default: _ = check(step, excluding: nil)
      }
    }
    #expect(evictions > 25)
    // Down to nothing, each one once.
    while !held.isEmpty {
      guard let victim = check(-1, excluding: nil), let gone = held.removeValue(forKey: victim) else { return }
      policy.remove(gone.item, isEvicted: true)
      reference.remove(victim, evicted: true)
    }
    #expect(policy.victim() == nil)
  }

  /// What goes out and comes back without having been read keeps its rank where the rank is of what the item itself tells.
  @Test(arguments: ["lru", "lfu", "fifo", "size", "ttl"], [1, 2, 3] as [UInt64])
  func whatComesBackKeepsItsRank(name: String, seed: UInt64) throws {
    let policies = [try makeEvictionPolicy(name), try makeEvictionPolicy(name)]
    var generator = SeededGenerator(seed)
    var pairs: [[EvictionItem]] = []
    for tick in 0..<2000 as Range<UInt64> {
      if tick < 100 {
        let bytes = Int.random(in: 1...50, using: &generator)
        let expiresAt = Double.random(in: 0...9, using: &generator)
        pairs.append(
          policies.map { _ in
            EvictionItem(keyHash: tick, byteCount: bytes, sequence: tick, lastAccess: 2 * tick, expiresAt: expiresAt)
          })
        for (policy, item) in zip(policies, pairs[pairs.count - 1]) { policy.insert(item) }
      }
      if let pair = pairs.randomElement(using: &generator) {
        for (policy, item) in zip(policies, pair) {
          item.recordAccess(tick: 2 * tick + 1)
          policy.touch(item)
        }
      }
      if let pair = pairs.randomElement(using: &generator) {
        policies[1].remove(pair[1], isEvicted: false)
        policies[1].restore(pair[1])
      }
      let victims = policies.map { policy in pairs.firstIndex { pair in pair.contains { $0 === policy.victim() } } }
      #expect(victims[0] == victims[1])
      if tick > 1950, let victim = victims[0] {
        for (policy, item) in zip(policies, pairs.remove(at: victim)) { policy.remove(item, isEvicted: true) }
      }
    }
  }

  @Test(arguments: evictionPolicyNames) func theOnlyItemIsNoVictimWhereItIsExcluded(name: String) throws {
    for capacityBytes in [nil, 0, 10, .max] {
      let policy = try makeEvictionPolicy(name, capacityBytes: capacityBytes)
      #expect(policy.victim() == nil)
      let item = EvictionItem(keyHash: 1, byteCount: 10, sequence: 1, lastAccess: 1)
      policy.insert(item)
      #expect(item.isRanked)
      for tick in 2...20 {
        item.recordAccess(tick: UInt64(tick))
        policy.touch(item)
        #expect(policy.victim(excluding: item) == nil)
        #expect(policy.victim() === item)
      }
      policy.remove(item, isEvicted: true)
      #expect(!item.isRanked)
      #expect(policy.victim() == nil)
    }
  }
}
