import ArrowData
import CacheStore
import Glibc
import Primitives

/// What one statement has touched: every reference to a key within it sees the same version.
///
/// DuckDB binds a statement on the thread that runs it, so the snapshot of the running statement is found through the thread.
final class QuerySnapshot: @unchecked Sendable {
  private let store: Store
  private let entries = Locked<[String: Entry]>([:])
  private let tables = Locked<[String: BatchTable]>([:])
  private let noted = Locked<[StatementScan]>([])

  init(store: Store) { self.store = store }

  /// What the table name `_cache_<name>` stands for.
  func resolve(_ name: String) -> Store.Resolution {
    if let entry = entries.withLock({ $0[name] }) { return .entry(entry) }
    let resolution = store.resolve(name)
    guard case .entry(let entry) = resolution else { return resolution }
    return .entry(keep(entry))
  }

  func entry(_ key: String) -> Entry? {
    if let entry = entries.withLock({ $0[key] }) { return entry }
    return store.peek(key).map(keep)
  }

  /// A table of the engine's own, made where the statement has none yet.
  func table(_ name: String, make: () throws(CacheError) -> BatchTable) throws(CacheError) -> BatchTable {
    if let known = tables.withLock({ $0[name] }) { return known }
    let made = try make()
    return tables.withLock { tables in
      if let first = tables[name] { return first }
      tables[name] = made
      return made
    }
  }

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

  func note(_ scan: StatementScan) { noted.withLock { $0.append(scan) } }

  private func keep(_ entry: Entry) -> Entry {
    entries.withLock { entries in
      if let first = entries[entry.key] { return first }
      entries[entry.key] = entry
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
