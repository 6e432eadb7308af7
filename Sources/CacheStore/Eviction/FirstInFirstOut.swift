/// Evicts what was put first, whether or not it has been read since.
final class FirstInFirstOut: EvictionPolicy {
  private var heap = RankedHeap<UInt64>()

  var victim: Slot? { heap.first }
  func insert(_ slot: Slot) { heap.insert(slot, rank: slot.entry.version) }
  func remove(_ slot: Slot) { heap.remove(slot) }
}
