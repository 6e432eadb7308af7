import Primitives

extension Store {
  /// What a table name in SQL means.
  public enum Resolution: Sendable {
    case entry(Entry)
    /// The keys that differ from the name, and from each other, by the case of ASCII letters alone.
    case ambiguous([String])
    case missing
    /// It is there, and cannot be read.
    case failure(CacheError)
  }

  /// Finds the entry that a name in SQL (what follows `_cache_`) means: the key as written, else the one key that is the same
  /// when both are folded as DuckDB folds identifiers. Counts as an access.
  public func resolve(_ name: String) -> Resolution {
    if reader != nil { return followed(name) }
    let key = CacheKey(name)
    return tiers.change { catalog, now, dropped in
      if let slot = catalog.live(key, now, &dropped) {
        catalog.count(slot, now)
        return .entry(slot.entry)
      }
      let alike = catalog.alike(key, now, &dropped)
      if alike.count > 1 { return .ambiguous(alike.map(\.key.text)) }
      catalog.count(alike.first, now)
      return alike.first.map { .entry($0.entry) } ?? .missing
    }
  }

  /// Whether each of these names, as SQL has them, still means the version that it meant before, at one instant. Only then it counts as an
  /// access of each.
  public func stillMeans(_ tables: [TableVersion]) -> Bool {
    guard hasFollowed(tables) else { return false }
    return tiers.change { catalog, now, dropped in
      var slots: [Slot] = []
      for table in tables {
        let key = CacheKey(table.name)
        let found = catalog.live(key, now, &dropped).map { [$0] } ?? catalog.alike(key, now, &dropped)
        guard found.count == 1, found[0].entry.version == table.version else { return false }
        slots.append(found[0])
      }
      for slot in slots { catalog.count(slot, now) }
      return true
    }
  }

  /// The same of what another store may be changing.
  private func followed(_ name: String) -> Resolution {
    do throws(CacheError) {
      if let entry = try find(name, counting: true) { return .entry(entry) }
      try followAll()
      let alike = tiers.change { catalog, now, dropped in catalog.alike(CacheKey(name), now, &dropped).map(\.key.text) }
      guard let only = alike.first else { return .missing }
      if alike.count > 1 { return .ambiguous(alike) }
      return try find(only, counting: true).map(Resolution.entry) ?? .missing
    } catch {
      return .failure(error)
    }
  }

  /// Takes over what has happened to these, where another store may be changing them.
  private func hasFollowed(_ tables: [TableVersion]) -> Bool {
    guard reader != nil else { return true }
    do throws(CacheError) {
      for table in tables where try find(table.name, counting: false) == nil { try followAll() }
      return true
    } catch {
      return false
    }
  }
}

/// What a table name in SQL has meant.
public struct TableVersion: Hashable, Sendable {
  /// What follows `_cache_`, as written.
  public let name: String
  /// Of the entry; no two entries of a store have the same.
  public let version: UInt64

  public init(name: String, version: UInt64) { (self.name, self.version) = (name, version) }
}
