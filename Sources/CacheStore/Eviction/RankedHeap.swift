/// Slots in a binary heap, the lowest rank on top; a slot knows its place, so it moves and goes in O(log n).
struct RankedHeap<Rank: Comparable> {
  private var items: [(rank: Rank, slot: Slot)] = []

  var first: Slot? { items.first?.slot }

  mutating func insert(_ slot: Slot, rank: Rank) {
    items.append((rank, slot))
    slot.place = items.count - 1
    rise(slot.place)
  }

  mutating func remove(_ slot: Slot) {
    let place = slot.place
    guard items.indices.contains(place) else { return }
    let last = items.removeLast()
    slot.place = -1
    guard place < items.count else { return }
    put(last, at: place)
    settle(place)
  }

  mutating func update(_ slot: Slot, rank: Rank) {
    guard items.indices.contains(slot.place), items[slot.place].rank != rank else { return }
    items[slot.place].rank = rank
    settle(slot.place)
  }

  private mutating func put(_ item: (rank: Rank, slot: Slot), at place: Int) {
    items[place] = item
    item.slot.place = place
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
