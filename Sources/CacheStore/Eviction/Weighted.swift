import Glibc
import Primitives

/// Evicts by a weighted sum of recency, frequency, size, age and rebuild cost.
///
/// An item keeps the rank that it has until it is read or changed, since time adds the same to all. The lowest goes first, among equals
/// what has not been read for longest:
///
///     lru_weight × time of the last read + age_weight × time of the insertion + lfu_weight × log₂(1 + reads)
///       − size_weight × log₁₀(bytes) + cost_weight × log₁₀(rebuild seconds)
///
/// Time passes with the inserts and reads of the store: one unit is as many of them as there are items. So with a weight of 1 each, a
/// read twice as often, a size ten times smaller, and a turn of the whole store count the same. With one weight alone it is lru, fifo
/// (`age_weight`), lfu or size. Where the rebuild time is not known it is reckoned as `GreedyDualSizeFrequency` does. O(log n).
final class Weighted: EvictionPolicy {
  /// `policy_args`, with what they are where they are not given.
  static let defaults: [(name: String, weight: Double)] = [
    ("lru_weight", 1), ("lfu_weight", 1), ("size_weight", 1), ("age_weight", 0.5), ("cost_weight", 0),
  ]
  private static let greatestWeight = 1e6
  private static let leastSeconds = 1e-9

  private let lru, lfu, size, age, cost: Double
  private var heap = RankedHeap<WeightedRank>()
  private var time = 0.0

  /// Throws `.configuration` for a name that there is not, and for a weight that is not from 0 to a million; one must be above 0.
  init(arguments: [String: Double]) throws(CacheError) {
    var weights: [String: Double] = [:]
    for (name, weight) in Self.defaults { weights[name] = weight }
    for (name, weight) in arguments.sorted(by: { $0.key < $1.key }) {
      guard weights[name] != nil else {
        let names = Self.defaults.map(\.name).joined(separator: ", ")
        throw CacheError(.configuration, "policy_args of 'weighted' has '\(name)', which is not known: use \(names)")
      }
      guard weight >= 0, weight <= Self.greatestWeight else {
        throw CacheError(.configuration, "policy_args of 'weighted': \(name) is \(weight): needs a number from 0 to 1000000")
      }
      weights[name] = weight
    }
    guard weights.values.contains(where: { $0 > 0 }) else {
      throw CacheError(.configuration, "policy_args of 'weighted': every weight is 0: needs one above 0")
    }
    let weight = { (name: String) in weights[name] ?? 0 }
    (lru, lfu, size) = (weight("lru_weight"), weight("lfu_weight"), weight("size_weight"))
    (age, cost) = (weight("age_weight"), weight("cost_weight"))
  }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }

  func insert(_ item: EvictionItem) {
    passTime()
    heap.insert(item, rank: rank(item, insertedAt: time, readAt: time))
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) { heap.remove(item) }

  func touch(_ item: EvictionItem) {
    guard let old = heap.rank(of: item) else { return }
    passTime()
    heap.update(item, rank: rank(item, insertedAt: old.insertedAt, readAt: time))
  }

  func resize(_ item: EvictionItem) {
    guard let old = heap.rank(of: item) else { return }
    heap.update(item, rank: rank(item, insertedAt: old.insertedAt, readAt: old.readAt))
  }

  private func passTime() { time += 1 / Double(max(1, heap.count)) }

  private func rank(_ item: EvictionItem, insertedAt: Double, readAt: Double) -> WeightedRank {
    let seconds = max(Self.leastSeconds, GreedyDualSizeFrequency.cost(item))
    let merits =
      lru * readAt + age * insertedAt + lfu * log2(1 + Double(item.accessCount)) - size * log10(Double(max(1, item.byteCount)))
      + cost * log10(seconds)
    return WeightedRank(value: merits, lastAccess: item.lastAccess, insertedAt: insertedAt, readAt: readAt)
  }
}

/// The weighted sum, and the times that go into it.
struct WeightedRank: Comparable {
  let value: Double
  let lastAccess: UInt64
  let insertedAt: Double
  let readAt: Double

  static func < (left: WeightedRank, right: WeightedRank) -> Bool {
    left.value != right.value ? left.value < right.value : left.lastAccess < right.lastAccess
  }
}
