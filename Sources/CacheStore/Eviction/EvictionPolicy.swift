import Primitives

/// Which entry goes first when room is needed. Called under the catalog's lock; every call is O(1) or O(log n).
///
/// Pinned entries are not with the policy. A slot's `place` belongs to the policy that has it.
protocol EvictionPolicy: AnyObject {
  func insert(_ slot: Slot)
  func remove(_ slot: Slot)
  /// The slot has been read.
  func touch(_ slot: Slot)
  /// The slot's time to live has changed.
  func reschedule(_ slot: Slot)
  /// The one to go first; stays until it is removed.
  var victim: Slot? { get }
}

extension EvictionPolicy {
  func touch(_ slot: Slot) {}
  func reschedule(_ slot: Slot) {}
}

/// The policies by name.
let evictionPolicies: [(name: String, make: @Sendable () -> any EvictionPolicy)] = [
  ("lru", { LeastRecentlyUsed() }),
  ("lfu", { LeastFrequentlyUsed() }),
  ("fifo", { FirstInFirstOut() }),
  ("size", { LargestFirst() }),
  ("ttl", { SoonestExpiry() }),
]

func makeEvictionPolicy(_ name: String) throws(CacheError) -> any EvictionPolicy {
  guard let policy = evictionPolicies.first(where: { $0.name == name }) else {
    let names = evictionPolicies.map(\.name).joined(separator: ", ")
    throw CacheError(.configuration, "eviction_policy '\(name)' is not known: use one of \(names)")
  }
  return policy.make()
}
