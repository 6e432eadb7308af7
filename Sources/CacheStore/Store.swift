import ArrowData
import Primitives

/// Tables under keys, in memory within a limit, and on disk beyond it.
///
/// Every call is safe from any thread. A reader holds an `Entry`, which stays whole whatever happens to its key. No call of a
/// producer, no file, and no release of memory, is waited for while the store is locked.
public final class Store: @unchecked Sendable {
  /// Expired entries that a read takes out besides its own, so that it stays short.
  private static let expiredPerRead = 16

  public let options: StoreOptions
  let tiers: Tiers
  let turns = FolderTurns()
  /// nil: entries end with the store.
  let storage: Storage?
  /// nil: there is no storage, or it is the store's own.
  let reader: StorageReader?

  /// Throws `.configuration` where an option cannot be. Nothing is made on disk before rows go there.
  public init(options: StoreOptions, clock: any Clock = SystemClock()) throws(CacheError) {
    try options.validate()
    self.options = options
    let reader = try options.readsStorageOnly ? options.storagePath.map { path throws(CacheError) in
      try StorageReader(path, files: options.files)
    } : nil
    let storage = try reader != nil ? nil : options.storagePath.map { path throws(CacheError) in
      try Storage(path, deletesFilesOnClose: options.deletesFilesOnClose, files: options.files)
    }
    do throws(CacheError) {
      tiers = try Tiers(options: options, clock: clock, storagePath: storage?.path)
    } catch {
      storage?.abandon()
      throw error
    }
    (self.storage, self.reader) = (storage, reader)
    try followAll()
    guard let storage else { return }
    do throws(CacheError) {
      try reopen(storage)
    } catch {
      storage.abandon()
      throw error
    }
    if let writer, options.hasBackground { writer.pending.start { writer.run() } }
  }

  deinit { close() }

  /// The current version of `key`; counts a hit or a miss and is an access. What has expired is not there.
  public func lookup(_ key: String) -> Entry? { read(CacheKey(key), counting: true) }

  /// As `lookup`, without counting and without being an access.
  public func peek(_ key: String) -> Entry? { read(CacheKey(key), counting: false) }

  public func contains(_ key: String) -> Bool { peek(key) != nil }

  /// Takes the entry out; false where there was none.
  public func remove(_ key: String) -> Bool {
    tiers.change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.remove(slot, .removed, "remove", &dropped)
      return true
    }
  }

  /// Takes every entry out; returns how many.
  public func clear() -> Int {
    tiers.change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      let count = catalog.slots.count
      catalog.removeAll("clear", &dropped)
      return count
    }
  }

  /// The keys in the order of their first put, without what has expired.
  public func keys() -> [String] {
    let found = tiers.change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return catalog.slots.values.map { (ordinal: $0.ordinal, key: $0.key.text) }
    }
    return found.sorted { $0.ordinal < $1.ordinal }.map(\.key)
  }

  /// Lets the entry live for `ttl` seconds from now, or for ever (nil); false where there is none.
  /// Throws `.argument` for a time that is not positive and finite.
  public func updateTTL(_ key: String, ttl: Double?) throws(CacheError) -> Bool {
    try validate(ttl: ttl)
    let isThere = tiers.change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.setExpiry(slot, ttl.map { now + $0 })
      return true
    }
    if ttl != nil { tiers.housekeeper.wakeForExpiry(tiers) }
    return isThere
  }

  /// Keeps the key in memory as it is, neither spilled nor evicted, until `unpin` has been called as often; false where there is no entry.
  /// The pin stays when the entry is replaced. Time to live, `remove` and `clear` are not held up.
  public func pin(_ key: String) -> Bool {
    tiers.change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.pin(slot)
      return true
    }
  }

  public func unpin(_ key: String) { tiers.change { catalog, _, _ in catalog.unpin(CacheKey(key)) } }

  /// Takes out what has expired; returns how many.
  public func purgeExpired() -> Int { tiers.change { catalog, now, dropped in catalog.expireDue(now, &dropped) } }

  /// What the background thread does, at once.
  public func housekeep() { _ = tiers.housekeep() }

  /// What has happened, oldest first: the last 10 000 events.
  public var events: [StoreEvent] { tiers.events.events }

  /// A folder beside the spill files for what queries write, in the same account. Throws `.storage` where it cannot be made, or rows may
  /// not go to disk.
  public func temporaryFolder() throws(CacheError) -> String {
    guard let folder = tiers.folder else { throw CacheError(.storage, "spill_to_disk is off: nothing goes to disk") }
    return try folder.queryFolder
  }

  /// What the disk limit leaves to queries; nil: no limit.
  public var temporaryLimitBytes: Int? { options.diskLimitBytes.map { max(0, $0 - tiers.disk.bytes) } }

  /// Takes everything out, and removes the files; a put after that throws `.closed`, reads find nothing. A second call does nothing.
  ///
  /// Entries that are held outside stay readable, from mapped files too.
  public func close() {
    tiers.housekeeper.stop()
    tiers.change { catalog, _, _ in catalog.isClosed = true }
    if let writer { writer.pending.stop(discards: options.deletesFilesOnClose) { writer.drain() } }
    removeGone()
    if options.deletesFilesOnClose, storage != nil { for slot in tiers.catalog.withLock({ Array($0.slots.values) }) { slot.entry.keepMapped() } }
    tiers.change { catalog, _, dropped in catalog.removeAll("close", &dropped) }
    tiers.folder?.close()
    storage?.close()
  }

  private func read(_ key: CacheKey, counting: Bool) -> Entry? {
    tiers.change { catalog, now, dropped in
      let slot = catalog.live(key, now, &dropped)
      _ = catalog.expireDue(now, limit: Self.expiredPerRead, &dropped)
      if counting { catalog.count(slot, now) }
      return slot?.entry
    }
  }
}

func validate(ttl: Double?) throws(CacheError) {
  guard let ttl else { return }
  guard ttl > 0, ttl.isFinite else {
    throw CacheError(.argument, "ttl is \(ttl): needs a positive, finite number of seconds, or none to keep the entry")
  }
}
