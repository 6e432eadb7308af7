/// Evicts what has been read least often since it was put; among equals what has not been read for longest. O(log n).
final class LeastFrequentlyUsed: EvictionPolicy {
  private var heap = RankedHeap<Rank<Int, UInt64>>()

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }
  func insert(_ item: EvictionItem) { heap.insert(item, rank: rank(item)) }
  func remove(_ item: EvictionItem, isEvicted: Bool) { heap.remove(item) }
  func touch(_ item: EvictionItem) { heap.update(item, rank: rank(item)) }

  private func rank(_ item: EvictionItem) -> Rank<Int, UInt64> { Rank(first: item.accessCount, second: item.lastAccess) }
}
