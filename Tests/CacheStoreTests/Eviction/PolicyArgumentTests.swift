import Primitives
import Testing

@testable import CacheStore

@Suite struct PolicyArgumentTests {
  private func message(_ name: String, _ arguments: [String: Double]) -> String {
    let error = #expect(throws: CacheError.self) { _ = try makeEvictionPolicy(name, arguments: arguments) }
    #expect(error?.code == .configuration)
    return error?.message ?? ""
  }

  @Test func thereAreTheseNames() {
    #expect(
      evictionPolicyNames == ["lru", "lfu", "fifo", "size", "ttl", "arc", "sieve", "s3fifo", "w-tinylfu", "gdsf", "weighted"])
    let text = message("random", [:])
    for name in evictionPolicyNames { #expect(text.contains(name)) }
  }

  @Test func whatIsWrongIsNamed() {
    #expect(message("lru", ["lru_weight": 1]).contains("'lru' takes none"))
    let unknown = message("weighted", ["recency": 1])
    #expect(unknown.contains("'recency'"))
    for name in ["lru_weight", "lfu_weight", "size_weight", "age_weight", "cost_weight"] { #expect(unknown.contains(name)) }
    for weight in [-1, .nan, .infinity, -.infinity, 1e7] {
      #expect(message("weighted", ["size_weight": weight]).contains("size_weight is \(weight)"))
    }
    let zeros = ["lru_weight": 0.0, "lfu_weight": 0, "size_weight": 0, "age_weight": 0]
    #expect(message("weighted", zeros).contains("every weight is 0"))
  }

  /// With one weight alone it is the policy of that name.
  @Test(arguments: [("lru_weight", "lru"), ("age_weight", "fifo"), ("lfu_weight", "lfu"), ("size_weight", "size")])
  func oneWeightAloneIsThePolicyOfThatName(weight: String, name: String) throws {
    var weights = ["lru_weight": 0.0, "lfu_weight": 0, "size_weight": 0, "age_weight": 0]
    weights[weight] = 2
    let policies = [try makeEvictionPolicy("weighted", arguments: weights), try makeEvictionPolicy(name)]
    var generator = SeededGenerator(3)
    var pairs: [[EvictionItem]] = []
    for tick in 0..<3000 as Range<UInt64> {
      if pairs.count > 50 {
        let victims = policies.map { $0.victim() }
        let first = pairs.firstIndex { $0[0] === victims[0] }
        let second = pairs.firstIndex { $0[1] === victims[1] }
        #expect(first == second)
        guard let first, first == second else { return }
        for (policy, item) in zip(policies, pairs.remove(at: first)) { policy.remove(item, isEvicted: true) }
      }
      if Bool.random(using: &generator), let pair = pairs.randomElement(using: &generator) {
        for (policy, item) in zip(policies, pair) {
          item.recordAccess(tick: tick)
          policy.touch(item)
        }
      } else {
        let bytes = Int.random(in: 1...1000, using: &generator)
        pairs.append(policies.map { _ in EvictionItem(keyHash: tick, byteCount: bytes, sequence: tick, lastAccess: tick) })
        for (policy, item) in zip(policies, pairs[pairs.count - 1]) { policy.insert(item) }
      }
    }
  }

  /// Costs that are not times, or too great, neither trap nor stay for ever.
  @Test(arguments: ["gdsf", "weighted"]) func absurdCostsDoNoHarm(name: String) throws {
    let policy = try makeEvictionPolicy(name, arguments: name == "weighted" ? ["cost_weight": 1] : [:])
    let costs: [Double?] = [nil, .nan, .infinity, -.infinity, -1, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1]
    var held: [EvictionItem] = []
    for round in 0..<200 {
      for (index, cost) in costs.enumerated() {
        let number = UInt64(round * costs.count + index)
        let item = EvictionItem(
          keyHash: number, byteCount: index % 2 == 0 ? 0 : .max, sequence: number, lastAccess: number, rebuildSeconds: cost)
        policy.insert(item)
        policy.touch(item)
        held.append(item)
      }
      while held.count > 20 {
        guard let victim = policy.victim() else { break }
        policy.remove(victim, isEvicted: true)
        held.removeAll { $0 === victim }
      }
      #expect(held.count == min(20, (round + 1) * costs.count))
    }
  }
}
