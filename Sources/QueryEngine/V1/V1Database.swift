import ArrowData
import CDuckDB
import CacheStore
import Primitives

/// DuckDB through its stable C API (1.5 and later): scans without skipping, results converted chunk by chunk.
final class V1Database: Database, @unchecked Sendable {
  let engineName = "v1"
  let scanFunction: String
  let tableFunction: String
  private(set) var handle: OpaquePointer?
  /// What DuckDB's Arrow conversion wants a connection for; runs no statement.
  private var connection: OpaquePointer?

  /// Opens an in-memory database and registers the scan and the names of the cached tables.
  init(content: DatabaseContent, settings: [(name: String, value: String)]) throws(CacheError) {
    // With a number nobody can guess: the stable API takes no qualified name, and a macro of the user's must not stand in for the scan.
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    (scanFunction, tableFunction) = ("\(TableName.scanFunction)_\(number)", "\(InternalTable.scanFunction)_\(number)")
    var config: OpaquePointer?
    guard v1.pointee.create_config(&config) == 0 else { throw CacheError(.duckdb, "DuckDB could not make a configuration") }
    defer { v1.pointee.destroy_config(&config) }
    for setting in settings where v1.pointee.set_config(config, setting.name, setting.value) != 0 {
      throw CacheError(.duckdb, "DuckDB does not take the setting \(setting.name) = \(setting.value)")
    }
    var message: UnsafeMutablePointer<CChar>?
    guard v1.pointee.open_ext(nil, &handle, config, &message) == 0 else {
      defer { v1.pointee.free(message) }
      throw CacheError(.duckdb, "DuckDB could not be opened", cause: text(message))
    }
    guard v1.pointee.connect(handle, &connection) == 0 else { throw CacheError(.duckdb, "DuckDB could not open a connection") }
    let converter = V1ConverterConnection(lending: connection)
    for (name, scan) in [(scanFunction, content.entries), (tableFunction, content.tables)] {
      try V1Scan.register(name, on: connection, context: V1Context(scan: scan, database: handle, converter: converter))
    }
    v1.pointee.add_replacement_scan(handle, V1Scan.replace, owned(V1Names(store: content.store, scanFunction: scanFunction)), releaseOwned)
  }

  deinit {
    // DuckDB holds the context and lives as long as a connection: the context must own none.
    v1.pointee.disconnect(&connection)
    v1.pointee.close(&handle)
  }

  func connect() throws(CacheError) -> any Connection {
    var connection: OpaquePointer?
    guard v1.pointee.connect(handle, &connection) == 0 else { throw CacheError(.duckdb, "DuckDB could not open a connection") }
    return V1Connection(connection, database: self)
  }
}

/// What stands behind the names `_cache_<key>`.
final class V1Names: Sendable {
  let store: Store
  let scanFunction: String

  init(store: Store, scanFunction: String) { (self.store, self.scanFunction) = (store, scanFunction) }
}

/// What the callbacks of a scan of the first API are given.
final class V1Context: @unchecked Sendable {
  let scan: ScanContext
  private let database: OpaquePointer?
  private let converter: V1ConverterConnection

  init(scan: ScanContext, database: OpaquePointer?, converter: V1ConverterConnection) {
    (self.scan, self.database, self.converter) = (scan, database, converter)
  }

  /// The connection that converts columns of this schema. Extension types are looked up in the catalog, as a transaction of its own
  /// sees it now.
  func converter(for schema: Schema) throws(CacheError) -> V1ConverterConnection {
    guard schema.fields.contains(where: \.hasExtension) else { return converter }
    var handle: OpaquePointer?
    guard v1.pointee.connect(database, &handle) == 0 else { throw CacheError(.duckdb, "DuckDB could not open a connection") }
    let connection = V1ConverterConnection(owning: handle)
    var result = duckdb_v1_result()
    defer { v1.pointee.destroy_result(&result) }
    guard v1.pointee.query(handle, "BEGIN TRANSACTION", &result) == 0 else { throw queryError(text(v1.pointee.result_error(&result))) }
    return connection
  }
}

/// What DuckDB's Arrow conversion wants a connection for; runs no statement of a user's.
final class V1ConverterConnection: @unchecked Sendable {
  let handle: OpaquePointer?
  private let isOwned: Bool

  init(owning handle: OpaquePointer?) { (self.handle, isOwned) = (handle, true) }
  init(lending handle: OpaquePointer?) { (self.handle, isOwned) = (handle, false) }

  deinit {
    guard isOwned else { return }
    var handle = handle
    v1.pointee.disconnect(&handle)
  }
}

extension Field {
  fileprivate var hasExtension: Bool { isExtension || children.contains { $0.hasExtension } || dictionary?.hasExtension ?? false }
}

/// Throws what an error object of the first API says, and destroys it.
func v1Check(_ error: OpaquePointer?) throws(CacheError) {
  var error = error
  guard error != nil else { return }
  defer { v1.pointee.destroy_error_data(&error) }
  if v1.pointee.error_data_has_error(error) { throw queryError(text(v1.pointee.error_data_message(error))) }
}

/// Numbers of DuckDB's first API.
enum V1TypeID {
  static let varchar: Int32 = 17, blob: Int32 = 18

  static func of(_ type: ColumnKind.SQLType) -> Int32 {
    switch type {
    case .boolean: 1
    case .tinyint: 2
    case .smallint: 3
    case .integer: 4
    case .bigint: 5
    case .utinyint: 6
    case .usmallint: 7
    case .uinteger: 8
    case .ubigint: 9
    case .float: 10
    case .double: 11
    case .timestamp: 12
    case .date: 13
    case .time: 14
    case .varchar: varchar
    case .blob: blob
    case .timestampS: 20
    case .timestampMS: 21
    case .timestampNS: 22
    case .timestampTZ: 31
    }
  }
}

/// An owned logical type.
final class V1Type: HandleOwner {
  let rawHandle: OpaquePointer?

  init(adopting handle: OpaquePointer?) { rawHandle = handle }
  convenience init(id: Int32) { self.init(adopting: v1.pointee.create_logical_type(id)) }

  deinit {
    var handle = rawHandle
    v1.pointee.destroy_logical_type(&handle)
  }
}
