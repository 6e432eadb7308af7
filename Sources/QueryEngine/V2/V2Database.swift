import CDuckDB
import CacheStore
import Primitives

/// DuckDB 2.0 through its second API.
final class V2Database: Database, @unchecked Sendable {
  let engineName = "v2"
  let scanFunction = "system.main.\(TableName.scanFunction)"
  let tableFunction = "system.main.\(InternalTable.scanFunction)"
  let edition: V2Edition
  private var environment: OpaquePointer?
  private var instance: OpaquePointer?

  /// Opens an in-memory database and registers the scan and the names of the cached tables.
  init(_ edition: V2Edition, content: DatabaseContent, settings: [(name: String, value: String)]) throws(CacheError) {
    self.edition = edition
    try v2Query { v2.pointee.environment_create(&environment, $0) }
    do throws(V2Failure) {
      try withTexts(settings.map(\.name)) { (names) throws(V2Failure) in
        try withTexts(settings.map(\.value)) { (values) throws(V2Failure) in
          try v2Call { v2.pointee.instance_create_with_options(environment, names, values, UInt64(settings.count), &instance, $0) }
        }
      }
      try withV2Text("memory") { (name) throws(V2Failure) in
        try withV2Text(":memory:") { (path) throws(V2Failure) in
          try v2Call { v2.pointee.instance_attach(instance, name, path, nil, true, $0) }
        }
      }
      try register(content)
    } catch {
      throw CacheError(.duckdb, "DuckDB could not be opened", cause: error.message)
    }
  }

  deinit {
    _ = v2.pointee.instance_destroy(&instance)
    _ = v2.pointee.environment_destroy(&environment)
  }

  func connect() throws(CacheError) -> any Connection { try connection() }

  private func connection() throws(CacheError) -> V2Connection {
    var handle: OpaquePointer?
    try v2Query { v2.pointee.connection_create(instance, &handle, $0) }
    return V2Connection(handle, database: self)
  }

  private func register(_ content: DatabaseContent) throws(V2Failure) {
    var connection: OpaquePointer?
    try v2Call { v2.pointee.connection_create(instance, &connection, $0) }
    defer { _ = v2.pointee.connection_destroy(&connection) }
    var factory: OpaquePointer?
    try v2Call { v2.pointee.connection_get_factory(connection, &factory, $0) }
    for (name, context) in [(TableName.scanFunction, content.entries), (InternalTable.scanFunction, content.tables)] {
      var function = try V2Scan.makeFunction(name, factory: factory, context: context)
      defer { _ = v2.pointee.table_function_destroy(&function) }
      try v2Call { v2.pointee.connection_register_table_function(connection, function, $0) }
    }
    var scan = try V2Names.makeReplacementScan(factory: factory, store: content.store)
    defer { _ = v2.pointee.replacement_scan_destroy(&scan) }
    try v2Call { v2.pointee.instance_register_replacement_scan(instance, scan, $0) }
  }
}
