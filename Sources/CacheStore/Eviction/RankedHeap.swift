/// Items in a binary heap, the lowest rank on top; an item knows its place, so it moves and goes in O(log n).
struct RankedHeap<Rank: Comparable> {
  private var items: [(rank: Rank, item: EvictionItem)] = []

  var first: EvictionItem? { items.first?.item }

  var count: Int { items.count }

  /// The one with the lowest rank other than `excluded`.
  func first(excluding excluded: EvictionItem?) -> EvictionItem? {
    guard let first, first === excluded else { return first }
    guard items.count > 2 else { return items.count == 2 ? items[1].item : nil }
    return items[2].rank < items[1].rank ? items[2].item : items[1].item
  }

  mutating func insert(_ item: EvictionItem, rank: Rank) {
    items.append((rank, item))
    item.place = items.count - 1
    rise(item.place)
  }

  mutating func remove(_ item: EvictionItem) {
    let place = item.place
    guard has(item) else { return }
    let last = items.removeLast()
    item.place = -1
    guard place < items.count else { return }
    put(last, at: place)
    settle(place)
  }

  mutating func update(_ item: EvictionItem, rank: Rank) {
    guard has(item), items[item.place].rank != rank else { return }
    items[item.place].rank = rank
    settle(item.place)
  }

  func rank(of item: EvictionItem) -> Rank? { has(item) ? items[item.place].rank : nil }

  private func has(_ item: EvictionItem) -> Bool { items.indices.contains(item.place) && items[item.place].item === item }

  private mutating func put(_ item: (rank: Rank, item: EvictionItem), at place: Int) {
    items[place] = item
    item.item.place = place
  }

  private mutating func settle(_ place: Int) {
    rise(place)
    sink(place)
  }

  private mutating func rise(_ start: Int) {
    var place = start
    let item = items[place]
    while place > 0 {
      let parent = (place - 1) / 2
      guard item.rank < items[parent].rank else { break }
      put(items[parent], at: place)
      place = parent
    }
    put(item, at: place)
  }

  private mutating func sink(_ start: Int) {
    var place = start
    let item = items[place]
    while true {
      var child = 2 * place + 1
      guard child < items.count else { break }
      if child + 1 < items.count, items[child + 1].rank < items[child].rank { child += 1 }
      guard items[child].rank < item.rank else { break }
      put(items[child], at: place)
      place = child
    }
    put(item, at: place)
  }
}

/// Two criteria, the first one first.
struct Rank<First: Comparable, Second: Comparable>: Comparable {
  let first: First
  let second: Second

  static func < (left: Rank, right: Rank) -> Bool {
    left.first != right.first ? left.first < right.first : left.second < right.second
  }
}
