import ArrowData
import CArrow
import CDuckDB
import Primitives

/// A session through the stable API.
final class V1Connection: Connection, @unchecked Sendable {
  private let database: V1Database
  private(set) var handle: OpaquePointer?

  init(_ handle: OpaquePointer?, database: V1Database) { (self.handle, self.database) = (handle, database) }

  deinit { v1.pointee.disconnect(&handle) }

  func interrupt() { v1.pointee.interrupt(handle) }

  func progress() -> Double? {
    let percentage = v1.pointee.query_progress(handle).percentage
    return percentage < 0 ? nil : percentage / 100
  }

  func statementCount(_ sql: String) throws(CacheError) -> Int {
    try withStatements(sql) { (_, count) throws(CacheError) in Int(count) }
  }

  func execute(_ sql: String, parameters: QueryParameters) throws(CacheError) -> any QueryResult {
    try withStatements(sql) { (statements, count) throws(CacheError) in
      guard count > 0 else { throw CacheError(.query, "the SQL text holds no statement") }
      for index in 0..<count - 1 {
        try run(statements, index, of: count, parameters: .none).drain()
      }
      return try run(statements, count - 1, of: count, parameters: parameters)
    }
  }

  private func withStatements<Result>(
    _ sql: String, _ body: (OpaquePointer?, UInt64) throws(CacheError) -> Result
  ) throws(CacheError) -> Result {
    var statements: OpaquePointer?
    let count = v1.pointee.extract_statements(handle, sql, &statements)
    defer { v1.pointee.destroy_extracted(&statements) }
    if count == 0, let message = v1.pointee.extract_statements_error(statements), message.pointee != 0 {
      throw queryError(String(cString: message))
    }
    return try body(statements, count)
  }

  func prepare(_ sql: String) throws(CacheError) -> (any PreparedStatement)? {
    try withStatements(sql) { (statements, count) throws(CacheError) in
      guard count == 1 else { return nil }
      var prepared: OpaquePointer?
      let state = v1.pointee.prepare_extracted_statement(handle, statements, 0, &prepared)
      let statement = V1Statement(prepared)
      guard state == 0, statement.parameterNames().isEmpty else { return nil }
      return V1Prepared(statement, connection: self)
    }
  }

  private func run(_ statements: OpaquePointer?, _ index: UInt64, of count: UInt64, parameters: QueryParameters) throws(CacheError) -> V1Result {
    var prepared: OpaquePointer?
    let state = v1.pointee.prepare_extracted_statement(handle, statements, index, &prepared)
    let statement = V1Statement(prepared)
    guard state == 0 else { throw statement.error() }
    if index + 1 < count { try ParameterCheck.checkEarlier(statement.parameterNames(), number: Int(index) + 1, of: Int(count)) }
    try ParameterCheck.check(parameters, against: statement.parameterNames())
    try statement.bind(parameters)
    return try execute(statement)
  }

  fileprivate func execute(_ statement: V1Statement) throws(CacheError) -> V1Result {
    var result = duckdb_v1_result()
    guard statement.execute(&result) == 0 else {
      defer { v1.pointee.destroy_result(&result) }
      throw queryError(text(v1.pointee.result_error(&result)))
    }
    return V1Result(result, statement: statement, connection: self)
  }
}

/// A statement whose plan is used again where DuckDB does so.
private final class V1Prepared: PreparedStatement {
  // In this order: the statement goes first.
  private let statement: V1Statement
  private let connection: V1Connection

  init(_ statement: V1Statement, connection: V1Connection) { (self.statement, self.connection) = (statement, connection) }

  func execute() throws(CacheError) -> any QueryResult { try connection.execute(statement) }
}

/// A prepared statement.
final class V1Statement {
  private let handle: OpaquePointer?

  init(_ handle: OpaquePointer?) { self.handle = handle }

  deinit {
    var handle = handle
    v1.pointee.destroy_prepare(&handle)
  }

  func execute(_ result: UnsafeMutablePointer<duckdb_v1_result>) -> Int32 { v1.pointee.execute_prepared_streaming(handle, result) }

  var type: Int32 { v1.pointee.prepared_statement_type(handle) }

  func error() -> CacheError { queryError(text(v1.pointee.prepare_error(handle))) }

  /// In the order of DuckDB's own parameter indices, which start at 1.
  func parameterNames() -> [String] {
    let count = v1.pointee.nparams(handle)
    guard count > 0 else { return [] }
    return (1...count).map { index in
      let name = v1.pointee.parameter_name(handle, index)
      defer { v1.pointee.free(UnsafeMutableRawPointer(mutating: name)) }
      return text(name)
    }
  }

