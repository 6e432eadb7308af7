/// What a store holds and what it has done so far. Bytes in memory count each buffer once, whichever entries share it.
public struct StoreStatus: Hashable, Sendable {
  public var entryCount = 0
  public var partitionCount = 0
  /// Bytes of the entries in memory, and of those that are being put.
  public var residentBytes = 0
  /// Memory that callers keep beside entries (`Entry.setMemo`).
  public var memoBytes = 0
  /// Memory that is taken for what is being made.
  public var reservedBytes = 0
  /// Memory of what is being put, where rows may not go to disk: it counts against the limit once it is known to fit.
  public var deferredBytes = 0
  /// Memory of rows that have left the store and are still read outside; not limited.
  public var leasedBytes = 0
  /// Memory of results of queries that callers hold; not limited.
  public var resultBytes = 0
  /// The most that entries, memos and reservations have taken together.
  public var highWaterBytes = 0
  public var limitBytes: Int?
  /// Bytes above which rows go to disk in the background.
  public var thresholdBytes: Int?
  /// Spill files, those of entries that are gone and still read included.
  public var diskBytes = 0
  public var diskFileCount = 0
  public var diskHighWaterBytes = 0
  public var diskLimitBytes: Int?
  /// Persisted files that entries have their rows in: loaded, opened again with the storage, or in place of a spill file. Not limited.
  public var persistedBytes = 0
  public var persistedFileCount = 0
  /// DuckDB's temporary files.
  public var queryDiskBytes = 0
  /// Entries that are pinned.
  public var pinnedCount = 0
  /// Changes that are not in the storage yet, and the bytes of their tables.
  public var pendingCount = 0
  public var pendingBytes = 0
  /// Writes to the storage in the background that failed, and the words of the last failure.
  public var persistFailures = 0
  public var lastPersistFailure: String?
  public var hits = 0
  public var misses = 0
  public var tiers = TierCounters()

  public var evictedCount: Int { tiers.evicted.count }
  /// In memory and on disk.
  public var evictedBytes: Int { tiers.evicted.bytes }
  public var expiredCount: Int { tiers.expired.count }
  public var expiredBytes: Int { tiers.expired.bytes }

  /// Bytes of the entries, in memory and on disk.
  public var currentSizeBytes: Int { residentBytes.saturatingSum(diskBytes).saturatingSum(persistedBytes) }
}

extension Store {
  /// The counters at one instant, without what has expired.
  public func status() -> StoreStatus {
    let queryBytes = tiers.folder?.queryBytes() ?? 0
    var status = tiers.change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return StoreStatus(
        entryCount: catalog.slots.count, partitionCount: catalog.partitionCount, limitBytes: options.memoryLimitBytes,
        thresholdBytes: tiers.folder == nil ? nil : options.thresholdBytes, diskLimitBytes: options.diskLimitBytes,
        queryDiskBytes: queryBytes, pinnedCount: catalog.pins.keys.count { catalog.slots[$0] != nil }, hits: catalog.hits,
        misses: catalog.misses)
    }
    let totals = tiers.memory.totals
    (status.residentBytes, status.memoBytes, status.reservedBytes) = (totals.resident - totals.deferred, totals.memos, totals.reserved)
    (status.deferredBytes, status.resultBytes) = (totals.deferred, totals.results)
    (status.leasedBytes, status.highWaterBytes) = (totals.leased, totals.highWater)
    (status.diskBytes, status.diskFileCount, status.diskHighWaterBytes) = (tiers.disk.bytes, tiers.disk.fileCount, tiers.disk.highWater)
    if let pending = tiers.pending?.status {
      (status.pendingCount, status.pendingBytes) = (pending.count, pending.byteCount)
      (status.persistFailures, status.lastPersistFailure) = (pending.failures, pending.lastFailure)
    }
    (status.persistedBytes, status.persistedFileCount) = (tiers.persisted.bytes, tiers.persisted.fileCount)
    status.tiers = tiers.counters.withLock { $0 }
    return status
  }
}
