/// Evicts what has not been read for longest: a doubly linked list in reading order, O(1) throughout.
///
/// The list lies in an array, linked by index, so that dropping it does not recurse; freed places are reused.
final class LeastRecentlyUsed: EvictionPolicy {
  private struct Node {
    var slot: Slot?
    var newer: Int
    var older: Int
  }

  private static let none = -1
  private var nodes: [Node] = []
  private var free: [Int] = []
  private var newest = none
  private var oldest = none

  var victim: Slot? { oldest == Self.none ? nil : nodes[oldest].slot }

  func insert(_ slot: Slot) {
    let place = free.popLast() ?? nodes.count
    let node = Node(slot: slot, newer: Self.none, older: newest)
    if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    slot.place = place
    link(place)
  }

  func remove(_ slot: Slot) {
    guard slot.place >= 0 else { return }
    unlink(slot.place)
    nodes[slot.place].slot = nil
    free.append(slot.place)
    slot.place = -1
  }

  func touch(_ slot: Slot) {
    guard slot.place >= 0, slot.place != newest else { return }
    unlink(slot.place)
    nodes[slot.place].newer = Self.none
    nodes[slot.place].older = newest
    link(slot.place)
  }

  /// Makes `place` the newest; its own links are set.
  private func link(_ place: Int) {
    if newest != Self.none { nodes[newest].newer = place }
    newest = place
    if oldest == Self.none { oldest = place }
  }

  private func unlink(_ place: Int) {
    let (newer, older) = (nodes[place].newer, nodes[place].older)
    if newer == Self.none { newest = older } else { nodes[newer].older = older }
    if older == Self.none { oldest = newer } else { nodes[older].newer = newer }
  }
}
