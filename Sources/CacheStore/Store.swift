import ArrowData
import Primitives

/// Tables under keys, in memory, within a limit.
///
/// Every call is safe from any thread. A reader holds an `Entry`, which stays whole whatever happens to its key. No call of a
/// producer, and no release of memory, happens while the store is locked.
public final class Store: @unchecked Sendable {
  /// Expired entries that a read takes out besides its own, so that it stays short.
  private static let expiredPerRead = 16

  public let options: StoreOptions
  let clock: any Clock
  let catalog: Locked<Catalog>
  let memoBudget: MemoBudget

  /// Throws `.configuration` where an option cannot be.
  public init(options: StoreOptions, clock: any Clock = SystemClock()) throws(CacheError) {
    try options.validate()
    (self.options, self.clock) = (options, clock)
    memoBudget = MemoBudget(limitBytes: options.memoryLimitBytes)
    catalog = Locked(Catalog(policy: try makeEvictionPolicy(options.evictionPolicy)))
  }

  /// The current version of `key`; counts a hit or a miss and is an access. What has expired is not there.
  public func lookup(_ key: String) -> Entry? { read(CacheKey(key), counting: true) }

  /// As `lookup`, without counting and without being an access.
  public func peek(_ key: String) -> Entry? { read(CacheKey(key), counting: false) }

  public func contains(_ key: String) -> Bool { peek(key) != nil }

  /// Takes the entry out; false where there was none.
  public func remove(_ key: String) -> Bool {
    change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.remove(slot, &dropped)
      return true
    }
  }

  /// Takes every entry out; returns how many.
  public func clear() -> Int {
    change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      let count = catalog.slots.count
      catalog.removeAll(&dropped)
      return count
    }
  }

  /// The keys in the order of their first put, without what has expired.
  public func keys() -> [String] {
    let found = change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return catalog.slots.values.map { (sequence: $0.sequence, key: $0.key.text) }
    }
    return found.sorted { $0.sequence < $1.sequence }.map(\.key)
  }

  /// Lets the entry live for `ttl` seconds from now, or for ever (nil); false where there is none.
  /// Throws `.argument` for a time that is not positive and finite.
  public func updateTTL(_ key: String, ttl: Double?) throws(CacheError) -> Bool {
    try validate(ttl: ttl)
    return change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.setExpiry(slot, ttl.map { now + $0 })
      return true
    }
  }

  /// Keeps the key from being evicted until `unpin` has been called as often; false where there is no entry.
  /// The pin stays when the entry is replaced. Time to live, `remove` and `clear` are not held up.
  public func pin(_ key: String) -> Bool {
    change { catalog, now, dropped in
      guard let slot = catalog.live(CacheKey(key), now, &dropped) else { return false }
      catalog.pin(slot)
      return true
    }
  }

  public func unpin(_ key: String) { change { catalog, _, _ in catalog.unpin(CacheKey(key)) } }

  /// Takes out what has expired; returns how many. Reads do it for what they look at; this is for a caller in the background.
  public func purgeExpired() -> Int { change { catalog, now, dropped in catalog.expireDue(now, &dropped) } }

  /// Takes everything out; a put after that throws `.closed`, reads find nothing. A second call does nothing.
  public func close() {
    change { catalog, _, dropped in
      catalog.isClosed = true
      catalog.removeAll(&dropped)
    }
  }

  private func read(_ key: CacheKey, counting: Bool) -> Entry? {
    change { catalog, now, dropped in
      let slot = catalog.live(key, now, &dropped)
      _ = catalog.expireDue(now, limit: Self.expiredPerRead, &dropped)
      if counting { catalog.count(slot, now) }
      return slot?.entry
    }
  }

  /// Runs `body` under the lock and lets go of what it took out after that.
  func change<Result, Failure: Error>(
    _ body: (inout Catalog, _ now: Double, _ dropped: inout [Slot]) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let now = clock.now()
    var dropped: [Slot] = []
    defer { withExtendedLifetime(dropped) {} }
    return try catalog.withLock { (catalog) throws(Failure) -> Result in
      let before = catalog.ledger.totalBytes
      defer { if catalog.ledger.totalBytes != before { memoBudget.setEntryBytes(catalog.ledger.totalBytes) } }
      return try body(&catalog, now, &dropped)
    }
  }
}

extension Catalog {
  /// Counts a hit, which is an access, or a miss.
  mutating func count(_ slot: Slot?, _ now: Double) {
    guard let slot else { return misses += 1 }
    hits += 1
    touch(slot, now)
  }
}

func validate(ttl: Double?) throws(CacheError) {
  guard let ttl else { return }
  guard ttl > 0, ttl.isFinite else {
    throw CacheError(.argument, "ttl is \(ttl): needs a positive, finite number of seconds, or none to keep the entry")
  }
}
