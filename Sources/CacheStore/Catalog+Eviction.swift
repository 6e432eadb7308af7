/// Which entry goes, where one has to.
extension Catalog {
  /// Takes out the entry that is least worth keeping, if there is one besides `sparing`.
  ///
  /// - Parameter tier: one that has rows there; nil: any.
  mutating func evict(_ cause: String, having tier: Tier? = nil, sparing: CacheKey?, _ dropped: inout [Dropped]) -> Slot? {
    let spared = sparing.flatMap { slots[$0] }
    let victim =
      switch tier {
      case .memory: residentVictim(sparing: spared)
      case .disk: spilledVictim(sparing: spared)
      default: eviction.victim(excluding: spared) as? Slot
      }
    if let victim { remove(victim, .evicted, cause, &dropped) }
    return victim
  }

  private mutating func residentVictim(sparing spared: Slot?) -> Slot? {
    // What is being put ranks too, and cannot be evicted.
    var aside: [EvictionItem] = []
    defer { for item in aside { spilling.restore(item) } }
    while let item = spilling.victim(excluding: spared?.holding) {
      if let holding = item as? Holding, let slot = slots[holding.key], slot.holding === holding { return slot }
      spilling.remove(item, isEvicted: false)
      aside.append(item)
    }
    return nil
  }

  /// What is in memory alone stays: it would free nothing.
  private mutating func spilledVictim(sparing spared: Slot?) -> Slot? {
    var aside: [EvictionItem] = []
    defer { for item in aside.reversed() { eviction.restore(item) } }
    while let item = eviction.victim(excluding: spared) {
      if let slot = item as? Slot, slot.holding.hasTemporaryFile { return slot }
      eviction.remove(item, isEvicted: false)
      aside.append(item)
    }
    return nil
  }
}
