import ArrowData
import CArrow
import CacheStore
import Glibc
import Primitives

/// A DuckDB database with what a store knows about its entries, for users to open. A copy: the truth is in the store and in its manifests.
///
/// It is written anew each time, beside its place, and takes that in one step. So nobody who has it open keeps it from being written, nobody
/// who opens it meets one that is being written, and a process that is killed leaves the one of before, whole.
struct CatalogFile: Sendable {
  /// Of the tables. A catalog of another version is not read, and written anew.
  static let format = 1

  let path: String
  let files: any FileSystem
  let library: DuckDBLibrary

  init(_ path: String, files: any FileSystem, library: DuckDBLibrary) {
    (self.path, self.files, self.library) = (path, files, library)
  }

  /// Replaces the file. Throws `.storage` or `.query` where that fails; the one of before is still there then.
  func write(_ store: Store) throws(CacheError) {
    let fresh = "\(path).new"
    try removeLeftovers()
    do throws(CacheError) {
      try fill(fresh, store)
      try files.rename(fresh, to: path)
    } catch {
      // What cannot be removed goes before the next one: the error that led here is the one to tell.
      do throws(CacheError) { try removeLeftovers() } catch {}
      throw error
    }
    // Of somebody who had the file of before open for writing: DuckDB would take it for this one's.
    try files.unlink("\(path).wal")
  }

  /// Removes what a killed process has left of a catalog that it was writing.
  func removeLeftovers() throws(CacheError) {
    try files.unlink("\(path).new")
    try files.unlink("\(path).new.wal")
  }

  private func fill(_ target: String, _ store: Store) throws(CacheError) {
    let tables = try InternalTable.known(store.contents(), store.events)
    let database = try open(store, tables.map { (name, batch) in InternalTable(name: name) { () throws(CacheError) -> RecordBatch in batch } })
    let connection = try database.connect()
    // Readable by every DuckDB that this engine works with, whichever writes it.
    try run("ATTACH \(quoted(target)) AS catalog (STORAGE_VERSION 'v1.0.0')", on: connection)
    try run(
      "CREATE TABLE catalog.format AS SELECT \(Self.format)::INTEGER AS format_version, version() AS duckdb_version, \(plain("now()")) AS written_at",
      on: connection)
    for (name, batch) in tables {
      let times = batch.schema.fields.filter { $0.format.hasPrefix("ts") }.map { "\(plain($0.name)) AS \($0.name)" }
      let columns = times.isEmpty ? "*" : "* REPLACE (\(times.joined(separator: ", ")))"
      try run("CREATE TABLE catalog.\(name) AS SELECT \(columns) FROM \(database.tableFunction)('\(name)')", on: connection)
    }
    try run("DETACH catalog", on: connection)
  }

  /// A time as UTC without a zone: those with one, DuckDB's Python client gives only where pytz is installed.
  private func plain(_ time: String) -> String { "make_timestamp(epoch_us(\(time)))" }

  /// A small DuckDB of its own: what happens to the cache's own one, and what users do with that, does not touch it.
  private func open(_ store: Store, _ tables: [InternalTable]) throws(CacheError) -> V1Database {
    let settings = [
      (name: "threads", value: "1"), (name: "memory_limit", value: "256MB"), (name: "temp_directory", value: ""),
      (name: "autoinstall_known_extensions", value: "false"), (name: "autoload_known_extensions", value: "false"),
    ]
    let entries = TableName.context(store, counters: ScanCounters(), remembersRows: false)
    return try V1Database(content: DatabaseContent(store: store, entries: entries, tables: InternalTable.context(tables)), settings: settings)
  }

  private func run(_ sql: String, on connection: any Connection) throws(CacheError) {
    _ = try CollectedResult(try connection.execute(sql, parameters: .none), cancellation: nil)
  }

  private func quoted(_ text: String) -> String {
    "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
  }

  // MARK: reading

  /// What the file is.
  enum Content {
    case missing
    case catalog(StoreHistory)
    /// A catalog of another format version.
    case otherFormat(Int)
    /// A database of somebody's.
    case foreign
    /// No database, or one that is damaged.
    case unreadable(CacheError)
    /// Another process has it open for writing.
    case locked(CacheError)
  }

  func read(_ store: Store) -> Content {
    do throws(CacheError) {
      guard let status = try files.status(path) else { return .missing }
      guard !status.isFolder else { throw CacheError(.storage, "'\(path)' is a folder: give the path of a file") }
      let connection = try open(store, []).connect()
      try run("ATTACH \(quoted(path)) AS catalog (READ_ONLY)", on: connection)
      func rows(_ sql: String) throws(CacheError) -> ResultRows {
        try ResultRows(CollectedResult(try connection.execute(sql, parameters: .none), cancellation: nil))
      }
      let names = try rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'catalog' AND schema_name = 'main'").text(0)
      guard names.contains("format"), names.contains("entries") else { return .foreign }
      let format = try rows("SELECT format_version::BIGINT FROM catalog.format").int(0).first ?? nil
      guard format == Self.format else { return .otherFormat(format ?? 0) }
      let uses = try rows(
        "SELECT key, epoch_us(created_at), epoch_us(last_accessed_at), access_count FROM catalog.entries")
      let events = try rows(
        "SELECT epoch_us(time), kind, key, version, segment, bytes, from_tier, to_tier, cause, (seconds * 1e9)::BIGINT FROM catalog.events ORDER BY rowid")
      return .catalog(StoreHistory(uses: uses.uses, events: events.events))
    } catch {
      return error.description.contains("Conflicting lock") || error.description.contains("Could not set lock") ? .locked(error) : .unreadable(error)
    }
  }
}

extension ResultRows {
  fileprivate var uses: [StoreHistory.Use] {
    let (keys, created, accessed, counts) = (text(0), int(1), int(2), int(3))
    return (0..<rowCount).compactMap { row in
      guard let key = keys[row], let createdAt = created[row], let lastAccessedAt = accessed[row], let count = counts[row] else { return nil }
      return StoreHistory.Use(key: key, createdAt: Double(createdAt) / 1e6, lastAccessedAt: Double(lastAccessedAt) / 1e6, accessCount: count)
    }
  }

  fileprivate var events: [StoreEvent] {
    let (times, kinds, keys, versions, segments) = (int(0), text(1), text(2), int(3), int(4))
    let (bytes, from, to, causes, nanos) = (int(5), text(6), text(7), text(8), int(9))
    return (0..<rowCount).compactMap { row in
      guard let time = times[row], let kind = kinds[row].flatMap(StoreEvent.Kind.init(rawValue:)), let key = keys[row] else { return nil }
      return StoreEvent(
        time: Double(time) / 1e6, kind: kind, key: key, version: UInt64(clamping: versions[row] ?? 0), segment: segments[row],
        bytes: bytes[row] ?? 0, from: from[row].flatMap(tier), to: to[row].flatMap(tier), cause: causes[row] ?? "",
        seconds: nanos[row].map { Double($0) / 1e9 })
    }
  }
}
