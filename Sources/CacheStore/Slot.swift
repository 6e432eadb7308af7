import ArrowData

/// An entry's place in the catalog; only touched under the catalog's lock.
final class Slot {
  let entry: Entry
  let key: CacheKey
  /// The distinct buffers of the entry, as the ledger counts them.
  let spans: [BufferSpan]
  /// Its place among the keys, by first put.
  let sequence: UInt64
  var expiresAt: Double?
  /// What the eviction policy ranks.
  let eviction: EvictionItem

  init(entry: Entry, key: CacheKey, spans: [BufferSpan], sequence: UInt64, expiresAt: Double?, lastAccess: UInt64) {
    (self.entry, self.key, self.spans, self.sequence) = (entry, key, spans, sequence)
    self.expiresAt = expiresAt
    eviction = EvictionItem(
      keyHash: key.stableHash, byteCount: entry.sizeBytes, sequence: entry.version, lastAccess: lastAccess,
      rebuildSeconds: entry.buildSeconds, expiresAt: expiresAt)
    eviction.owner = self
  }

  /// Whether this is the version that the item in the queue is about, with the time it has.
  func awaits(_ item: ExpiryQueue.Item) -> Bool { entry.version == item.version && expiresAt == item.expiresAt }
}
