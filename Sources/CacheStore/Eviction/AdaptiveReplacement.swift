/// ARC: what was read once and what was read again lie in two lists, whose shares follow what turns out to have been evicted too early.
///
/// N. Megiddo, D. S. Modha: ARC: A Self-Tuning, Low Overhead Replacement Cache. FAST 2003. The names are the paper's: T1, T2 the items
/// read once and again, B1, B2 the keys evicted from either, p what T1 should hold, c the capacity.
///
/// Sizes: every quantity is in bytes. A key that comes back from a ghost list moves p by as many bytes as the item has, times the
/// paper's ratio of the ghost lists; on pages of one size that is the paper's algorithm. Ghosts are trimmed to T1 + B1 ≤ c and
/// all four ≤ 2 c. p moves when the item is inserted, which is after the room for it was made. O(1).
final class AdaptiveReplacement: EvictionPolicy {
  private let capacityBytes: Int?
  private(set) var recent = ItemList()  // T1
  private(set) var frequent = ItemList()  // T2
  private(set) var recentGhosts = GhostList()  // B1
  private(set) var frequentGhosts = GhostList()  // B2
  /// p, in bytes.
  private(set) var recentTarget = 0.0

  init(capacityBytes: Int?) { self.capacityBytes = capacityBytes }

  private var capacity: Int { capacityBytes ?? (recent.byteCount + frequent.byteCount) }

  func insert(_ item: EvictionItem) {
    let (b1, b2) = (Double(recentGhosts.byteCount), Double(frequentGhosts.byteCount))
    let bytes = Double(item.byteCount)
    if recentGhosts.remove(item.keyHash) {
      recentTarget = min(Double(capacity), recentTarget + bytes * max(1, b2 / max(1, b1)))
      frequent.append(item)
    } else if frequentGhosts.remove(item.keyHash) {
      recentTarget = max(0, recentTarget - bytes * max(1, b1 / max(1, b2)))
      frequent.append(item)
    } else {
      recent.append(item)
    }
    trimGhosts()
  }

  func restore(_ item: EvictionItem) {
    if item.accessCount > 0 { frequent.append(item) } else { recent.append(item) }
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    if recent.has(item) {
      recent.remove(item)
      if isEvicted { recentGhosts.append(item.keyHash, byteCount: item.byteCount) }
    } else if frequent.has(item) {
      frequent.remove(item)
      if isEvicted { frequentGhosts.append(item.keyHash, byteCount: item.byteCount) }
    }
    if isEvicted { trimGhosts() }
  }

  func touch(_ item: EvictionItem) {
    if recent.has(item) {
      recent.remove(item)
      frequent.append(item)
    } else {
      frequent.moveToNewest(item)
    }
  }

  func resize(_ item: EvictionItem) {
    recent.resize(item)
    frequent.resize(item)
  }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? {
    let (first, second) = Double(recent.byteCount) > recentTarget ? (recent, frequent) : (frequent, recent)
    return first.oldest(excluding: excluded) ?? second.oldest(excluding: excluded)
  }

  private func trimGhosts() {
    let capacity = capacity
    recentGhosts.shrink(toBytes: max(0, capacity - recent.byteCount))
    let (doubled, overflows) = capacity.multipliedReportingOverflow(by: 2)
    let others = recent.byteCount + frequent.byteCount + recentGhosts.byteCount
    frequentGhosts.shrink(toBytes: max(0, (overflows ? .max : doubled) - others))
  }
}
