/// W-TinyLFU: what is new lies in a small window; what leaves it comes into the main part only where it was seen more often than what
/// has to go for it.
///
/// G. Einziger, R. Friedman, B. Manes: TinyLFU: A Highly Efficient Cache Admission Policy. ACM Transactions on Storage 13(4), 2017. The
/// window is an LRU list of 1 %, main a segmented one: probation, and protected for what was read there, at most 80 % of main.
/// Frequencies are a `FrequencySketch`'s. Shares are of what is held when room is needed; until main has filled up for the first time,
/// the window flows into it without a contest.
///
/// Sizes: G. Einziger, O. Eytan, R. Friedman, B. Manes: Lightweight Robust Size Aware Cache Management. ACM Transactions on Storage
/// 18(3), 2022, aggregated victims: the candidate is compared with the sum over all those that make its room; the search ends as soon as
/// they have as much, and after `mostVictims`.
///
/// So that a new working set gets in: a key that was turned away is counted once more, and of two that were both seen as often as can
/// be counted the newer one wins.
///
/// The store keeps every put: an item lies in the window until room is needed, however large it is, and the admission then decides
/// whether it goes or those in the main part. O(1).
final class WindowTinyLFU: EvictionPolicy {
  private static let windowShare = 0.01
  private static let protectedShare = 0.8
  /// Main has filled up where it holds this much of all.
  private static let filledShare = 0.9
  private static let mostVictims = 128

  private(set) var window = ItemList()
  private(set) var probation = ItemList()
  private(set) var protected = ItemList()
  private(set) var sketch = FrequencySketch()
  /// What main is to give for the last one that was admitted.
  private var owedBytes = 0
  /// Items that admissions have looked at.
  private(set) var steps = 0

  private var mainBytes: Int { probation.byteCount + protected.byteCount }
  private var totalBytes: Int { window.byteCount + mainBytes }

  func insert(_ item: EvictionItem) {
    sketch.grow(toKeys: window.count + probation.count + protected.count + 1)
    sketch.count(item.keyHash)
    window.append(item)
  }

  func restore(_ item: EvictionItem) { probation.append(item) }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    guard item.isRanked else { return }
    if !window.has(item) {
      owedBytes = max(0, owedBytes - item.byteCount)
    } else if isEvicted {
      sketch.count(item.keyHash)
    }
    window.remove(item)
    probation.remove(item)
    protected.remove(item)
    if probation.isEmpty, protected.isEmpty { owedBytes = 0 }
  }

  func touch(_ item: EvictionItem) {
    guard item.isRanked else { return }
    sketch.count(item.keyHash)
    if probation.has(item) {
      probation.remove(item)
      protected.append(item)
      while Double(protected.byteCount) > Self.protectedShare * Double(mainBytes), protected.count > 1, let oldest = protected.oldest {
        protected.remove(oldest)
        probation.append(oldest)
      }
    } else {
      protected.moveToNewest(item)
      window.moveToNewest(item)
    }
  }

  func resize(_ item: EvictionItem) {
    window.resize(item)
    probation.resize(item)
    protected.resize(item)
  }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? {
    while owedBytes == 0, Double(window.byteCount) >= Self.windowShare * Double(totalBytes),
      let candidate = window.oldest(excluding: excluded)
    {
      if Double(mainBytes) + Double(candidate.byteCount) > Self.filledShare * Double(totalBytes) {
        guard isAdmitted(candidate, excluded) else { return candidate }
        owedBytes = candidate.byteCount
      }
      window.remove(candidate)
      probation.append(candidate)
    }
    return mainVictim(excluded) ?? window.oldest(excluding: excluded)
  }

  private func mainVictim(_ excluded: EvictionItem?) -> EvictionItem? {
    probation.oldest(excluding: excluded) ?? protected.oldest(excluding: excluded)
  }

  /// Whether the candidate was seen more often than those together that make its room: the next ones of main to go.
  private func isAdmitted(_ candidate: EvictionItem, _ excluded: EvictionItem?) -> Bool {
    let estimate = sketch.estimate(candidate.keyHash)
    let needed = estimate == FrequencySketch.mostCounts ? estimate + 1 : estimate
    var (sum, bytes, seen) = (0, 0, 0)
    for list in [probation, protected] {
      var victim = list.oldest
      while let item = victim {
        victim = list.newer(than: item)
        if item === excluded { continue }
        seen += 1
        steps += 1
        sum += sketch.estimate(item.keyHash)
        bytes += item.byteCount
        if sum >= needed || seen >= Self.mostVictims { return false }
        if bytes >= candidate.byteCount { return true }
      }
    }
    return false
  }
}
