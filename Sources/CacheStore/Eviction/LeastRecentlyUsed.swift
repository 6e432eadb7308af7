/// Evicts what has not been read for longest: a list in reading order, O(1) throughout.
final class LeastRecentlyUsed: EvictionPolicy {
  private var list = ItemList()

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? { list.oldest(excluding: excluded) }
  func insert(_ item: EvictionItem) { list.append(item) }
  func restore(_ item: EvictionItem) { list.restore(item) }
  func remove(_ item: EvictionItem, isEvicted: Bool) { list.remove(item) }
  func touch(_ item: EvictionItem) { list.moveToNewest(item) }
  func resize(_ item: EvictionItem) { list.resize(item) }
}
