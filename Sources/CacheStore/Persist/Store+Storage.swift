import ArrowData
import Primitives

// What is durable when it returns, where the store keeps its entries beyond its own life; as without `Durably` elsewhere. All changes of a
// key come one after the other: the file and the catalog have the same version last.
extension Store {
  var writer: StorageWriter? {
    guard let storage, let pending = tiers.pending else { return nil }
    return StorageWriter(storage: storage, pending: pending, tiers: tiers, turns: turns)
  }

  /// Waits until all that was changed before is in the storage; returns at once where changes are there when they return. Throws `.storage`
  /// where something cannot be written: it waits in memory, is tried again, and the next call tells how that went; `.interrupted`.
  public func flush(isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) {
    guard let writer else { return }
    try writer.pending.flush(isCancelled) { writer.drain() }
  }

  /// Makes a change that is written later, once there is room for it.
  private func later<Result>(
    _ writer: StorageWriter, _ byteCount: Int, _ isCancelled: (@Sendable () -> Bool)?, _ body: () throws(CacheError) -> Result
  ) throws(CacheError) -> Result {
    try writer.pending.reserve(byteCount, isCancelled) { writer.drain() }
    defer { writer.pending.giveBack(byteCount) }
    return try body()
  }

  /// As `remove`; the entry does not come back with the next store. Throws `.storage`, and the entry is still there, where that fails.
  public func removeDurably(_ key: String, isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Bool {
    try checkChangeable("remove '\(key)'")
    guard let storage else { return remove(key) }
    if let writer { return try later(writer, 0, isCancelled) { () throws(CacheError) in remove(key) } }
    defer { removeGone() }
    let folder = storage.folder(key)
    return try turns.alone(folder.path) { () throws(CacheError) in
      guard let entry = peek(key) else { return false }
      entry.keepMapped()
      try storage.forget(folder)
      return remove(key)
    }
  }

  /// As `clear`, an entry after the other.
  public func clearDurably(isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Int {
    try checkChangeable("clear")
    guard storage != nil else { return clear() }
    var count = 0
    for key in keys() {
      if isCancelled?() ?? false { throw CacheError(.interrupted, "clearing was cancelled: \(count) entries are gone, the others are there") }
      if try removeDurably(key, isCancelled: isCancelled) { count += 1 }
    }
    return count
  }

  /// As `updateTTL`.
  public func updateTTLDurably(_ key: String, ttl: Double?, isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Bool {
    try checkChangeable("change the time to live of '\(key)'")
    guard let storage else { return try updateTTL(key, ttl: ttl) }
    try validate(ttl: ttl)
    if let writer { return try later(writer, 0, isCancelled) { () throws(CacheError) in try updateTTL(key, ttl: ttl) } }
    let folder = storage.folder(key)
    return try turns.alone(folder.path) { () throws(CacheError) in
      guard let entry = peek(key) else { return false }
      let expiresAt = ttl.map { tiers.clock.now() + $0 }
      _ = try PersistWriter(entry, to: folder, options: options, expiresAt: expiresAt, isKept: nil, isCancelled: isCancelled).write()
      let isThere = tiers.change { catalog, now, dropped in
        guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
        catalog.setExpiry(slot, expiresAt)
        return true
      }
      if ttl != nil { tiers.housekeeper.wakeForExpiry(tiers) }
      return isThere
    }
  }

  /// Writes what is to become an entry before `insert` makes it one, where the store has a storage.
  func durably(
    _ label: Entry.Label, _ content: Entry.Content, _ holding: Holding, expiresAt: Double?, createdAt: Double,
    isCancelled: (@Sendable () -> Bool)?, check: () throws(CacheError) -> Void, insert: () throws(CacheError) -> Entry
  ) throws(CacheError) -> Entry {
    guard let storage else { return try insert() }
    if let writer { return try later(writer, content.sizeBytes, isCancelled, insert) }
    defer { removeGone() }
    let folder = storage.folder(label.key)
    return try turns.alone(folder.path) { () throws(CacheError) in
      try check()
      peek(label.key)?.keepMapped()
      let usage = Usage(createdAt: createdAt, expiresAt: expiresAt)
      let draft = Entry(label, content, version: 0, createdAt: createdAt, usage: usage, memos: tiers.memos)
      let order = tiers.catalog.withLock { Int(exactly: $0.reservePlace(holding)) }
      _ = try PersistWriter(draft, to: folder, options: options, expiresAt: expiresAt, isKept: nil, order: order, isCancelled: isCancelled).write()
      do throws(CacheError) {
        let entry = try insert()
        let names = draft.persisted.withLock { $0 }
        entry.persisted.withLock { $0.merge(names) { _, new in new } }
        return entry
      } catch {
        // Closed meanwhile: nobody else removes it.
        if error.code == .closed, options.deletesFilesOnClose { attempt { () throws(CacheError) in try storage.forget(folder) } }
        throw error
      }
    }
  }

  /// Removes the files of entries that have been evicted or have expired.
  func removeGone() {
    guard let storage else { return }
    let gone = tiers.gone.withLock { gone in
      defer { gone = [:] }
      return gone
    }
    for (key, files) in gone {
      let folder = storage.folder(key.text)
      attempt { () throws(CacheError) in
        try turns.alone(folder.path) { () throws(CacheError) in
          guard peek(key.text) == nil else { return }
          for file in files { file.keepMapped() }
          try storage.forget(folder)
        }
      }
    }
  }

  /// Brings back what is in the storage: no rows are read before they are asked for. What cannot be read stays where it is, and an event says so.
  func reopen(_ storage: Storage) throws(CacheError) {
    let now = tiers.clock.now()
    var warm: [(manifest: Manifest, found: Storage.Found)] = []
    for found in try storage.contents(opensParts: true) {
      if let expiresAt = found.manifest?.expiresAt, expiresAt <= now {
        attempt { () throws(CacheError) in try storage.forget(found.folder) }
      } else if let failure = found.failure {
        noteLost(found.manifest?.key ?? found.folder.path, failure.description)
      } else if let manifest = found.manifest {
        warm.append((manifest, found))
      }
    }
    var lastOrder = 0
    for (manifest, found) in warm.sorted(by: { $0.manifest.isBefore($1.manifest) }) {
      do throws(CacheError) {
        lastOrder = max(manifest.order ?? 0, lastOrder + 1)
        let entry = try insert(manifest.key, manifest, found.files, order: lastOrder)
        entry.persisted.withLock { $0[found.folder.path] = manifest.parts.map(\.name) }
      } catch {
        noteLost(manifest.key, error.description)
      }
    }
  }

  private func noteLost(_ key: String, _ cause: String) {
    tiers.events.record(.lost, key, version: 0, bytes: 0, from: .disk, cause: cause, at: tiers.clock.now())
  }
}

extension Entry {
  /// Maps what is in persisted files that are about to lose their names, for whoever still reads this version.
  func keepMapped() {
    for segment in segments {
      if let file = segment.file as? PersistedFile { attempt { () throws(CacheError) in try file.keepMapped() } }
    }
  }
}
