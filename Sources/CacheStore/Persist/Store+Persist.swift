import Primitives

extension Store {
  /// Writes the current version of an entry to a folder of its own in `parent`, which is made where it is not there; false where there is
  /// no entry. Is no access. `load` brings it back, in any process.
  ///
  /// A snapshot: others read and write the key meanwhile. It is durable, whole or not at all, when this returns; only partitions that are not
  /// there yet are written, with an `encoder` in the format that it makes. Throws `.storage` where the disk fails or another process writes there, `.interrupted`.
  @discardableResult
  public func persist(
    _ key: String, in parent: String, encoder: (format: PartFormat, encode: PartEncoder)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Bool {
    guard var entry = try find(key, counting: false) else { return false }
    let path = try storagePath(parent)
    let folder = PersistedFolder(key: key, in: path, files: options.files)
    if path != storage?.path { try Storage.requireNoOwner(path, options.files) }
    if let encoder, storage?.folder(key).path == folder.path {
      throw CacheError(.argument, "the cache maps what is in its own storage '\(folder.path)': persist as \(encoder.format.rawValue) to another folder")
    }
    if folder.path == reader?.folder(key).path { try checkChangeable("persist '\(key)' there") }
    let started = SteadyClock.seconds()
    let byteCount = try persisting(key, folder, isCancelled: isCancelled) { () throws(CacheError) in
      // Of the storage it is the version that the others find there.
      if storage?.folder(key).path == folder.path, let latest = peek(key) { entry = latest }
      let writer = PersistWriter(entry, to: folder, options: options, expiresAt: entry.access.expiresAt, isKept: true, isCancelled: isCancelled)
      guard let encoder else { return try writer.write() }
      return try writer.write(encoder.format, encoder.encode)
    }
    tiers.events.record(
      .persisted, key, version: entry.version, bytes: byteCount, to: .disk, cause: "persist", seconds: SteadyClock.seconds() - started,
      at: tiers.clock.now())
    return true
  }

  func storagePath(_ parent: String) throws(CacheError) -> String {
    guard !parent.isEmpty, !parent.utf8.contains(0) else {
      throw CacheError(.argument, "storage_dir is empty or has a zero byte: give the path of a folder")
    }
    return try absolutePath(parent)
  }

  /// Runs `body` while no other call of this store writes to the folder, and all changes of the key are in it where it is the storage's.
  func persisting<Result>(
    _ key: String, _ folder: PersistedFolder, isCancelled: (@Sendable () -> Bool)?, _ body: () throws(CacheError) -> Result
  ) throws(CacheError) -> Result {
    while true {
      let isPending = storage?.folder(key).path == folder.path ? tiers.pending : nil
      if isPending != nil { try flush(isCancelled: isCancelled) }
      let result = try turns.alone(folder.path) { () throws(CacheError) -> Result? in
        if let isPending, isPending.contains(CacheKey(key)) { return nil }
        return try body()
      }
      if let result { return result }
    }
  }
}
