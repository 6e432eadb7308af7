import CacheStore
import Primitives

/// How SQL names a cached table: `_cache_<key>`.
enum TableName {
  static let prefix = "_cache_"
  /// The table function behind the names.
  static let scanFunction = "arrow_cache_scan"

  /// The part after `_cache_` (in any case, as SQL folds names); nil for other tables.
  static func key(_ name: String) -> String? {
    let bytes = name.utf8
    guard bytes.count > prefix.utf8.count, zip(bytes, prefix.utf8).allSatisfy({ $0.folded == $1 }) else { return nil }
    return String(decoding: bytes.dropFirst(prefix.utf8.count), as: UTF8.self)
  }

  /// Whether the text may name a cached table.
  static func isNamed(in sql: String) -> Bool { StatementEffect.holds(sql, [prefix]) }

  /// The name as SQL takes it.
  static func written(_ key: String) -> String {
    let isPlain = key.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (97...122).contains($0 | 32) }
    return isPlain ? prefix + key : "\"\(prefix)\(key.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  enum Reference {
    case notOurs
    case entry(Entry)
    case failure(String)
  }

  /// Looks a table name up for the statement this thread is running, or in `store` where there is none.
  ///
  /// - Parameter isQualified: whether a schema stands before it.
  static func resolve(_ name: String, store: Store, isQualified: Bool = false) -> Reference {
    guard let key = key(name) else { return .notOurs }
    func found() -> Store.Resolution { QuerySnapshot.current?.resolve(key, isQualified: isQualified) ?? store.resolve(key) }
    var resolution = found()
    if case .missing = resolution {
      // It may come back just now: then the keys would belie the message.
      let keys = store.keys()
      if keys.contains(where: { $0.folded == key.folded }) { resolution = found() }
      if case .missing = resolution { return .failure(missing(key, among: keys.filter { $0.folded != key.folded })) }
    }
    switch resolution {
    case .entry(let entry):
      if isQualified { return .entry(entry) }
      QuerySnapshot.current?.noteResolved(name, entry)
      QuerySnapshot.current?.noteName(of: entry)
      return .entry(entry)
    case .ambiguous(let keys):
      let names = keys.map { "\"\(prefix)\($0)\"" }.joined(separator: ", ")
      return .failure("\(DuckDBMessage.ours)\(name) could be \(names): these keys differ by case only; quote the name with the exact case")
    case .failure(let error): return .failure("\(DuckDBMessage.ours)\(error.description)")
    case .missing: return .notOurs
    }
  }

  private static func missing(_ key: String, among keys: [String]) -> String {
    let shown = keys.prefix(8).map { $0.count > 40 ? "\($0.prefix(40))…" : $0 }.joined(separator: ", ")
    let list = keys.isEmpty ? "the cache is empty" : "the cache holds \(keys.count): \(shown)\(keys.count > 8 ? ", …" : "")"
    let hint = NearestKey.to(key, among: keys).map { "; did you mean \(written($0))?" } ?? "; put it first, or check the name"
    return "\(DuckDBMessage.ours)there is no entry '\(key)' in the cache (\(list))\(hint)"
  }

  /// A context that reads the entries of `store`.
  static func context(_ store: Store, counters: ScanCounters, remembersRows: Bool = false, compaction: Compaction = []) -> ScanContext {
    ScanContext(tablePrefix: prefix, counters: counters, remembersRows: remembersRows, compaction: compaction) { (key) throws(CacheError) in
      let snapshot = QuerySnapshot.current ?? QuerySnapshot(store: store)
      guard let entry = try snapshot.entry(key) else {
        throw CacheError(.query, "the entry '\(key)' is no longer in the cache")
      }
      guard !entry.schema.fields.isEmpty else { throw CacheError(.query, "the entry '\(key)' has no columns, and SQL needs one at least") }
      return entry
    }
  }
}
