import Primitives

/// Which entry goes first when room is needed. Called under the catalog's lock; every call is O(1) or O(log n), amortised.
///
/// Pinned entries are not with the policy. Room is made first and the new item inserted after that; where the new item is with the
/// policy already, the caller passes it as `excluded`, so that a put can always keep what it puts.
package protocol EvictionPolicy: AnyObject {
  /// The item comes in; it is with no policy yet.
  func insert(_ item: EvictionItem)
  /// The item comes back after `remove`, not having been read meanwhile.
  func restore(_ item: EvictionItem)
  /// The item goes; nothing happens where it is not with the policy.
  ///
  /// - Parameter isEvicted: room was needed, and ghost lists remember it. Not so where it was removed, replaced, pinned or expired.
  func remove(_ item: EvictionItem, isEvicted: Bool)
  /// The item has been read; its `recordAccess` has been called.
  func touch(_ item: EvictionItem)
  /// The item's `expiresAt` has changed.
  func reschedule(_ item: EvictionItem)
  /// The item's `byteCount` has changed.
  func resize(_ item: EvictionItem)
  /// The one to go first, other than `excluded`; nil: there is no other. It stays until it is removed, and a second call gives the same
  /// unless something happened in between. May do the policy's own bookkeeping, such as moving a clock's hand.
  func victim(excluding excluded: EvictionItem?) -> EvictionItem?
}

extension EvictionPolicy {
  package func restore(_ item: EvictionItem) { insert(item) }
  package func touch(_ item: EvictionItem) {}
  package func reschedule(_ item: EvictionItem) {}
  package func resize(_ item: EvictionItem) {}
  package func victim() -> EvictionItem? { victim(excluding: nil) }
}

/// The policies by name.
let evictionPolicies: [(name: String, make: @Sendable (_ capacityBytes: Int?) -> any EvictionPolicy)] = [
  ("lru", { _ in LeastRecentlyUsed() }),
  ("lfu", { _ in LeastFrequentlyUsed() }),
  ("fifo", { _ in FirstInFirstOut() }),
  ("size", { _ in LargestFirst() }),
  ("ttl", { _ in SoonestExpiry() }),
  ("arc", { AdaptiveReplacement(capacityBytes: $0) }),
  ("sieve", { _ in Sieve() }),
  ("s3fifo", { S3FIFO(capacityBytes: $0) }),
  ("w-tinylfu", { _ in WindowTinyLFU() }),
  ("gdsf", { _ in GreedyDualSizeFrequency() }),
]

/// What `eviction_policy` may be.
package let evictionPolicyNames = evictionPolicies.map(\.name) + ["weighted"]

/// The policy of that name.
///
/// - Parameters:
///   - arguments: `policy_args`, by name; only "weighted" has any.
///   - capacityBytes: how much the entries may hold together; nil: no limit, and shares are of what they hold now.
/// - Throws: `.configuration` for a policy, or an argument, that there is not, and for a value that an argument cannot have.
package func makeEvictionPolicy(
  _ name: String, arguments: [String: Double] = [:], capacityBytes: Int? = nil
) throws(CacheError) -> any EvictionPolicy {
  if name == "weighted" { return try Weighted(arguments: arguments) }
  guard let policy = evictionPolicies.first(where: { $0.name == name }) else {
    let names = evictionPolicyNames.joined(separator: ", ")
    throw CacheError(.configuration, "eviction_policy '\(name)' is not known: use one of \(names)")
  }
  if let argument = arguments.keys.min() {
    throw CacheError(.configuration, "policy_args has '\(argument)', but eviction_policy '\(name)' takes none: leave policy_args out")
  }
  return policy.make(capacityBytes)
}
