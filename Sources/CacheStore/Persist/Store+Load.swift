import ArrowData
import CArrow
import Primitives

extension Store {
  /// How often what another process swaps in meanwhile is looked for.
  private static let attempts = 8

  /// Brings back what `persist` has written to `parent`, in place of what is there under `key`; false where nothing of that key is there, or
  /// its time to live is over.
  ///
  /// Files are mapped, not read: rows come when they are asked for, and the bytes of a column are compared with their checksums then;
  /// `isVerified` compares all of them before. Throws `.storage` where something is missing or damaged, `.type` where it is of a later format;
  /// nothing has changed then.
  @discardableResult
  public func load(
    _ key: String, from parent: String, isVerified: Bool = false, decoder: PartDecoder? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Bool {
    try checkChangeable("load '\(key)'")
    guard !key.isEmpty else { throw CacheError(.argument, "the key is empty: use any other text") }
    let path = try storagePath(parent)
    if let status = try options.files.status(path), !status.isFolder {
      throw CacheError(.storage, "cannot load from '\(path)': it is not a folder")
    }
    let folder = PersistedFolder(key: key, in: path, files: options.files)
    var found = try Manifest.read(in: folder.path, files: options.files)
    var attempt = 0
    while let manifest = found {
      attempt += 1
      do throws(CacheError) {
        try manifest.require(key, in: folder)
        guard (manifest.expiresAt ?? .infinity) > tiers.clock.now() else { return false }
        return manifest.format == .arrow
          ? try map(manifest, key, folder, isVerified, isCancelled)
          : try read(manifest, key, folder, decoder, isCancelled)
      } catch {
        // Another version has come in between, and has taken the files of this one away.
        guard error.isMissingFile, attempt < Self.attempts else { throw error }
        found = try Manifest.read(in: folder.path, files: options.files)
        guard found?.encoded != manifest.encoded else { throw error }
      }
    }
    return false
  }

  /// Maps the parts. In the store's own folder another thread may have written since `found` was read: it is read anew there, beside nobody.
  private func map(
    _ found: Manifest, _ key: String, _ folder: PersistedFolder, _ isVerified: Bool, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(CacheError) -> Bool {
    let isOwn = storage?.folder(key).path == folder.path
    func bring(_ manifest: Manifest?) throws(CacheError) -> (manifest: Manifest, entry: Entry)? {
      guard let manifest, (manifest.expiresAt ?? .infinity) > tiers.clock.now() else { return nil }
      let opened = try open(manifest, key, folder, isVerified, isCancelled)
      return (manifest, try insert(key, manifest, opened, isDurable: storage == nil || isOwn, isCancelled: isCancelled))
    }
    let brought =
      isOwn
      ? try persisting(key, folder, isCancelled: isCancelled) { () throws(CacheError) in
        try bring(try Manifest.read(in: folder.path, files: options.files))
      }
      : try bring(found)
    guard let (manifest, entry) = brought else { return false }
    entry.persisted.withLock { $0[folder.path] = manifest.parts.map(\.name) }
    if manifest.expiresAt != nil { tiers.housekeeper.wakeForExpiry(tiers) }
    tiers.events.record(.put, key, version: entry.version, bytes: entry.sizeBytes, to: .disk, cause: "load", at: tiers.clock.now())
    return true
  }

  /// Reads parts that cannot be mapped.
  private func read(
    _ manifest: Manifest, _ key: String, _ folder: PersistedFolder, _ decoder: PartDecoder?, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(CacheError) -> Bool {
    guard let decoder else {
      throw CacheError(
        .type, "'\(folder.path)' has files of the format \(manifest.format.rawValue), which only Python's arrow_cache loads; any reader of that format opens them")
    }
    let parts = try EncodedParts(manifest, in: folder, isCancelled: isCancelled, decode: decoder)
    var stream = ArrowArrayStream()
    exportStream(parts, to: &stream)
    let entry: Entry
    do throws(CacheError) {
      entry = try put(
        key: key, stream: try StreamReader(moving: &stream), kind: manifest.kind, userMetadata: manifest.userMetadata, ttl: nil, overwrite: true,
        autoPartition: nil, copyColumns: nil, copyAll: false, buildSeconds: manifest.buildSeconds,
        restored: (manifest.createdAt, manifest.expiresAt), isCancelled: isCancelled)
    } catch {
      throw parts.failure ?? error
    }
    if manifest.expiresAt != nil { tiers.housekeeper.wakeForExpiry(tiers) }
    if entry.partitions.map(\.rowCount) == manifest.parts.map(\.rowCount) {
      for (index, part) in manifest.parts.enumerated() { entry.keep(part.statistics, partition: index) }
      entry.persisted.withLock { $0[folder.path] = manifest.parts.map(\.name) }
    }
    return true
  }

  private func open(
    _ manifest: Manifest, _ key: String, _ folder: PersistedFolder, _ isVerified: Bool, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(CacheError) -> [PersistedFile] {
    try manifest.require(key, in: folder)
    var opened: [PersistedFile] = []
    for index in manifest.parts.indices {
      if isCancelled?() ?? false { throw CacheError(.interrupted, "loading '\(key)' was cancelled") }
      opened.append(
        try PersistedFile(index, of: manifest, in: folder, schema: opened.first?.schema, isVerified: isVerified, threadCount: options.threadCount))
    }
    return opened
  }

  /// `isDurable`: the files are those of the storage, where the store has one.
  func insert(
    _ key: String, _ manifest: Manifest, _ opened: [PersistedFile], isDurable: Bool = true, order: Int? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Entry {
    let name = CacheKey(key)
    let usage = Usage(createdAt: tiers.clock.now(), expiresAt: manifest.expiresAt)
    let holding = try tiers.change { (catalog, now, dropped) throws(CacheError) -> Holding in
      if catalog.isClosed { throw CacheError(.closed, "the cache is closed: open a new one") }
      let holding = catalog.beginHolding(name, usage: usage, buildSeconds: manifest.buildSeconds, expiresAt: manifest.expiresAt)
      if let order { catalog.restorePlace(holding, UInt64(order)) }
      return holding
    }
    for file in opened { file.count(in: tiers.persisted) }
    var segments: [Segment] = []
    var partitions: [Partition] = []
    var (rowCount, sizeBytes) = (0, 0)
    for (part, file) in zip(manifest.parts, opened) where file.rowCount > 0 {
      guard !rowCount.addingReportingOverflow(file.rowCount).overflow else { throw CacheError(.storage, "'\(key)' has more rows than can be counted") }
      let segment = Segment(
        schema: file.schema, rowCount: file.rowCount, byteCount: part.memoryBytes, pieces: file.pieces, usage: usage, tiers: tiers,
        content: .file(file), cause: "load", now: tiers.clock.now())
      partitions.append(
        Partition(
          firstRow: rowCount, rowCount: file.rowCount, slices: [SegmentSlice(segmentIndex: segments.count, offset: 0, count: file.rowCount)]))
      segments.append(segment)
      rowCount += file.rowCount
      sizeBytes = sizeBytes.saturatingSum(part.memoryBytes)
    }
    let content = Entry.Content(
      schema: opened.first?.schema ?? Schema(fields: []), segments: segments, rowCount: rowCount, sizeBytes: sizeBytes, partitions: partitions)
    let label = Entry.Label(key: key, kind: manifest.kind, userMetadata: manifest.userMetadata, buildSeconds: manifest.buildSeconds)
    let memos = tiers.memos
    do throws(CacheError) {
      func swap() throws(CacheError) -> Entry {
        try tiers.change { (catalog, now, dropped) throws(CacheError) -> Entry in
          if catalog.isClosed { throw CacheError(.closed, "the cache is closed: open a new one") }
          for segment in segments { catalog.append(segment, to: holding) }
          return catalog.insert(name, holding, expiresAt: manifest.expiresAt, isStored: isDurable, &dropped) { version in
            Entry(label, content, version: version, createdAt: manifest.createdAt, usage: usage, memos: memos)
          }
        }
      }
      let entry =
        isDurable
        ? try swap()
        : try durably(label, content, holding, expiresAt: manifest.expiresAt, createdAt: manifest.createdAt, isCancelled: isCancelled, check: {}, insert: swap)
      for (index, part) in manifest.parts.enumerated() { entry.keep(part.statistics, partition: index) }
      return entry
    } catch {
      tiers.catalog.withLock { $0.discard(holding) }
      throw error
    }
  }
}

extension Manifest {
  /// Throws where the folder has another key's entry.
  fileprivate func require(_ key: String, in folder: PersistedFolder) throws(CacheError) {
    guard self.key.utf8.elementsEqual(key.utf8) else {
      throw CacheError(.storage, "'\(folder.path)' has the entry '\(self.key)', not '\(key)': load it from another folder")
    }
  }
}
