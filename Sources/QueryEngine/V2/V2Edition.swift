import CDuckDB

/// The DuckDBs whose second API is known here.
///
/// Its functions are declared by hand, and change their arguments between releases that differ in the last number only, which their names do
/// not tell. So a DuckDB that is not listed is used through its stable API.
enum V2Edition: String, Sendable, CaseIterable {
  case first = "v2.0.0"
  /// Parsing has one argument more; an outer join keeps the filters of its other side (duckdb/duckdb#25211).
  case second = "v2.0.1"

  /// - Parameter failsTransaction: whether text that cannot be parsed ends an open transaction, as a statement that fails does.
  func parse(
    _ connection: OpaquePointer?, _ sql: String, failsTransaction: Bool, _ iterator: inout OpaquePointer?
  ) throws(V2Failure) {
    switch self {
    case .first:
      let parse = unsafeBitCast(v2.pointee.parse_sql, to: duckdb_v2_first_parse_sql.self)
      try v2Call { parse(connection, sql, &iterator, $0) }
    case .second:
      try v2Call { v2.pointee.parse_sql(connection, sql, failsTransaction, &iterator, $0) }
    }
  }
}
