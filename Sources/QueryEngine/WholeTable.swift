import ArrowData
import CacheStore
import Primitives

/// `SELECT * FROM _cache_x`, word for word: its rows are the entry's, and so are its buffers where DuckDB's types are the entry's own.
enum WholeTable {
  /// Types that DuckDB stores as Arrow does, or builds from the same bytes: what goes in comes out.
  static let formats: Set<String> = [
    "b", "c", "C", "s", "S", "i", "I", "l", "L", "f", "g", "tdD", "ttu", "tss:", "tsm:", "tsu:", "tsn:", "u", "z",
  ]

  /// With fewer rows looking for tables of that name would cost more than it spares.
  private static let fewRows = 50_000

  /// Whether the statement is of that form. What DuckDB binds it to tells whether it is about an entry; but it hands names to the stable API
  /// without their schema, so that an entry's name within a view could be taken for the view's own: there no table or view may have the name.
  static func isMeant(by sql: String, _ parameters: QueryParameters, on connection: any Connection, of database: any Database, _ store: Store) -> Bool {
    guard let name = name(in: sql, parameters), let key = TableName.key(name) else { return false }
    // Not an access yet: DuckDB has still to ask for the name.
    if let entry = try? store.find(key, counting: false), !entry.schema.fields.allSatisfy(mayBeSame) { return false }
    guard database.engineName == "v1" else { return true }
    guard case .entry(let entry) = store.resolve(key), entry.rowCount >= fewRows else { return false }
    let text = name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    let count = """
      SELECT count(*) FROM (SELECT view_name AS name FROM duckdb_views() UNION ALL SELECT table_name FROM duckdb_tables())
      WHERE lower(name) = lower('\(text)')
      """
    return (try? readInt64(CollectedResult(connection.execute(count, parameters: .none), cancellation: nil))) == 0
  }

  /// The table that the statement names, as written or folded, where it is of that form.
  static func name(in sql: String, _ parameters: QueryParameters) -> String? {
    guard case .none = parameters else { return nil }
    guard sql.utf8.count < 4096, let tokens = SQLTokens.read(sql) else { return nil }
    var reader = TokenReader(tokens)
    if reader.take("select") {
      guard reader.take(symbol: "*") else { return nil }
    }
    guard reader.take("from"), let name = reader.name() else { return nil }
    return reader.isAtEnd() && TableName.key(name) != nil ? name : nil
  }

  /// The rows of the one entry that the statement has been bound to, in place of those that DuckDB would produce; nil where they could
  /// differ in anything but their batches.
  static func rows(inPlaceOf result: any QueryResult, _ snapshot: QuerySnapshot, cancellation: Cancellation?) throws(CacheError) -> CollectedResult? {
    guard let entry = snapshot.onlyEntry else { return nil }
    let schema = try importSchema(of: result)
    guard schema.fields.count == entry.schema.fields.count, zip(schema.fields, entry.schema.fields).allSatisfy(isSame) else { return nil }
    return try CollectedResult(of: entry.reader(), schema: schema, cancellation: cancellation)
  }

  /// Whether DuckDB could give the column in the type that the entry has.
  private static func mayBeSame(_ kept: Field) -> Bool {
    !kept.isExtension && kept.dictionary == nil && (formats.contains(kept.format) || kept.format.hasPrefix("tsu:"))
  }

  private static func isSame(_ produced: Field, _ kept: Field) -> Bool {
    guard !produced.isExtension, !kept.isExtension, produced.dictionary == nil, kept.dictionary == nil else { return false }
    // Of a time with a zone DuckDB keeps the instant alone, and shows it in the session's zone.
    if [produced.format, kept.format].allSatisfy({ $0.hasPrefix("tsu:") && $0 != "tsu:" }) { return true }
    return produced.format == kept.format && formats.contains(kept.format)
  }
}
