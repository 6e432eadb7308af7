/// Evicts what holds most bytes; among equals what has not been read for longest. O(log n).
final class LargestFirst: EvictionPolicy {
  private var heap = RankedHeap<Rank<Int, UInt64>>()

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }
  func insert(_ item: EvictionItem) { heap.insert(item, rank: rank(item)) }
  func remove(_ item: EvictionItem, isEvicted: Bool) { heap.remove(item) }
  func touch(_ item: EvictionItem) { heap.update(item, rank: rank(item)) }
  func resize(_ item: EvictionItem) { heap.update(item, rank: rank(item)) }

  private func rank(_ item: EvictionItem) -> Rank<Int, UInt64> { Rank(first: -item.byteCount, second: item.lastAccess) }
}
