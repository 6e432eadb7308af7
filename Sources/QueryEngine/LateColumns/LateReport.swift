import CacheStore
import Primitives

extension QueryEngine {
  /// Which columns `run` would fetch late, for `explain`; empty: none.
  func lateReport(of sql: String, _ parameters: QueryParameters) throws(CacheError) -> String {
    guard engineName == "v2", !keeping.hasOtherColumns.load(ordering: .relaxed), WholeTable.name(in: sql, parameters) == nil,
      try !withSession({ (session, _) throws(CacheError) in session.notLate.contains(sql) }), let plan = LatePlan(sql, QuerySnapshot(store: store))
    else { return "" }
    let tables = plan.tables.map { table in
      "\(table.columns.map { table.entry.schema.fields[$0].name }.joined(separator: ", ")) of \(TableName.written(table.entry.key))"
    }
    return "\nquery() fetches columns late, from the entry's own buffers, for the rows that DuckDB finds: \(tables.joined(separator: "; ")).\n"
  }
}
