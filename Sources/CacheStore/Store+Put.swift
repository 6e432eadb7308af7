import ArrowData
import Primitives

extension Store {
  /// Reads the stream to its end and keeps its rows under `key`, in place of what was there.
  ///
  /// The stream is read, columns are copied, and room is made with no lock held; the swap is one short lock. On error the entry of before
  /// is still there. Blocks while other rows go to disk for these. Where rows may not go to disk, other entries go once it is whole: so it
  /// may take as much memory again as the limit while it is read.
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
  ///   - isCancelled: asked now and then while it is written to the storage: true throws `.interrupted`.
  ///   - expectedBytes: what the table will take at least, where that is known: one that cannot fit is refused before anything goes for it.
  public func put(
    key: String, stream: StreamReader, kind: String, userMetadata: String, ttl: Double?, overwrite: Bool, autoPartition: Bool?,
    copyColumns: Set<Int>?, copyAll: Bool, buildSeconds: Double? = nil, expectedBytes: Int? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Entry {
    try put(
      key: key, stream: stream, kind: kind, userMetadata: userMetadata, ttl: ttl, overwrite: overwrite, autoPartition: autoPartition,
      copyColumns: copyColumns, copyAll: copyAll, buildSeconds: buildSeconds, expectedBytes: expectedBytes, restored: nil, isCancelled: isCancelled)
  }

  /// `restored`: the entry was made then, and expires then, in place of now and `ttl`.
  func put(
    key: String, stream: StreamReader, kind: String, userMetadata: String, ttl: Double?, overwrite: Bool, autoPartition: Bool?,
    copyColumns: Set<Int>?, copyAll: Bool, buildSeconds: Double?, expectedBytes: Int? = nil, restored: (createdAt: Double, expiresAt: Double?)?,
    isCancelled: (@Sendable () -> Bool)?
  ) throws(CacheError) -> Entry {
    defer { stream.close() }
    try checkChangeable("put '\(key)'")
    guard !key.isEmpty else { throw CacheError(.argument, "the key is empty: use any other text") }
    try validate(ttl: ttl)
    if let field = stream.schema.fields.first(where: { $0.encodedFormat != nil }) {
      throw CacheError(.type, "column '\(field.name)' has the metadata of a column that a cache has encoded: drop the field's metadata before it is put")
    }
    try checkExpected(expectedBytes, key)
    let name = CacheKey(key)
    let createdAt = restored?.createdAt ?? tiers.clock.now()
    let usage = Usage(createdAt: createdAt, expiresAt: nil)
    let (holding, replaced) = try tiers.change { (catalog, now, dropped) throws(CacheError) -> (Holding, [BufferSpan]) in
      try catalog.checkPut(name, overwrite, now, &dropped)
      // The old version, where it cannot leave memory, is there beside the new one for a while.
      let stuck = tiers.folder == nil || catalog.pins[name] != nil ? catalog.slots[name] : nil
      return (
        catalog.beginHolding(name, usage: usage, buildSeconds: buildSeconds, expiresAt: restored.map(\.expiresAt) ?? ttl.map { now + $0 }),
        stuck?.holding.segments.flatMap(\.chargedSpans) ?? []
      )
    }
    do throws(CacheError) {
      let isPartitioned = autoPartition ?? options.autoPartition
      var request = RoomRequest(purpose: "'\(key)'", sparing: name, allowance: tiers.memory.bytesHeld(byNoneBesides: replaced))
      request.evicts = tiers.folder == nil
      request.deferral = tiers.folder == nil && options.memoryLimitBytes != nil ? Deferral(tiers.memory) : nil
      var intake = Intake(
        schema: stream.schema, copying: copyAll ? .everything : .columns(copyColumns ?? []),
        plan: PartitionPlan(
          maximumRows: isPartitioned ? options.partitionSizeRows : .max, maximumBytes: isPartitioned ? options.partitionSizeBytes : .max),
        holding: holding, request: request, replaced: replaced, tiers: tiers)
      try intake.read(stream)
      if let deferral = intake.request.deferral { try tiers.admit(deferral, intake.request) }
      let content = intake.content
      let label = Entry.Label(key: key, kind: kind, userMetadata: userMetadata, buildSeconds: buildSeconds)
      let memos = tiers.memos
      let expiresAt = restored.map(\.expiresAt) ?? ttl.map { tiers.clock.now() + $0 }
      func check() throws(CacheError) {
        try tiers.change { (catalog, now, dropped) throws(CacheError) in try catalog.checkPut(name, overwrite, now, &dropped) }
      }
      func insert() throws(CacheError) -> Entry {
        try tiers.change { (catalog, now, dropped) throws(CacheError) -> Entry in
          try catalog.checkPut(name, overwrite, now, &dropped)
          _ = catalog.expireDue(now, &dropped)
          usage.recordExpiry(expiresAt)
          return catalog.insert(name, holding, expiresAt: expiresAt, &dropped) { version in
            Entry(label, content, version: version, createdAt: storage == nil && restored == nil ? now : createdAt, usage: usage, memos: memos)
          }
        }
      }
      let entry = try durably(label, content, holding, expiresAt: expiresAt, createdAt: createdAt, isCancelled: isCancelled, check: check, insert: insert)
      tiers.events.record(.put, key, version: entry.version, bytes: entry.sizeBytes, to: .memory, cause: kind, at: entry.createdAt)
      if ttl != nil { tiers.housekeeper.wakeForExpiry(tiers) }
      return entry
    } catch {
      tiers.catalog.withLock { $0.discard(holding) }
      if error.code == .memoryLimit {
        tiers.counters.withLock { $0.refusedCount += 1 }
        tiers.events.record(.refused, key, version: 0, bytes: holding.byteCount, cause: error.message, at: tiers.clock.now())
      }
      throw error
    }
  }
}

extension Store {
  private func checkExpected(_ expectedBytes: Int?, _ key: String) throws(CacheError) {
    guard let expectedBytes, let limit = options.memoryLimitBytes, options.compression == .none else { return }
    let disk = options.spillsToDisk ? options.diskLimitBytes ?? .max : 0
    guard expectedBytes > limit.saturatingSum(disk) else { return }
    tiers.counters.withLock { $0.refusedCount += 1 }
    let message = "'\(key)' needs about \(expectedBytes) bytes, the memory limit is \(limit) and the disk limit \(disk): raise one of them or put less"
    tiers.events.record(.refused, key, version: 0, bytes: expectedBytes, cause: message, at: tiers.clock.now())
    throw CacheError(.memoryLimit, message)
  }
}

extension Catalog {
  fileprivate mutating func checkPut(
    _ key: CacheKey, _ overwrite: Bool, _ now: Double, _ dropped: inout [Dropped]
  ) throws(CacheError) {
    if isClosed { throw CacheError(.closed, "the cache is closed: open a new one") }
    if !overwrite, live(key, now, &dropped) != nil {
      throw CacheError(.keyExists, "'\(key.text)' is there already: remove it first or put with overwrite")
    }
  }
}
