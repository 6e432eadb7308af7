/// Evicts what holds most bytes; among equals what was put first.
final class LargestFirst: EvictionPolicy {
  private var heap = RankedHeap<Rank<Int, UInt64>>()

  var victim: Slot? { heap.first }
  func insert(_ slot: Slot) { heap.insert(slot, rank: Rank(first: -slot.entry.sizeBytes, second: slot.entry.version)) }
  func remove(_ slot: Slot) { heap.remove(slot) }
}
