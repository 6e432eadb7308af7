/// Evicts what would expire first; what lives for ever goes last, in the order of put. O(log n).
final class SoonestExpiry: EvictionPolicy {
  private var heap = RankedHeap<Rank<Double, UInt64>>()

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { heap.first(excluding: excluded) }
  func insert(_ item: EvictionItem) { heap.insert(item, rank: rank(item)) }
  func remove(_ item: EvictionItem, isEvicted: Bool) { heap.remove(item) }
  func reschedule(_ item: EvictionItem) { heap.update(item, rank: rank(item)) }

  private func rank(_ item: EvictionItem) -> Rank<Double, UInt64> {
    Rank(first: item.expiresAt ?? .infinity, second: item.sequence)
  }
}
