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
  var accessCount = 0
  /// Grows with every access in the store.
  var lastAccess: UInt64
  /// Where the eviction policy keeps it; -1: it does not.
  var place = -1

  init(entry: Entry, key: CacheKey, spans: [BufferSpan], sequence: UInt64, expiresAt: Double?, lastAccess: UInt64) {
    (self.entry, self.key, self.spans, self.sequence) = (entry, key, spans, sequence)
    (self.expiresAt, self.lastAccess) = (expiresAt, lastAccess)
  }

  /// Whether this is the version that the item in the queue is about, with the time it has.
  func awaits(_ item: ExpiryQueue.Item) -> Bool { entry.version == item.version && expiresAt == item.expiresAt }
}
