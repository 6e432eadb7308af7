import CDuckDB
import Primitives

/// An owned value of DuckDB's second API.
final class V2Value: HandleOwner {
  let rawHandle: OpaquePointer?

  init(adopting handle: OpaquePointer?) { rawHandle = handle }

  deinit {
    var handle = rawHandle
    _ = v2.pointee.value_destroy(&handle)
  }

  private convenience init(_ create: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<OpaquePointer?>) -> Int32) throws(V2Failure) {
    var value: OpaquePointer?
    try v2Call { error in create(&value, error) }
    self.init(adopting: value)
  }

  /// DuckDB's form of a parameter.
  static func make(_ value: QueryValue, factory: OpaquePointer?) throws(V2Failure) -> V2Value {
    let api = v2.pointee
    switch value {
    case .null:
      let type = try V2Type(factory: factory, named: "\"NULL\"")
      return try type.lend { (type) throws(V2Failure) in try V2Value { api.value_create_null(factory, type, $0, $1) } }
    case .bool(let value): return try V2Value { api.value_create_bool(factory, value, $0, $1) }
    case .int(let value):
      // As DuckDB's own client: the literal's type, so that `?` behaves like the number written out.
      if let small = Int32(exactly: value) { return try V2Value { api.value_create_int(factory, small, $0, $1) } }
      return try V2Value { api.value_create_bigint(factory, value, $0, $1) }
    case .uint(let value): return try V2Value { api.value_create_ubigint(factory, value, $0, $1) }
    case .hugeInt(let value):
      var huge = duckdb_hugeint(value)
      return try V2Value { api.value_create_hugeint(factory, &huge, $0, $1) }
    case .double(let value): return try V2Value { api.value_create_double(factory, value, $0, $1) }
    case .text(let text): return try withV2Text(text) { (view) throws(V2Failure) in try V2Value { api.value_create_varchar(factory, view, $0, $1) } }
    case .blob(let bytes):
      return try bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) -> Result<V2Value, V2Failure> in
        var view = duckdb_v2_text(ptr: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: UInt64(bytes.count))
        return Result { () throws(V2Failure) in try V2Value { api.value_create_blob(factory, &view, $0, $1) } }
      }.get()
    case .date(let days): return try V2Value { api.value_create_date(factory, days, $0, $1) }
    case .time(let micros): return try V2Value { api.value_create_time(factory, micros, $0, $1) }
    case .timestamp(let micros): return try V2Value { api.value_create_timestamp(factory, micros, $0, $1) }
    case .timestampTZ(let micros): return try V2Value { api.value_create_timestamp_tz(factory, micros, $0, $1) }
    case .timestampNanos(let nanos): return try V2Value { api.value_create_timestamp_ns(factory, nanos, $0, $1) }
    case .interval(let months, let days, let micros):
      var interval = duckdb_interval(months: months, days: days, micros: micros)
      return try V2Value { api.value_create_interval(factory, &interval, $0, $1) }
    case .decimal(let unscaled, let width, let scale):
      var huge = duckdb_hugeint(unscaled)
      return try V2Value { api.value_create_decimal(factory, &huge, UInt8(clamping: width), UInt8(clamping: scale), $0, $1) }
    case .uuid(let text):
      let value = try make(.text(text), factory: factory)
      let type = try V2Type(factory: factory, id: V2TypeID.uuid)
      return try value.lend { (value) throws(V2Failure) in
        try type.lend { (type) throws(V2Failure) in try V2Value { api.value_cast(factory, value, type, $0, $1) } }
      }
    case .list(let elements): return try list(elements, factory: factory)
    case .structure(let fields):
      let values = try fields.map { (field) throws(V2Failure) in try make(field.value, factory: factory) }
      return try values.lend { (handles) throws(V2Failure) in
        try withTexts(fields.map(\.name)) { (names) throws(V2Failure) in
          try V2Value { api.value_create_struct(factory, names, handles, UInt64(handles.count), $0, $1) }
        }
      }
    }
  }

  /// A list; DuckDB finds the type that holds all its elements.
  private static func list(_ elements: [QueryValue], factory: OpaquePointer?) throws(V2Failure) -> V2Value {
    let values = try elements.map { (element) throws(V2Failure) in try make(element, factory: factory) }
    let child = values.isEmpty ? try V2Type(factory: factory, named: "\"NULL\"") : nil
    return try values.lend { (handles) throws(V2Failure) in
      let list = try V2Value { v2.pointee.value_create_list(factory, child?.rawHandle, handles, UInt64(handles.count), $0, $1) }
      withExtendedLifetime(child) {}
      return list
    }
  }
}

/// Lends several strings to a call.
func withTexts<Result>(_ strings: [String], _ body: ([duckdb_v2_text]) throws(V2Failure) -> Result) throws(V2Failure) -> Result {
  let copies = strings.map { string in
    let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: max(1, string.utf8.count))
    _ = buffer.initialize(fromContentsOf: string.utf8.map { CChar(bitPattern: $0) })
    return (buffer, string.utf8.count)
  }
  defer { copies.forEach { $0.0.deallocate() } }
  return try body(copies.map { duckdb_v2_text(ptr: UnsafePointer($0.0.baseAddress), len: UInt64($0.1)) })
}

extension duckdb_hugeint {
  init(_ value: Int128) {
    self.init(lower: UInt64(truncatingIfNeeded: value), upper: Int64(truncatingIfNeeded: value >> 64))
  }
}
