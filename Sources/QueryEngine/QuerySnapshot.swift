import ArrowData
import CacheStore
import Glibc
import Primitives

/// What one statement has touched: every reference to a key within it sees the same version.
///
/// DuckDB binds a statement on the thread that runs it, so the snapshot of the running statement is found through the thread.
final class QuerySnapshot: @unchecked Sendable {
  private let store: Store
  /// By the key's bytes: Swift takes texts for equal that differ as keys.
  private let entries = Locked<[[UInt8]: Entry]>([:])
  /// What the names of tables have meant, by the bytes of what follows `_cache_`.
  private let meanings = Locked<[[UInt8]: TableVersion]>([:])
  private let tables = Locked<[String: any ScanSource]>([:])
  private let noted = Locked<[StatementScan]>([])
  private let names = Locked<Set<String>>([])
  /// Whether it reads an entry that the text may not name.
  private let isOthers = Locked(false)

  /// What the text tells of its only table, and the entry that the table's name has turned out to stand for: a table or view of that name
  /// would not have been looked up here.
  private let hint: ScanHint?
  private let hintKey = Locked<String?>(nil)

  /// The entries whose rows are numbered for the statement.
  let numbered = Locked<[Entry]>([])

  /// Whether the scans of entries give none: the statement is only bound.
  let readsNoRows: Bool

  init(store: Store, hint: ScanHint? = nil, readsNoRows: Bool = false) { (self.store, self.hint, self.readsNoRows) = (store, hint, readsNoRows) }

  /// DuckDB has asked what a table name stands for.
  func noteResolved(_ name: String, _ entry: Entry) {
    guard let hint, hint.table.folded == name.folded else { return }
    hintKey.withLock { $0 = entry.key }
  }

  /// What is known of the reference to an entry.
  func hint(for key: String) -> ScanHint? { hintKey.withLock { $0 } == key ? hint : nil }

  /// What the table name `_cache_<name>` stands for.
  ///
  /// - Parameter isQualified: whether a schema stands before it. Then the text's own names may mean something else, and nothing is noted of them.
  func resolve(_ name: String, isQualified: Bool = false) -> Store.Resolution {
    let bytes = Array(name.utf8)
    if isQualified { isOthers.withLock { $0 = true } }
    if let entry = entries.withLock({ $0[bytes] }) { return .entry(isQualified ? entry : noted(name, bytes, entry)) }
    let resolution = store.resolve(name)
    guard case .entry(let entry) = resolution else { return resolution }
    return .entry(isQualified ? keep(entry) : noted(name, bytes, keep(entry)))
  }

  private func noted(_ name: String, _ bytes: [UInt8], _ entry: Entry) -> Entry {
    meanings.withLock { $0[bytes] = TableVersion(name: name, version: entry.version) }
    return entry
  }

  /// What these names (what follows `_cache_`) have meant in the statement; nil where one of them has been no entry.
  func versions(of names: Set<[UInt8]>) -> [TableVersion]? {
    meanings.withLock { meanings in
      let found = names.compactMap { meanings[$0] }
      return found.count == names.count ? found : nil
    }
  }

  func entry(_ key: String) throws(CacheError) -> Entry? {
    if let entry = entries.withLock({ $0[Array(key.utf8)] }) { return entry }
    return try store.find(key, counting: false).map(keep)
  }

  /// A table of the engine's own, made where the statement has none yet.
  func table(_ name: String, make: () throws(CacheError) -> any ScanSource) throws(CacheError) -> any ScanSource {
    if let known = tables.withLock({ $0[name] }) { return known }
    let made = try make()
    return tables.withLock { tables in
      if let first = tables[name] { return first }
      tables[name] = made
      return made
    }
  }

  /// Whether DuckDB has asked for a table of the cache's to plan with.
  var hasBound: Bool { noted.withLock { !$0.isEmpty } }

  /// The scans that DuckDB has begun for the statement, in the order in which it met the tables.
  var scans: [StatementScan] { noted.withLock { $0 }.filter(\.hasBegun) }

  /// The share of the work that scans make up, where nothing better is known.
  private static let scanShare = 0.95

  /// How far the statement has come by what has been read or skipped of the tables that DuckDB has met; nil where there are none.
  var scannedFraction: Double? {
    let scans = noted.withLock { $0 }
    let rows = scans.reduce(0) { $0 + $1.tableRows }
    guard rows > 0 else { return nil }
    let done = scans.reduce(0) { $0 + min($1.tableRows, $1.counters.rowsScanned + $1.counters.blocksSkipped * BlockStatistics.blockRows) }
    return Self.scanShare * Double(done) / Double(rows)
  }

  /// The one entry that the statement reads by its name, where it has met no other table of the cache's.
  var onlyEntry: Entry? {
    guard !isOthers.withLock({ $0 }), let entry = entries.withLock({ $0.count == 1 ? $0.first?.value : nil }), names.withLock({ $0 == [entry.key] }) else { return nil }
    return noted.withLock { noted in noted.allSatisfy { $0.table == TableName.prefix + entry.key } } ? entry : nil
  }

  /// Whether the statement reads these entries by their names, and no other table of the cache's.
  func reads(only expected: [Entry]) -> Bool {
    let isSame = entries.withLock { found in
      found.count == expected.count && expected.allSatisfy { entry in found[Array(entry.key.utf8)] === entry }
    }
    let keys = Set(expected.map(\.key))
    let tables = Set(keys.map { TableName.prefix + $0 })
    return isSame && !isOthers.withLock { $0 } && names.withLock { $0 == keys } && noted.withLock { $0.allSatisfy { tables.contains($0.table) } }
  }

  /// DuckDB has asked for a name that stands for this entry.
  func noteName(of entry: Entry) { names.withLock { _ = $0.insert(entry.key) } }
  /// The references to tables that DuckDB has met.
  var bindings: [ScanBinding] { references.withLock { $0.compactMap(\.binding) } }

  private struct Reference { weak var binding: ScanBinding? }
  private let references = Locked<[Reference]>([])

  func note(_ binding: ScanBinding) { references.withLock { $0.append(Reference(binding: binding)) } }

  func note(_ scan: StatementScan) { noted.withLock { $0.append(scan) } }

  private func keep(_ entry: Entry) -> Entry {
    let bytes = Array(entry.key.utf8)
    return entries.withLock { entries in
      if let first = entries[bytes] { return first }
      entries[bytes] = entry
      return entry
    }
  }

  /// The snapshot of the statement that this thread is running, if any.
  static var current: QuerySnapshot? {
    pthread_getspecific(slot).map { Unmanaged<QuerySnapshot>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Runs `body`, a call into DuckDB, as part of this snapshot's statement.
  func run<Result>(_ body: () throws(CacheError) -> Result) throws(CacheError) -> Result {
    let outer = pthread_getspecific(QuerySnapshot.slot)
    pthread_setspecific(QuerySnapshot.slot, Unmanaged.passUnretained(self).toOpaque())
    defer { pthread_setspecific(QuerySnapshot.slot, outer) }
    return try body()
  }

  private static let slot: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()
}
