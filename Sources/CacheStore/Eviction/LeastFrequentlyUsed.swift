/// Evicts what has been read least often since it was put; among equals what has not been read for longest.
final class LeastFrequentlyUsed: EvictionPolicy {
  private var heap = RankedHeap<Rank<Int, UInt64>>()

  var victim: Slot? { heap.first }
  func insert(_ slot: Slot) { heap.insert(slot, rank: rank(slot)) }
  func remove(_ slot: Slot) { heap.remove(slot) }
  func touch(_ slot: Slot) { heap.update(slot, rank: rank(slot)) }

  private func rank(_ slot: Slot) -> Rank<Int, UInt64> { Rank(first: slot.accessCount, second: slot.lastAccess) }
}
