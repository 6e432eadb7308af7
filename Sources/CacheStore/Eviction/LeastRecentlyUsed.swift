/// Evicts what has not been read for longest: a list in reading order, O(1). What comes back without having been read waits in a heap by
/// its last access, O(log n) in the number of those, until it is read.
final class LeastRecentlyUsed: EvictionPolicy {
  private var list = ItemList()
  private var returned = RankedHeap<UInt64>()

  func insert(_ item: EvictionItem) { list.append(item) }

  func restore(_ item: EvictionItem) {
    let isNewest = list.newest.map { $0.lastAccess < item.lastAccess } ?? true
    if isNewest { list.append(item) } else { returned.insert(item, rank: item.lastAccess) }
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    list.remove(item)
    returned.remove(item)
  }

  func touch(_ item: EvictionItem) {
    if returned.rank(of: item) != nil {
      returned.remove(item)
      list.append(item)
    } else {
      list.moveToNewest(item)
    }
  }

  func resize(_ item: EvictionItem) { list.resize(item) }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? {
    guard let first = list.oldest(excluding: excluded) else { return returned.first(excluding: excluded) }
    guard let second = returned.first(excluding: excluded) else { return first }
    return second.lastAccess < first.lastAccess ? second : first
  }
}
