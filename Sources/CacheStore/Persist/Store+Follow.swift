import ArrowData
import Primitives

// A store that only reads a storage takes over what its writer does, whenever it is asked for something. Without a reader, these are the
// calls that they are named after.
extension Store {
  /// How often what the writer takes away in between is looked for anew.
  private static let attempts = 16

  /// The current version of `key`, readable whatever becomes of its files; counts as `lookup` or, without `counting`, as `peek`.
  /// Throws `.storage` where it is damaged.
  public func find(_ key: String, counting: Bool) throws(CacheError) -> Entry? {
    guard let reader else { return counting ? lookup(key) : peek(key) }
    return try retrying { (attempt) throws(CacheError) in
      try follow(reader.folder(key), CacheKey(key), reader)
      guard let entry = counting && attempt == 0 ? lookup(key) : peek(key) else { return nil }
      for segment in entry.segments { try segment.file?.keepBytes() }
      return entry
    }
  }

  /// Again where another version has come, and has taken the files of the one that was looked at away.
  private func retrying<Result>(_ body: (_ attempt: Int) throws(CacheError) -> Result) throws(CacheError) -> Result {
    var attempt = 0
    while true {
      do throws(CacheError) { return try body(attempt) } catch {
        attempt += 1
        guard error.isMissingFile, attempt < Self.attempts else { throw error }
      }
    }
  }

  /// Takes over what has happened to any key, so that `keys`, `contents` and `status` tell of it. What is damaged is left out.
  public func followAll() throws(CacheError) {
    guard let reader else { return }
    let folders = try reader.folders()
    var fresh: [(folder: PersistedFolder, read: StorageReader.Read)] = []
    let found = Locked([StorageReader.Read?](repeating: nil, count: folders.count))
    try parallel(count: folders.count, threads: folders.count < 64 ? 1 : 2) { _, index throws(CacheError) in
      let folder = folders[index]
      do throws(CacheError) {
        if let status = try reader.status(folder), isCurrent(folder, status, reader) { return }
        let read = try reader.read(folder)
        found.withLock { $0[index] = read }
      } catch {
        noteDamage(folder, error)
      }
    }
    for (folder, read) in zip(folders, found.withLock { $0 }) { if let read { fresh.append((folder, read)) } }
    for (folder, read) in fresh.sorted(by: { $0.read.manifest.isBefore($1.read.manifest) }) {
      do throws(CacheError) {
        try retrying { (attempt) throws(CacheError) in try follow(folder, CacheKey(read.manifest.key), reader, attempt == 0 ? read : nil) }
      } catch {
        noteDamage(folder, error)
      }
    }
    let there = Set(folders.map(\.path))
    for path in reader.seenFolders() where !there.contains(path) {
      let folder = PersistedFolder(path: path, files: options.files)
      if let seen = reader.seen(folder) { try follow(folder, seen.key, reader) }
    }
  }

  /// Takes over what has happened to one key, which the manifest that has been read says unless there is another one by now.
  private func follow(
    _ folder: PersistedFolder, _ key: CacheKey, _ reader: StorageReader, _ known: StorageReader.Read? = nil
  ) throws(CacheError) {
    if let status = try reader.status(folder) {
      if isCurrent(folder, status, reader) { return }
    } else if reader.seen(folder) == nil, !has(key) {
      return
    }
    try turns.alone(folder.path) { () throws(CacheError) in
      // One that has been read outside may be older than what another thread has taken over meanwhile.
      let first = reader.seen(folder) == nil ? known : nil
      guard let read = try first == nil ? reader.read(folder) : first else {
        reader.forget(folder)
        return drop(key)
      }
      if let seen = reader.seen(folder), seen.hash == read.hash, has(key) || hasExpired(read.manifest.expiresAt) {
        return reader.note(folder, read)
      }
      if hasExpired(read.manifest.expiresAt) {
        drop(key)
      } else {
        let files = try PersistedFile.open(read.manifest, in: folder, mappings: reader.mappings, schemas: reader.schemas)
        let entry = try insert(read.manifest.key, read.manifest, files, order: read.manifest.order)
        entry.persisted.withLock { $0[folder.path] = read.manifest.parts.map(\.name) }
        if read.manifest.expiresAt != nil { tiers.housekeeper.wakeForExpiry(tiers) }
      }
      reader.note(folder, read)
    }
  }

  private func isCurrent(_ folder: PersistedFolder, _ status: FileStatus, _ reader: StorageReader) -> Bool {
    guard reader.isSame(folder, status), let seen = reader.seen(folder) else { return false }
    return has(seen.key) || hasExpired(seen.expiresAt)
  }

  private func has(_ key: CacheKey) -> Bool { tiers.catalog.withLock { $0.slots[key] != nil } }

  private func hasExpired(_ expiresAt: Double?) -> Bool { expiresAt.map { $0 <= tiers.clock.now() } ?? false }

  private func drop(_ key: CacheKey) {
    tiers.change { catalog, _, dropped in
      if let slot = catalog.slots[key] { catalog.remove(slot, .removed, "by the writer", &dropped) }
    }
  }

  /// Once for each folder.
  private func noteDamage(_ folder: PersistedFolder, _ error: CacheError) {
    guard reader?.isNewDamage(folder) ?? false else { return }
    tiers.events.record(.lost, folder.path, version: 0, bytes: 0, from: .disk, cause: error.description, at: tiers.clock.now())
  }

  /// Throws `.readOnly` in a store that only reads its storage.
  func checkChangeable(_ what: String) throws(CacheError) {
    guard let reader else { return }
    throw CacheError(
      .readOnly, "cannot \(what): the cache has '\(reader.path)' open for reading only; open it without read_only, where no other cache has it")
  }
}
