/// Evicts what was put first, whether or not it has been read since. O(log n).
final class FirstInFirstOut: EvictionPolicy {
  private var heap = RankedHeap<UInt64>()

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }
  func insert(_ item: EvictionItem) { heap.insert(item, rank: item.sequence) }
  func remove(_ item: EvictionItem, isEvicted: Bool) { heap.remove(item) }
}
