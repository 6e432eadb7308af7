import ArrowData
import CDuckDB

/// Constants in DuckDB's filters.
extension V2Filters {
  /// A constant that is not null.
  func value(_ expression: OpaquePointer?) -> V2Value? {
    guard kind(expression) == Kind.constant else { return nil }
    var handle: OpaquePointer?
    guard v2.pointee.expression_constant_get_value(expression, &handle, nil) == 0 else { return nil }
    let value = V2Value(adopting: handle)
    var isNull = true
    guard value.lend({ v2.pointee.value_is_null($0, &isNull, nil) }) == 0, !isNull else { return nil }
    return value
  }

  /// The constant as the column's statistics count, where both have the same unit and kind.
  func literal(_ expression: OpaquePointer?, for operand: Operand) -> Predicate.Literal? {
    guard let value = value(expression) else { return nil }
    let type = returnType(expression)
    switch operand.format {
    case "b":
      var flag = false
      guard type == V2TypeID.boolean, value.lend({ v2.pointee.value_get_bool($0, &flag, nil) }) == 0 else { return nil }
      return .int(flag ? 1 : 0)
    case "c", "s", "i", "l": return signed(value, type).map { .int($0) }
    case "C", "S", "I", "L":
      if let number = unsigned(value, type) { return .uint(number) }
      return signed(value, type).flatMap { UInt64(exactly: $0) }.map { .uint($0) }
    case "f", "g": return double(value, type).map { .double($0) }
    case "u", "U", "vu": return type == V2TypeID.varchar ? .bytes(bytes(value)) : nil
    case "tdD":
      if operand.cast == .dateToTimestamp { return type == V2TypeID.timestamp ? .int(read(value, v2.pointee.value_get_timestamp, 0 as Int64)) : nil }
      return type == V2TypeID.date ? .int(Int64(read(value, v2.pointee.value_get_date, 0 as Int32))) : nil
    case "ttu": return type == V2TypeID.time ? .int(read(value, v2.pointee.value_get_time, 0 as Int64)) : nil
    case "tss:": return type == V2TypeID.timestampS ? .int(read(value, v2.pointee.value_get_timestamp_sec, 0 as Int64)) : nil
    case "tsm:": return type == V2TypeID.timestampMS ? .int(read(value, v2.pointee.value_get_timestamp_ms, 0 as Int64)) : nil
    case "tsu:": return type == V2TypeID.timestamp ? .int(read(value, v2.pointee.value_get_timestamp, 0 as Int64)) : nil
    case "tsn:": return type == V2TypeID.timestampNS ? .int(read(value, v2.pointee.value_get_timestamp_ns, 0 as Int64)) : nil
    default:
      if operand.format.hasPrefix("d:") { return decimal(value, type, operand.format) }
      guard operand.format.hasPrefix("tsu:"), type == V2TypeID.timestampTZ else { return nil }
      return .int(read(value, v2.pointee.value_get_timestamp_tz, 0 as Int64))
    }
  }

  typealias Getter<Number> = (OpaquePointer?, UnsafeMutablePointer<Number>?, UnsafeMutablePointer<OpaquePointer?>?) -> Int32

  func read<Number>(_ value: V2Value, _ get: Getter<Number>, _ zero: Number) -> Number {
    var number = zero
    _ = value.lend { get($0, &number, nil) }
    return number
  }

  private func signed(_ value: V2Value, _ type: Int32) -> Int64? {
    switch type {
    case V2TypeID.tinyint: Int64(read(value, v2.pointee.value_get_tinyint, 0 as Int8))
    case V2TypeID.smallint: Int64(read(value, v2.pointee.value_get_smallint, 0 as Int16))
    case V2TypeID.integer: Int64(read(value, v2.pointee.value_get_int, 0 as Int32))
    case V2TypeID.bigint: read(value, v2.pointee.value_get_bigint, 0 as Int64)
    default: nil
    }
  }

  private func unsigned(_ value: V2Value, _ type: Int32) -> UInt64? {
    switch type {
    case V2TypeID.utinyint: UInt64(read(value, v2.pointee.value_get_utinyint, 0 as UInt8))
    case V2TypeID.usmallint: UInt64(read(value, v2.pointee.value_get_usmallint, 0 as UInt16))
    case V2TypeID.uinteger: UInt64(read(value, v2.pointee.value_get_uint, 0 as UInt32))
    case V2TypeID.ubigint: read(value, v2.pointee.value_get_ubigint, 0 as UInt64)
    default: nil
    }
  }

  private func double(_ value: V2Value, _ type: Int32) -> Double? {
    let number: Double? =
      switch type {
      case V2TypeID.float: Double(read(value, v2.pointee.value_get_float, 0 as Float))
      case V2TypeID.double: read(value, v2.pointee.value_get_double, 0 as Double)
      default: nil
      }
    return number.flatMap { $0.isNaN ? nil : $0 }
  }

  /// In units of the column's last digit, where the constant has as many of them.
  private func decimal(_ value: V2Value, _ type: Int32, _ format: String) -> Predicate.Literal? {
    var (number, width, scale) = (duckdb_hugeint(), UInt8(0), UInt8(0))
    let parts = format.dropFirst(2).split(separator: ",")
    guard type == V2TypeID.decimal, parts.count > 1, value.lend({ v2.pointee.value_get_decimal($0, &number, &width, &scale, nil) }) == 0,
      Int(parts[1]) == Int(scale)
    else { return nil }
    let low = Int64(bitPattern: number.lower)
    return number.upper == low >> 63 ? .int(low) : nil
  }

  func bytes(_ value: V2Value) -> [UInt8] {
    value.lend { handle in
      var view = duckdb_v2_text()
      guard v2.pointee.value_get_varchar(handle, &view, nil) == 0, let pointer = view.ptr else { return [] }
      return Array(UnsafeRawBufferPointer(start: pointer, count: Int(view.len)))
    }
  }
}