  func bind(_ parameters: QueryParameters) throws(CacheError) {
    let names = parameterNames()
    switch parameters {
    case .none: return
    case .positional(let values):
      for (index, name) in names.enumerated() {
        guard let position = Int(name), values.indices.contains(position - 1) else { continue }
        try bind(UInt64(index + 1), values[position - 1])
      }
    case .named(let pairs):
      for (index, name) in names.enumerated() {
        guard let pair = pairs.first(where: { $0.name.lowercased() == name.lowercased() }) else { continue }
        try bind(UInt64(index + 1), pair.value)
      }
    }
  }

  private func bind(_ index: UInt64, _ value: QueryValue) throws(CacheError) {
    let state = try V1Value.make(value).lend { v1.pointee.bind_value(handle, index, $0) }
    guard state == 0 else { throw error() }
  }
}

/// A streaming result, converted to Arrow a chunk of DuckDB at a time. Chunks are brought together, since whoever reads thousands of small batches
/// is slowed down by each; those with columns of lists, structs or dictionaries are handed out as they are.
final class V1Result: QueryResult {
  /// What is brought together ends with the chunk that reaches one of these.
  private static let batchRows = 1 << 17
  private static let batchBytes = 1 << 28

  private let connection: V1Connection
  private let statement: V1Statement
  private var result: duckdb_v1_result
  private var options: OpaquePointer?
  private var isAtEnd = false
  private var known: Schema?

  init(_ result: duckdb_v1_result, statement: V1Statement, connection: V1Connection) {
    (self.result, self.statement, self.connection) = (result, statement, connection)
    options = v1.pointee.result_get_arrow_options(&self.result)
  }

  deinit {
    v1.pointee.destroy_arrow_options(&options)
    v1.pointee.destroy_result(&result)
  }

  var kind: StatementKind {
    switch statement.type {
    case 1: .select
    case 2, 3, 5, 30: .modification
    case 4: .explanation
    default: .other
    }
  }

  func schema(into schema: UnsafeMutablePointer<ArrowSchema>) throws(CacheError) {
    let count = v1.pointee.column_count(&result)
    var types: [OpaquePointer?] = (0..<count).map { v1.pointee.column_logical_type(&result, $0) }
    defer { for index in types.indices { v1.pointee.destroy_logical_type(&types[index]) } }
    // DuckDB keeps the names until the result goes.
    var names: [UnsafePointer<CChar>?] = (0..<count).map { v1.pointee.column_name(&result, $0) }
    try v1Check(v1.pointee.to_arrow_schema(options, &types, &names, count, schema))
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    array.initialize(to: ArrowArray())
    let schema = if let known { known } else { try importSchema(of: self) }
    known = schema
    guard !schema.fields.isEmpty, schema.fields.allSatisfy(\.isGathered) else { return try convert(into: array) }
    var sources: [RowSource] = []
    var (rowCount, byteCount) = (0, 0)
    while rowCount < Self.batchRows, byteCount < Self.batchBytes {
      var chunk = ArrowArray()
      guard try convert(into: &chunk) else { break }
      let batch = try RecordBatch(importing: &chunk, schema: schema)
      rowCount += batch.rowCount
      byteCount += batch.copyByteCount(columns: nil, offset: 0, count: batch.rowCount)
      sources.append(RowSource(batch, offset: 0, count: batch.rowCount))
    }
    guard let first = sources.first else { return false }
    let batch = sources.count == 1 ? first.batch : try RecordBatch(gathering: sources, schema: schema)
    batch.export(offset: 0, count: batch.rowCount, to: array)
    return true
  }

  private func convert(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    array.initialize(to: ArrowArray())
    guard var chunk = try fetch() else { return false }
    defer { v1.pointee.destroy_data_chunk(&chunk) }
    try v1Check(v1.pointee.data_chunk_to_arrow(options, chunk, array))
    return true
  }

  func drain() throws(CacheError) {
    while var chunk = try fetch() { v1.pointee.destroy_data_chunk(&chunk) }
  }

  private func fetch() throws(CacheError) -> OpaquePointer?? {
    // DuckDB must not be asked again after the end.
    guard !isAtEnd else { return nil }
    guard let chunk = v1.pointee.fetch_chunk(result) else {
      isAtEnd = true
      if let message = v1.pointee.result_error(&result), message.pointee != 0 { throw queryError(String(cString: message)) }
      return nil
    }
    return .some(chunk)
  }
}
