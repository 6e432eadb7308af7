import ArrowData
import CacheStore
import Primitives

/// `SELECT count(*) FROM one_table`, and nothing else: DuckDB asks for a column then as if it wanted its values.
struct CountStatement: Equatable {
  /// As written, or folded where it is not in quotes.
  let table: String
  let isExplained: Bool

  init?(_ tokens: [SQLTokens.Token]) {
    var reader = TokenReader(tokens)
    isExplained = reader.take("explain")
    if isExplained { _ = reader.take("analyze") }
    guard reader.take("select"), reader.take("count"), reader.take(symbol: "("), reader.take(symbol: "*"), reader.take(symbol: ")") else { return nil }
    if !reader.take("from") {
      _ = reader.take("as")
      guard reader.name() != nil, reader.take("from") else { return nil }
    }
    guard let table = reader.name() else { return nil }
    if !reader.isAtEnd() {
      _ = reader.take("as")
      guard reader.name() != nil, reader.isAtEnd() else { return nil }
    }
    self.table = table
  }
}

extension QueryEngine {
  /// The number of rows of the one entry that such a statement is bound to, in place of counting them; nil where it is bound to anything else.
  func knownCount(
    _ sql: String, _ parameters: QueryParameters, _ session: Session, _ hint: ScanHint?, _ trace: StatementTrace, _ cancellation: Cancellation?
  ) throws(CacheError) -> LateRows? {
    // A view could stand before the entry. The stable API hands over names without their schema.
    guard case .count(let statement)? = hint, !statement.isExplained, currentPool.database.engineName == "v2",
      !keeping.hasOtherColumns.load(ordering: .relaxed)
    else { return nil }
    let snapshot = QuerySnapshot(store: store, hint: hint, readsNoRows: true)
    trace.begin(session, snapshot)
    return try snapshot.run { () throws(CacheError) in
      try FileLikeKeys.prepare(sql, on: session.connection, scanFunction: currentPool.database.scanFunction, store: store)
      let result = try session.connection.execute(sql, parameters: parameters)
      guard result.kind == .select, let entry = snapshot.onlyEntry else { return nil }
      let schema = try importSchema(of: result)
      guard schema.fields.count == 1, schema.fields[0].format == "l" else { return nil }
      let count = try RecordBatch(columns: [("", .int64([Int64(entry.rowCount)]))])
      (trace.kind, trace.isLate) = (.select, true)
      return LateRows(schema: schema, batches: [count], isEntrysOwn: false)
    }
  }
}

/// What the text of a statement tells of the one table that it reads, where DuckDB does not.
enum ScanHint: Sendable {
  case top(TopRows)
  /// Only how many rows there are is wanted.
  case count(CountStatement)

  init?(_ sql: String, _ parameters: QueryParameters, ordersAsUsual: Bool) {
    guard sql.utf8.count < 4096, let tokens = SQLTokens.read(sql) else { return nil }
    if let statement = CountStatement(tokens) {
      self = .count(statement)
    } else if ordersAsUsual, let top = TopRows(tokens, parameters) {
      self = .top(top)
    } else {
      return nil
    }
  }

  var table: String {
    switch self {
    case .top(let top): top.statement.table
    case .count(let statement): statement.table
    }
  }
}
