import ArrowData

/// An entry's place in the catalog; only touched under the catalog's lock.
///
/// As an item it has a place in the order of eviction.
final class Slot: EvictionItem {
  let entry: Entry
  let usage: Usage
  let holding: Holding
  let key: CacheKey
  /// Its place among the keys, by first put.
  let ordinal: UInt64

  init(entry: Entry, key: CacheKey, holding: Holding, ordinal: UInt64, expiresAt: Double?, lastAccess: UInt64) {
    (self.entry, usage, self.holding, self.key, self.ordinal) = (entry, entry.usage, holding, key, ordinal)
    super.init(
      keyHash: key.stableHash, byteCount: entry.sizeBytes, sequence: entry.version, lastAccess: lastAccess,
      rebuildSeconds: entry.buildSeconds, expiresAt: expiresAt)
    (holding.version, holding.memos) = (entry.version, entry.memos)
  }

  /// Whether this is the version that the item in the queue is about, with the time it has.
  func awaits(_ item: ExpiryQueue.Item) -> Bool { entry.version == item.version && expiresAt == item.expiresAt }

  /// What the entry has in memory, and on disk. Buffers that segments share count with each, but never to more than the whole entry.
  var occupied: (memory: Int, disk: Int) {
    let sums = holding.segments.reduce(into: (memory: 0, disk: 0)) { sums, segment in
      let placement = segment.placement
      if placement.tier != .disk { sums.memory = sums.memory.saturatingSum(segment.byteCount) }
      sums.disk = sums.disk.saturatingSum(placement.diskBytes)
    }
    return (min(sums.memory, entry.sizeBytes), sums.disk)
  }
}
