import CDuckDB
import Primitives

/// A failed call of DuckDB's second API.
struct V2Failure: Error {
  let code: Int32
  let message: String

  static let interrupted: Int32 = 8003
  static let inputInvalid: Int32 = 2001
  static let metadataDeferred: Int32 = 2005

  var cacheError: CacheError {
    code == V2Failure.interrupted ? CacheError(.interrupted, "the query was interrupted") : queryError(message)
  }
}

/// Calls a function of the second API; `body` passes the error slot on and returns the function's code.
@inline(__always)
func v2Call(_ body: (UnsafeMutablePointer<OpaquePointer?>) -> Int32) throws(V2Failure) {
  var details: OpaquePointer?
  let code = body(&details)
  guard code != 0 else { return }
  defer { _ = v2.pointee.error_info_destroy(&details) }
  var message = duckdb_v2_text()
  if details != nil { _ = v2.pointee.error_info_get_text(details, &message) }
  throw V2Failure(code: code, message: message.len == 0 ? "DuckDB error \(code)" : v2String(message))
}

/// The same where the caller's errors are the cache's.
func v2Query(_ body: (UnsafeMutablePointer<OpaquePointer?>) -> Int32) throws(CacheError) {
  do { try v2Call(body) } catch { throw error.cacheError }
}

func v2String(_ text: duckdb_v2_text) -> String {
  guard let pointer = text.ptr, text.len > 0 else { return "" }
  return String(decoding: UnsafeRawBufferPointer(start: pointer, count: Int(text.len)), as: UTF8.self)
}

/// Lends a string to a call.
func withV2Text<Result, Failure: Error>(
  _ string: String, _ body: (UnsafePointer<duckdb_v2_text>) throws(Failure) -> Result
) throws(Failure) -> Result {
  let bytes = string.utf8.map { CChar(bitPattern: $0) }
  let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: max(1, bytes.count))
  defer { buffer.deallocate() }
  _ = buffer.initialize(fromContentsOf: bytes)
  var view = duckdb_v2_text(ptr: UnsafePointer(buffer.baseAddress), len: UInt64(bytes.count))
  return try body(&view)
}

/// Reports a failure of a callback to DuckDB.
func v2Fail(_ slot: UnsafeMutablePointer<OpaquePointer?>?, _ message: String) {
  guard let slot else { return }
  _ = v2.pointee.error_info_set_code(slot.pointee, V2Failure.inputInvalid)
  withV2Text(message) { _ = v2.pointee.error_info_set_text(slot.pointee, $0) }
}

/// An object that DuckDB takes and releases.
func v2Owned(_ object: AnyObject) -> duckdb_v2_owned {
  duckdb_v2_owned(ptr: owned(object), destroy: releaseOwned, equals: nil)
}

/// Numbers of DuckDB's second API.
enum V2TypeID {
  static let boolean: Int32 = 10, tinyint: Int32 = 11, smallint: Int32 = 12, integer: Int32 = 13, bigint: Int32 = 14
  static let date: Int32 = 15, time: Int32 = 16, timestampS: Int32 = 17, timestampMS: Int32 = 18, timestamp: Int32 = 19
  static let timestampNS: Int32 = 20, decimal: Int32 = 21, float: Int32 = 22, double: Int32 = 23, varchar: Int32 = 25, blob: Int32 = 26
  static let utinyint: Int32 = 28, usmallint: Int32 = 29, uinteger: Int32 = 30, ubigint: Int32 = 31, timestampTZ: Int32 = 32
  static let uuid: Int32 = 54, geometry: Int32 = 60

  static func of(_ type: ColumnKind.SQLType) -> Int32 {
    switch type {
    case .boolean: boolean
    case .tinyint: tinyint
    case .smallint: smallint
    case .integer: integer
    case .bigint: bigint
    case .utinyint: utinyint
    case .usmallint: usmallint
    case .uinteger: uinteger
    case .ubigint: ubigint
    case .float: float
    case .double: double
    case .date: date
    case .time: time
    case .timestamp: timestamp
    case .timestampS: timestampS
    case .timestampMS: timestampMS
    case .timestampNS: timestampNS
    case .timestampTZ: timestampTZ
    case .varchar: varchar
    case .blob: blob
    }
  }
}

/// An owned logical type.
final class V2Type: HandleOwner {
  let rawHandle: OpaquePointer?

  init(adopting handle: OpaquePointer?) { rawHandle = handle }

  init(factory: OpaquePointer?, id: Int32) throws(V2Failure) {
    var type: OpaquePointer?
    try v2Call { v2.pointee.factory_create_type_from_id(factory, id, nil, nil, 0, &type, $0) }
    rawHandle = type
  }

  /// A copy of a type that belongs to someone else.
  init(copying borrowed: OpaquePointer?) throws(V2Failure) {
    var type: OpaquePointer?
    try v2Call { v2.pointee.logical_type_copy(borrowed, &type, $0) }
    rawHandle = type
  }

  init(factory: OpaquePointer?, named name: String) throws(V2Failure) {
    var type: OpaquePointer?
    try withV2Text(name) { (name) throws(V2Failure) in
      try v2Call { v2.pointee.factory_create_type_from_text(factory, name, &type, $0) }
    }
    rawHandle = type
  }

  deinit {
    var handle = rawHandle
    _ = v2.pointee.logical_type_destroy(&handle)
  }

  var id: Int32 {
    var id: Int32 = 0
    _ = v2.pointee.logical_type_get_id(rawHandle, &id, nil)
    return id
  }
}
