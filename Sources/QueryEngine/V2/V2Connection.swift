import CArrow
import CDuckDB
import Primitives

/// A session of DuckDB 2.0.
final class V2Connection: Connection, @unchecked Sendable {
  private let database: V2Database
  private(set) var handle: OpaquePointer?

  init(_ handle: OpaquePointer?, database: V2Database) { (self.handle, self.database) = (handle, database) }

  deinit { _ = v2.pointee.connection_destroy(&handle) }

  func interrupt() { _ = v2.pointee.connection_interrupt(handle, nil) }

  func progress() -> Double? {
    var (percentage, done, total) = (-1.0, UInt64(0), UInt64(0))
    guard v2.pointee.connection_progress_get(handle, &percentage, &done, &total, nil) == 0, percentage >= 0 else { return nil }
    return percentage / 100
  }

  func statementCount(_ sql: String) throws(CacheError) -> Int { try statements(sql, areRun: false).count }

  func execute(_ sql: String, parameters: QueryParameters) throws(CacheError) -> any QueryResult {
    let statements = try statements(sql, areRun: true)
    guard let last = statements.last else { throw CacheError(.query, "the SQL text holds no statement") }
    // Before any has an effect.
    for (index, statement) in statements.dropLast().enumerated() {
      try ParameterCheck.checkEarlier(statement.parameterNames(), number: index + 1, of: statements.count)
    }
    for statement in statements.dropLast() {
      let result = try run(statement, parameters: .none)
      try result.drain()
    }
    return try run(last, parameters: parameters)
  }

  func prepare(_ sql: String) throws(CacheError) -> (any PreparedStatement)? {
    let statements = try statements(sql, areRun: false)
    guard statements.count == 1 else { return nil }
    var prepared: OpaquePointer?
    do throws(V2Failure) {
      try v2Call { v2.pointee.prepared_statement_create(handle, statements[0].handle, true, &prepared, $0) }
    } catch {
      return nil
    }
    return V2Prepared(prepared, connection: self)
  }

  private func statements(_ sql: String, areRun: Bool) throws(CacheError) -> [V2Statement] {
    var iterator: OpaquePointer?
    do { try database.edition.parse(handle, sql, failsTransaction: areRun, &iterator) } catch { throw error.cacheError }
    defer { _ = v2.pointee.statement_iterator_destroy(&iterator) }
    var statements: [V2Statement] = []
    while true {
      var statement: OpaquePointer?
      try v2Query { v2.pointee.statement_iterator_next(iterator, &statement, $0) }
      guard let statement else { return statements }
      statements.append(V2Statement(statement))
    }
  }

  private func run(_ statement: V2Statement, parameters: QueryParameters) throws(CacheError) -> V2Result {
    try ParameterCheck.check(parameters, against: statement.parameterNames())
    do throws(V2Failure) {
      var factory: OpaquePointer?
      try v2Call { v2.pointee.connection_get_factory(handle, &factory, $0) }
      var result: OpaquePointer?
      func execute(_ names: [duckdb_v2_text]?, _ values: [V2Value]) throws(V2Failure) {
        try values.lend { (handles) throws(V2Failure) in
          try v2Call { v2.pointee.statement_execute_arrow(handle, statement.handle, names, handles, UInt64(handles.count), 0, &result, $0) }
        }
      }
      switch parameters {
      case .none: try execute(nil, [])
      case .positional(let values):
        try execute(nil, try values.map { (value) throws(V2Failure) in try V2Value.make(value, factory: factory) })
      case .named(let pairs):
        let values = try pairs.map { (pair) throws(V2Failure) in try V2Value.make(pair.value, factory: factory) }
        try withTexts(pairs.map(\.name)) { (names) throws(V2Failure) in try execute(names, values) }
      }
      return V2Result(result, connection: self)
    } catch {
      throw error.cacheError
    }
  }
}

/// A parsed statement.
private final class V2Statement {
  let handle: OpaquePointer?

  init(_ handle: OpaquePointer) { self.handle = handle }

  deinit {
    var handle = handle
    _ = v2.pointee.sql_statement_destroy(&handle)
  }

  func parameterNames() -> [String] {
    var count: UInt64 = 0
    guard v2.pointee.sql_statement_get_parameter_count(handle, &count, nil) == 0 else { return [] }
    return (0..<count).map { index in
      var name = duckdb_v2_text()
      _ = v2.pointee.sql_statement_get_parameter_name(handle, index, &name, nil)
      return v2String(name)
    }
  }
}

/// A statement whose plan is used again.
private final class V2Prepared: PreparedStatement {
  private var handle: OpaquePointer?
  private let connection: V2Connection

  init(_ handle: OpaquePointer?, connection: V2Connection) { (self.handle, self.connection) = (handle, connection) }

  deinit { _ = v2.pointee.prepared_statement_destroy(&handle) }

  func execute() throws(CacheError) -> any QueryResult {
    var result: OpaquePointer?
    try v2Query { v2.pointee.prepared_statement_execute_arrow(handle, nil, nil, 0, 0, &result, $0) }
    return V2Result(result, connection: connection)
  }
}

/// A result of DuckDB 2.0, which produces Arrow itself.
final class V2Result: QueryResult {
  private let connection: V2Connection
  private var handle: OpaquePointer?

  /// The first array, fetched before its time.
  private var first: ArrowArray?
  private var hasFirst = false

  init(_ handle: OpaquePointer?, connection: V2Connection) { (self.handle, self.connection) = (handle, connection) }

  deinit {
    if var first { first.release?(&first) }
    _ = v2.pointee.arrow_result_destroy(&handle)
  }

  var kind: StatementKind {
    var type: Int32 = 0
    guard v2.pointee.arrow_result_get_statement_type(handle, &type, nil) == 0 else { return .other }
    switch type {
    case 1: return .select
    case 2, 3, 5, 30: return .modification
    case 14: return .explanation
    default: return .other
    }
  }

  func schema(into schema: UnsafeMutablePointer<ArrowSchema>) throws(CacheError) {
    do throws(V2Failure) {
      try v2Call { v2.pointee.arrow_result_get_schema(handle, schema, $0) }
    } catch {
      guard error.code == V2Failure.metadataDeferred else { throw error.cacheError }
      // A statement that DuckDB expands into several (PIVOT) has a schema once its first rows are made.
      var array = ArrowArray()
      first = try fetch(&array) ? array : nil
      hasFirst = true
      try v2Query { v2.pointee.arrow_result_get_schema(handle, schema, $0) }
    }
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    array.initialize(to: ArrowArray())
    guard hasFirst else { return try fetch(array) }
    hasFirst = false
    guard let first else { return false }
    array.pointee = first
    self.first = nil
    return true
  }

  private func fetch(_ array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    try v2Query { v2.pointee.arrow_result_fetch_array(handle, array, $0) }
    return array.pointee.release != nil
  }

  func drain() throws(CacheError) {
    var changed: UInt64 = 0
    try v2Query { v2.pointee.arrow_result_drain(handle, &changed, $0) }
  }
}
