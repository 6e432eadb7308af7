/// SIEVE: a queue in the order of insertion, and a hand that goes from the oldest to the newest, spares once what was read since it came
/// by, and evicts the first that was not; nothing moves when it is read.
///
/// Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi: SIEVE is Simpler than LRU: an Efficient Turn-Key Eviction Algorithm for Web
/// Caches. NSDI 2024. O(1), amortised: a step of the hand is paid by the read that marked the item. An item's `mark` is the paper's
/// visited bit.
final class Sieve: EvictionPolicy {
  private var queue = ItemList()
  /// nil: at the oldest.
  private var hand: EvictionItem?
  /// Items that the hand has looked at.
  private(set) var steps = 0

  func insert(_ item: EvictionItem) {
    item.mark = 0
    queue.append(item)
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    if item === hand { hand = queue.newer(than: item) }
    queue.remove(item)
  }

  func touch(_ item: EvictionItem) { item.mark = 1 }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? {
    guard queue.oldest(excluding: excluded) != nil else { return nil }
    var place = hand ?? queue.oldest
    while let item = place {
      steps += 1
      if item.mark == 0, item !== excluded {
        hand = item
        return item
      }
      item.mark = 0
      place = queue.newer(than: item) ?? queue.oldest
    }
    return nil
  }
}
