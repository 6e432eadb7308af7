/// Items in a doubly linked list from the oldest to the newest, O(1) throughout; an item knows its place.
///
/// The list lies in an array, linked by index, so that dropping it does not recurse; freed places are reused.
struct ItemList {
  private struct Node {
    var item: EvictionItem?
    var byteCount: Int
    var newer: Int
    var older: Int
  }

  private static let none = -1
  private var nodes: [Node] = []
  private var free: [Int] = []
  private var newestPlace = none
  private var oldestPlace = none
  private(set) var count = 0
  /// What its items hold together.
  private(set) var byteCount = 0

  var isEmpty: Bool { count == 0 }
  var oldest: EvictionItem? { item(at: oldestPlace) }
  var newest: EvictionItem? { item(at: newestPlace) }

  /// The oldest other than `excluded`.
  func oldest(excluding excluded: EvictionItem?) -> EvictionItem? {
    guard let oldest, oldest === excluded else { return oldest }
    return newer(than: oldest)
  }

  /// The next newer one of an item of this list.
  func newer(than item: EvictionItem) -> EvictionItem? { has(item) ? self.item(at: nodes[item.place].newer) : nil }

  /// Whether the item lies in this list.
  func has(_ item: EvictionItem) -> Bool { nodes.indices.contains(item.place) && nodes[item.place].item === item }

  /// The item becomes the newest; it is in no list yet.
  mutating func append(_ item: EvictionItem) {
    let place = free.popLast() ?? nodes.count
    let node = Node(item: item, byteCount: item.byteCount, newer: Self.none, older: newestPlace)
    if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    item.place = place
    link(place)
    count += 1
    byteCount += item.byteCount
  }

  mutating func remove(_ item: EvictionItem) {
    guard has(item) else { return }
    let place = item.place
    unlink(place)
    count -= 1
    byteCount -= nodes[place].byteCount
    nodes[place].item = nil
    free.append(place)
    item.place = -1
  }

  mutating func moveToNewest(_ item: EvictionItem) {
    guard has(item), item.place != newestPlace else { return }
    unlink(item.place)
    nodes[item.place].newer = Self.none
    nodes[item.place].older = newestPlace
    link(item.place)
  }

  /// Counts the item with the bytes that it has now.
  mutating func resize(_ item: EvictionItem) {
    guard has(item) else { return }
    byteCount += item.byteCount - nodes[item.place].byteCount
    nodes[item.place].byteCount = item.byteCount
  }

  private func item(at place: Int) -> EvictionItem? { place == Self.none ? nil : nodes[place].item }

  /// Makes `place` the newest; its own links are set.
  private mutating func link(_ place: Int) {
    if newestPlace != Self.none { nodes[newestPlace].newer = place }
    newestPlace = place
    if oldestPlace == Self.none { oldestPlace = place }
  }

  private mutating func unlink(_ place: Int) {
    let (newer, older) = (nodes[place].newer, nodes[place].older)
    if newer == Self.none { newestPlace = older } else { nodes[newer].older = older }
    if older == Self.none { oldestPlace = newer } else { nodes[older].newer = newer }
  }
}
