import CacheStore
import Primitives

extension QueryEngine {
  /// Makes the views of the cache's state as they are meant to be, where SQL has dropped or changed one.
  func restoreTables() {
    guard !options.internalTables.isEmpty else { return }
    let pool = currentPool
    let sql = InternalTable.definition(options.internalTables, scanFunction: pool.database.tableFunction)
    _ = try? pool.notes.withReader { (reader) throws(CacheError) in try CollectedResult(try reader.execute(sql, parameters: .none), cancellation: nil) }
  }

  /// Opens an empty database that sees the entries of `store`: the engine's first, second, and so on.
  static func open(
    _ library: DuckDBLibrary, _ store: Store, _ counters: ScanCounters, _ options: QueryOptions, number: Int = 1
  ) throws(CacheError) -> SessionPool {
    // Without a temporary folder: the session pool's space gives it one.
    var settings = [(name: "memory_limit", value: "\(max(0, options.memoryLimitBytes))B"), (name: "temp_directory", value: "")]
    if let threads = options.threadCount { settings.append(("threads", "\(threads)")) }
    // It loses `IS NULL` filters of the right side of an outer join (duckdb/duckdb#25211) unless the scan takes them over, as DuckDB's own does.
    if library.version == V2Edition.first.rawValue { settings.append(("disabled_optimizers", "outer_join_simplification")) }
    let tables = options.internalTables
    let secondAPI = options.usesStableAPI ? nil : library.secondAPI
    var compaction: Compaction = secondAPI == nil ? [] : .numbers
    if secondAPI != nil, store.options.dictionaryEncoding != .never, V2DictionaryVector.isAvailable { compaction.insert(.texts) }
    let entries = TableName.context(store, counters: counters, remembersRows: options.remembersFilters, compaction: compaction)
    let content = DatabaseContent(store: store, entries: entries, tables: InternalTable.context(tables))
    let database: any Database =
      if let secondAPI { try V2Database(secondAPI, content: content, settings: settings) } else { try V1Database(content: content, settings: settings) }
    let loads = options.extensionPaths.map { path in "LOAD '\(path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'" }
    let definitions = tables.isEmpty ? [] : [InternalTable.definition(tables, scanFunction: database.tableFunction)]
    if !(loads + definitions).isEmpty {
      let connection = try database.connect()
      for sql in loads + definitions { _ = try CollectedResult(try connection.execute(sql, parameters: .none), cancellation: nil) }
    }
    return SessionPool(database: database, space: TemporarySpace(options: options, number: number))
  }
}
