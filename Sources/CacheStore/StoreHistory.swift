import Primitives

/// What a store of before has noted about its entries, beside what their files say.
public struct StoreHistory: Sendable {
  /// How an entry had been used.
  public struct Use: Sendable {
    public let key: String
    /// Of the version that was used, to a microsecond.
    public let createdAt: Double
    public let lastAccessedAt: Double
    public let accessCount: Int

    public init(key: String, createdAt: Double, lastAccessedAt: Double, accessCount: Int) {
      (self.key, self.createdAt, self.lastAccessedAt, self.accessCount) = (key, createdAt, lastAccessedAt, accessCount)
    }
  }

  public var uses: [Use]
  /// Oldest first.
  public var events: [StoreEvent]

  public init(uses: [Use], events: [StoreEvent]) { (self.uses, self.events) = (uses, events) }
}

extension Store {
  /// Takes over what a store of before has noted: for one that has just brought back that one's entries.
  public func restore(_ history: StoreHistory) {
    tiers.events.prepend(history.events)
    let uses = history.uses.filter { $0.accessCount > 0 }.sorted { $0.lastAccessedAt < $1.lastAccessedAt }
    let lastVersion = history.events.reduce(0) { max($0, $1.version) }
    tiers.catalog.withLock { catalog in
      for use in uses { catalog.restore(use) }
      catalog.continueVersions(after: lastVersion)
    }
  }

  /// Has `listener` called after something has happened to the entries, once until `lookedAtChanges`. It must be quick, and call nothing
  /// of the store.
  public func listenToChanges(_ listener: (@Sendable () -> Void)?) { tiers.events.listener.withLock { $0 = listener } }

  public func lookedAtChanges() { tiers.events.lookedAt() }

  /// Whether entries outlive the store.
  public var storesEntries: Bool { storage != nil }

  /// Where the catalog of a storage is; nil: entries end with the store.
  public var catalogPath: String? { storage.map { "\($0.path)/\(Storage.catalogName)" } }

  /// Removes the catalog of the storage, where it is kept elsewhere.
  public func removeCatalog() { storage?.removeCatalog() }

  /// Gives the storage up as it is, for a cache that could not be opened.
  public func abandonStorage() { storage?.abandon() }

  /// Accesses so far.
  public var hitCount: Int { tiers.catalog.withLock { $0.hits } }
}
