/// When which version expires, soonest first. Versions that went otherwise stay until they come up, or are swept when they
/// have become most of it.
struct ExpiryQueue {
  struct Item {
    let expiresAt: Double
    let version: UInt64
    let key: CacheKey
  }

  private var items: [Item] = []

  var count: Int { items.count }
  /// When the first item is due.
  var next: Double? { items.first?.expiresAt }

  mutating func insert(_ item: Item) {
    items.append(item)
    rise(items.count - 1)
  }

  /// Takes out the first item if it is due.
  mutating func popDue(_ now: Double) -> Item? {
    guard let first = items.first, first.expiresAt <= now else { return nil }
    let last = items.removeLast()
    if !items.isEmpty {
      items[0] = last
      sink(0)
    }
    return first
  }

  /// Drops what is no longer wanted.
  mutating func sweep(keeping isWanted: (Item) -> Bool) {
    items = items.filter(isWanted)
    for place in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(place) }
  }

  private mutating func rise(_ start: Int) {
    var place = start
    while place > 0, items[place].expiresAt < items[(place - 1) / 2].expiresAt {
      items.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < items.count else { return }
      if child + 1 < items.count, items[child + 1].expiresAt < items[child].expiresAt { child += 1 }
      guard items[child].expiresAt < items[place].expiresAt else { return }
      items.swapAt(place, child)
      place = child
    }
  }
}
