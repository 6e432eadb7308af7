import CDuckDB
import Glibc
import Primitives

/// An owned value of DuckDB's first API.
final class V1Value: HandleOwner {
  let rawHandle: OpaquePointer?

  init(adopting handle: OpaquePointer?) { rawHandle = handle }

  deinit {
    var handle = rawHandle
    v1.pointee.destroy_value(&handle)
  }

  /// DuckDB's form of a parameter.
  static func make(_ value: QueryValue) throws(CacheError) -> V1Value {
    let handle: OpaquePointer?
    switch value {
    case .null: handle = v1.pointee.create_null_value()
    case .bool(let value): handle = v1.pointee.create_bool(value)
    case .int(let value):
      // As DuckDB's own client: the literal's type, so that `?` behaves like the number written out.
      handle = Int32(exactly: value).map { v1.pointee.create_int32($0) } ?? v1.pointee.create_int64(value)
    case .uint(let value): handle = v1.pointee.create_uint64(value)
    case .hugeInt(let value): handle = v1.pointee.create_hugeint(duckdb_hugeint(value))
    case .double(let value): handle = v1.pointee.create_double(value)
    case .text(let text):
      handle = text.utf8CString.withUnsafeBufferPointer { v1.pointee.create_varchar_length($0.baseAddress, UInt64($0.count - 1)) }
    case .blob(let bytes): handle = bytes.withUnsafeBufferPointer { v1.pointee.create_blob($0.baseAddress, UInt64($0.count)) }
    case .date(let days): handle = v1.pointee.create_date(duckdb_v1_date(days: days))
    case .time(let micros): handle = v1.pointee.create_time(duckdb_v1_time(micros: micros))
    case .timestamp(let micros): handle = v1.pointee.create_timestamp(duckdb_v1_timestamp(value: micros))
    case .timestampTZ(let micros): handle = v1.pointee.create_timestamp_tz(duckdb_v1_timestamp(value: micros))
    case .timestampNanos(let nanos): handle = v1.pointee.create_timestamp_ns(duckdb_v1_timestamp(value: nanos))
    case .interval(let months, let days, let micros):
      handle = v1.pointee.create_interval(duckdb_interval(months: months, days: days, micros: micros))
    case .decimal(let unscaled, let width, let scale):
      handle = v1.pointee.create_decimal(
        duckdb_v1_decimal(width: UInt8(clamping: width), scale: UInt8(clamping: scale), value: duckdb_hugeint(unscaled)))
    case .uuid(let text):
      let digits = text.filter { $0 != "-" }
      guard digits.utf8.count == 32, let bits = UInt128(digits, radix: 16) else {
        throw CacheError(.argument, "'\(text)' is not a UUID: needs 32 hexadecimal digits")
      }
      handle = v1.pointee.create_uuid(duckdb_hugeint(Int128(truncatingIfNeeded: bits)))
    case .list(let elements): return try list(elements)
    case .structure(let fields):
      let values = try fields.map { (field) throws(CacheError) in try make(field.value) }
      var names: [UnsafePointer<CChar>?] = fields.map { UnsafePointer(strdup($0.name)) }
      defer { names.forEach { free(UnsafeMutableRawPointer(mutating: $0)) } }
      // A value's type belongs to the value.
      var types = values.map { $0.lend { v1.pointee.get_value_type($0) } }
      let type = V1Type(adopting: v1.pointee.create_struct_type(&types, &names, UInt64(values.count)))
      handle = values.lend { handles in
        var handles = handles
        return type.lend { v1.pointee.create_struct_value($0, &handles) }
      }
    }
    guard handle != nil else { throw CacheError(.argument, "DuckDB does not take the parameter \(value)") }
    return V1Value(adopting: handle)
  }

  /// A list; its element type is that of the first element that is not null. The stable API has no common type.
  private static func list(_ elements: [QueryValue]) throws(CacheError) -> V1Value {
    var uniform = elements
    let hasDouble = elements.contains { if case .double = $0 { true } else { false } }
    let isUnsigned = elements.allSatisfy { element in
      switch element {
      case .uint, .null: true
      default: false
      }
    }
    uniform = elements.map { element in
      if case .uint(let value) = element, !isUnsigned { return hasDouble ? .double(Double(value)) : .hugeInt(Int128(value)) }
      if case .int(let value) = element { return hasDouble ? .double(Double(value)) : .hugeInt(Int128(value)) }
      return element
    }
    let fits = elements.allSatisfy { element in
      switch element {
      case .uint, .hugeInt: false
      default: true
      }
    }
    let values = try zip(elements, uniform).map { (element, wide) throws(CacheError) -> V1Value in
      if case .int(let value) = element, !hasDouble, fits { return V1Value(adopting: v1.pointee.create_int64(value)) }
      return try make(wide)
    }
    let model = zip(elements, values).first { if case .null = $0.0 { false } else { true } }?.1 ?? V1Value(adopting: v1.pointee.create_null_value())
    // The type belongs to the model value.
    let list = values.lend { handles in
      var handles = handles
      return model.lend { v1.pointee.create_list_value(v1.pointee.get_value_type($0), &handles, UInt64(handles.count)) }
    }
    guard list != nil else { throw CacheError(.argument, "DuckDB does not take a list of values of different types: make them one type") }
    return V1Value(adopting: list)
  }
}
