import ArrowData
import Primitives

extension Store {
  /// Reads the stream to its end and keeps its rows under `key`, in place of what was there.
  ///
  /// The stream is read, and columns are copied, with no lock held; the swap is one short lock. On error nothing has changed.
  ///
  /// - Parameters:
  ///   - kind: a word of the caller's that comes back with the entry.
  ///   - userMetadata: JSON text of the caller's.
  ///   - ttl: seconds to live from the end of the put; nil: for ever, whatever the old entry had.
  ///   - overwrite: false throws `.keyExists`, before the stream is read, where the key is there.
  ///   - autoPartition: whether to cut the rows into partitions; nil: as the store's options say.
  ///   - copyColumns: columns to copy into private memory; the others stay shared with their producer.
  ///   - copyAll: copies every column.
  ///   - buildSeconds: how long it took to make what is put.
  public func put(
    key: String, stream: StreamReader, kind: String, userMetadata: String, ttl: Double?, overwrite: Bool, autoPartition: Bool?,
    copyColumns: Set<Int>?, copyAll: Bool, buildSeconds: Double? = nil
  ) throws(CacheError) -> Entry {
    defer { stream.close() }
    guard !key.isEmpty else { throw CacheError(.argument, "the key is empty: use any other text") }
    try validate(ttl: ttl)
    let name = CacheKey(key)
    try change { (catalog, now, dropped) throws(CacheError) in try catalog.checkPut(name, overwrite, now, &dropped) }

    let isPartitioned = autoPartition ?? options.autoPartition
    var table = TableBuilder(
      schema: stream.schema,
      copying: copyAll ? .everything : copyColumns.map { $0.isEmpty ? .nothing : .columns($0) } ?? .nothing,
      plan: PartitionPlan(
        maximumRows: isPartitioned ? options.partitionSizeRows : .max, maximumBytes: isPartitioned ? options.partitionSizeBytes : .max))
    try table.read(stream, key: key, limitBytes: options.memoryLimitBytes)
    let finished = table
    let partitions = finished.partitions
    let memoBudget = memoBudget
    var memos: [AnyObject] = []
    defer { withExtendedLifetime(memos) {} }

    return try change { (catalog, now, dropped) throws(CacheError) -> Entry in
      try catalog.checkPut(name, overwrite, now, &dropped)
      _ = catalog.expireDue(now, &dropped)
      let expiresAt = ttl.map { now + $0 }
      let content = Catalog.Content(
        key: name, spans: finished.buffers.spans, partitionCount: partitions.count,
        make: { version in
          Entry(
            key: key, version: version, kind: kind, userMetadata: userMetadata, schema: finished.schema, batches: finished.batches,
            rowCount: finished.rowCount, partitions: partitions, sizeBytes: finished.buffers.totalBytes, createdAt: now,
            expiresAt: expiresAt, buildSeconds: buildSeconds, memoBudget: memoBudget)
        }, expiresAt: expiresAt)
      if let limitBytes = options.memoryLimitBytes, memoBudget.memoBytes > 0,
        limitBytes - catalog.ledger.totalBytes - memoBudget.memoBytes < finished.buffers.totalBytes
      {
        for slot in catalog.slots.values { memos += slot.entry.takeMemos() }
      }
      return try catalog.insert(content, limitBytes: options.memoryLimitBytes, &dropped)
    }
  }
}

extension Catalog {
  fileprivate mutating func checkPut(
    _ key: CacheKey, _ overwrite: Bool, _ now: Double, _ dropped: inout [Slot]
  ) throws(CacheError) {
    if isClosed { throw CacheError(.closed, "the cache is closed: open a new one") }
    if !overwrite, live(key, now, &dropped) != nil {
      throw CacheError(.keyExists, "'\(key.text)' is there already: remove it first or put with overwrite")
    }
  }
}
