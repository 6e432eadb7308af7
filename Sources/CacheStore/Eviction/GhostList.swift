/// Keys that were evicted, without their data, oldest first; O(1) throughout.
///
/// Bounded by the bytes that the entries held and, since those may be tiny, by number. Lies in an array as `ItemList` does.
struct GhostList {
  private struct Node {
    var keyHash: UInt64
    var byteCount: Int
    var newer: Int
    var older: Int
  }

  static let maximumCount = 1 << 17
  private static let none = -1
  private var places: [UInt64: Int] = [:]
  private var nodes: [Node] = []
  private var free: [Int] = []
  private var newest = none
  private var oldest = none
  /// What the entries held together.
  private(set) var byteCount = 0

  var count: Int { places.count }

  func contains(_ keyHash: UInt64) -> Bool { places[keyHash] != nil }

  /// The key becomes the newest.
  mutating func append(_ keyHash: UInt64, byteCount: Int) {
    _ = remove(keyHash)
    if count >= Self.maximumCount { removeOldest() }
    let place = free.popLast() ?? nodes.count
    let node = Node(keyHash: keyHash, byteCount: byteCount, newer: Self.none, older: newest)
    if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    if newest != Self.none { nodes[newest].newer = place }
    newest = place
    if oldest == Self.none { oldest = place }
    places[keyHash] = place
    self.byteCount += byteCount
  }

  /// Whether it was there.
  mutating func remove(_ keyHash: UInt64) -> Bool {
    guard let place = places.removeValue(forKey: keyHash) else { return false }
    let node = nodes[place]
    if node.newer == Self.none { newest = node.older } else { nodes[node.newer].older = node.older }
    if node.older == Self.none { oldest = node.newer } else { nodes[node.older].newer = node.newer }
    byteCount -= node.byteCount
    free.append(place)
    return true
  }

  mutating func removeOldest() {
    guard oldest != Self.none else { return }
    _ = remove(nodes[oldest].keyHash)
  }

  /// Forgets the oldest until no more than `limitBytes` are left.
  mutating func shrink(toBytes limitBytes: Int) { while byteCount > limitBytes, count > 0 { removeOldest() } }
}
