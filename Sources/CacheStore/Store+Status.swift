/// What a store holds and what it has done so far. Bytes count each buffer once, whichever entries share it.
public struct StoreStatus: Hashable, Sendable {
  public var entryCount = 0
  public var partitionCount = 0
  public var currentSizeBytes = 0
  public var limitBytes: Int?
  /// Memory that callers keep beside entries (`Entry.setMemo`); not in `currentSizeBytes`, but within the limit.
  public var memoBytes = 0
  /// Entries that are pinned.
  public var pinnedCount = 0
  public var hits = 0
  public var misses = 0
  public var evictedCount = 0
  public var evictedBytes = 0
  public var expiredCount = 0
  public var expiredBytes = 0
}

extension Store {
  /// The counters at one instant, without what has expired.
  public func status() -> StoreStatus {
    var status = change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return StoreStatus(
        entryCount: catalog.slots.count, partitionCount: catalog.partitionCount, currentSizeBytes: catalog.ledger.totalBytes,
        limitBytes: options.memoryLimitBytes, pinnedCount: catalog.pins.keys.count { catalog.slots[$0] != nil }, hits: catalog.hits,
        misses: catalog.misses, evictedCount: catalog.evicted.count, evictedBytes: catalog.evicted.bytes,
        expiredCount: catalog.expired.count, expiredBytes: catalog.expired.bytes)
    }
    status.memoBytes = memoBudget.memoBytes
    return status
  }
}
