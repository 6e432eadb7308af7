/// GDSF: evicts what saves least time for the room that it takes: reads × rebuild seconds ÷ bytes, on top of the value that the last
/// evicted one had, so that what is no longer read ages.
///
/// L. Cherkasova: Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy. HP Labs HPL-98-69R1, 1998; P. Cao,
/// S. Irani: Cost-Aware WWW Proxy Caching Algorithms. USITS 1997. An item's value is K = L + F · C / S, set when it is inserted or read;
/// L is the value of the last evicted one. Among equals what has not been read for longest goes first. O(log n).
///
/// C is the time that it took to build the item, as measured. Where that is not known it is what reading so many bytes takes at 100 MB/s,
/// about what comes from files that must be parsed or over a network, so that both kinds are compared in seconds.
final class GreedyDualSizeFrequency: EvictionPolicy {
  static let nominalSecondsPerByte = 1e-8
  /// About 30 years: beyond, a value would leave no digits for the others.
  private static let mostSeconds = 1e9

  private var heap = RankedHeap<GreedyDualRank>()
  /// L
  private(set) var age = 0.0

  /// The seconds to reckon with.
  static func cost(_ item: EvictionItem) -> Double {
    guard let seconds = item.rebuildSeconds, seconds >= 0 else { return Double(max(1, item.byteCount)) * nominalSecondsPerByte }
    return min(seconds, mostSeconds)
  }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }
  func insert(_ item: EvictionItem) { heap.insert(item, rank: rank(item, age: age)) }
  func touch(_ item: EvictionItem) { heap.update(item, rank: rank(item, age: age)) }

  func resize(_ item: EvictionItem) {
    guard let old = heap.rank(of: item) else { return }
    heap.update(item, rank: rank(item, age: old.age))
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    if isEvicted, let rank = heap.rank(of: item) { age = max(age, rank.value) }
    heap.remove(item)
  }

  private func rank(_ item: EvictionItem, age: Double) -> GreedyDualRank {
    let value = (Double(item.accessCount) + 1) * Self.cost(item) / Double(max(1, item.byteCount))
    return GreedyDualRank(value: age + value, lastAccess: item.lastAccess, age: age)
  }
}

/// K, and the L that went into it.
struct GreedyDualRank: Comparable {
  let value: Double
  let lastAccess: UInt64
  let age: Double

  static func < (left: GreedyDualRank, right: GreedyDualRank) -> Bool {
    left.value != right.value ? left.value < right.value : left.lastAccess < right.lastAccess
  }
}
