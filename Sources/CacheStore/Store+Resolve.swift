extension Store {
  /// What a table name in SQL means.
  public enum Resolution: Sendable {
    case entry(Entry)
    /// The keys that differ from the name, and from each other, by the case of ASCII letters alone.
    case ambiguous([String])
    case missing
  }

  /// Finds the entry that a name in SQL (what follows `_cache_`) means: the key as written, else the one key that is the same
  /// when both are folded as DuckDB folds identifiers. Counts as an access.
  public func resolve(_ name: String) -> Resolution {
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
}
