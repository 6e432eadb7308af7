/// Evicts what would expire first; what lives for ever goes last, in the order of put.
final class SoonestExpiry: EvictionPolicy {
  private var heap = RankedHeap<Rank<Double, UInt64>>()

  var victim: Slot? { heap.first }
  func insert(_ slot: Slot) { heap.insert(slot, rank: rank(slot)) }
  func remove(_ slot: Slot) { heap.remove(slot) }
  func reschedule(_ slot: Slot) { heap.update(slot, rank: rank(slot)) }

  private func rank(_ slot: Slot) -> Rank<Double, UInt64> { Rank(first: slot.expiresAt ?? .infinity, second: slot.entry.version) }
}
