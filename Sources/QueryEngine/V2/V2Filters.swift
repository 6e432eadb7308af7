import ArrowData
import CDuckDB

/// Translates the filters that DuckDB 2.0 offers a scan into predicates over statistics. What is not understood is `unknown`,
/// which skips nothing.
struct V2Filters {
  private let schema: Schema
  /// The scan's columns, which column references count.
  private let columns: [Int]
  private let context: OpaquePointer?

  static func predicates(_ info: OpaquePointer?, schema: Schema, context: OpaquePointer?) -> [Predicate] {
    var columnCount: UInt64 = 0
    _ = v2.pointee.table_function_filter_pushdown_get_column_count(info, &columnCount, nil)
    let columns = (0..<columnCount).map { position in
      var column: UInt64 = .max
      _ = v2.pointee.table_function_filter_pushdown_get_column_index(info, position, &column, nil)
      return Int(exactly: column) ?? -1
    }
    let filters = V2Filters(schema: schema, columns: columns, context: context)
    var count: UInt64 = 0
    _ = v2.pointee.table_function_filter_pushdown_get_filter_count(info, &count, nil)
    return (0..<count).map { index in
      var filter: OpaquePointer?
      guard v2.pointee.table_function_filter_pushdown_get_filter(info, index, &filter, nil) == 0 else { return .unknown }
      return filters.predicate(filter)
    }
  }

  private enum Kind {
    static let cast: Int32 = 12, not: Int32 = 13, isNull: Int32 = 14, isNotNull: Int32 = 15
    static let equal: Int32 = 25, notEqual: Int32 = 26, less: Int32 = 27, greater: Int32 = 28, lessOrEqual: Int32 = 29, greaterOrEqual: Int32 = 30
    static let isIn: Int32 = 35, notIn: Int32 = 36, distinct: Int32 = 37, between: Int32 = 38, notDistinct: Int32 = 40, and: Int32 = 50, or: Int32 = 51
    static let constant: Int32 = 75, function: Int32 = 141, column: Int32 = 228
  }

  private func predicate(_ expression: OpaquePointer?) -> Predicate {
    let children = children(expression)
    switch kind(expression) {
    case Kind.and: return .and(children.map(predicate))
    case Kind.or: return .or(children.map(predicate))
    case Kind.column: return flag(expression, is: 1)
    case Kind.not where children.first.map(kind) == Kind.isIn: return noneOf(self.children(children[0]))
    case Kind.not: return children.first.map { flag($0, is: 0) } ?? .unknown
    case Kind.isNull: return children.first.flatMap(column).flatMap(nulls(of:)) ?? .unknown
    case Kind.isNotNull: return children.first.flatMap(column).map { $0.isEncoded ? .unknown : .isNotNull(column: $0.index) } ?? .unknown
    case Kind.isIn:
      guard children.count > 1, let operand = column(children[0]) else { return .unknown }
      let literals = operand.isPlain ? children.dropFirst().compactMap { literal($0, for: operand) } : []
      if literals.count == children.count - 1 { return .isIn(column: operand.index, literals) }
      return .or(children.dropFirst().map { compare(operand, .equal, $0) })
    case Kind.notIn: return noneOf(children)
    case Kind.distinct:
      guard children.count == 2, let operand = column(children[0]) ?? column(children[1]), let isNull = nulls(of: operand) else { return .unknown }
      return .or([isNull, compare(operand, .notEqual, column(children[0]) == nil ? children[0] : children[1])])
    case Kind.between:
      guard children.count == 3, let operand = column(children[0]) else { return .unknown }
      return .and([compare(operand, .greaterOrEqual, children[1]), compare(operand, .lessOrEqual, children[2])])
    case Kind.function where ["&&", "st_intersects_extent"].contains(functionName(expression)):
      guard children.count == 2 else { return .unknown }
      return meets(children[0], children[1]) ?? meets(children[1], children[0]) ?? .unknown
    case Kind.function:
      guard ["prefix", "starts_with", "^@"].contains(functionName(expression)), children.count == 2, let operand = column(children[0]),
        operand.isPlain, case .bytes(let bytes)? = literal(children[1], for: operand)
      else { return .unknown }
      return .prefix(column: operand.index, bytes)
    case let kind:
      guard let comparison = comparison(kind), children.count == 2 else { return .unknown }
      if let operand = column(children[0]) { return compare(operand, comparison, children[1]) }
      if let operand = column(children[1]) { return compare(operand, flipped(comparison), children[0]) }
      return .unknown
    }
  }

  /// Longer lists of what is left out hardly ever leave few rows.
  private static let mostExcluded = 16

  /// A column, and the values that it must not have.
  private func noneOf(_ children: [OpaquePointer?]) -> Predicate {
    guard (2...Self.mostExcluded + 1).contains(children.count), let operand = column(children[0]) else { return .unknown }
    return .and(children.dropFirst().map { compare(operand, .notEqual, $0) })
  }

  /// nil where statistics do not know of all nulls: those among a dictionary's own values.
  private func nulls(of operand: Operand) -> Predicate? { operand.isEncoded ? nil : .isNull(column: operand.index) }

  /// Whether the boxes around a column's geometry and a constant one meet.
  private func meets(_ column: OpaquePointer?, _ constant: OpaquePointer?) -> Predicate? {
    var position: UInt64 = 0
    guard kind(column) == Kind.column, v2.pointee.expression_column_ref_get_index(column, &position, nil) == 0, let position = Int(exactly: position),
      columns.indices.contains(position), schema.fields.indices.contains(columns[position]), schema.fields[columns[position]].isWellKnownBinary,
      let value = value(constant), returnType(constant) == V2TypeID.geometry, let box = WellKnownText.box(geometryText(value))
    else { return nil }
    return .meets(column: columns[position], box)
  }

  /// DuckDB's text of a geometry.
  private func geometryText(_ value: V2Value) -> String {
    var factory: OpaquePointer?
    var text: OpaquePointer?
    do throws(V2Failure) {
      try v2Call { v2.pointee.context_get_factory(context, &factory, $0) }
      let type = try V2Type(factory: factory, id: V2TypeID.varchar)
      try type.lend { (type) throws(V2Failure) in
        try value.lend { (value) throws(V2Failure) in try v2Call { v2.pointee.value_cast(factory, value, type, &text, $0) } }
      }
    } catch {
      return ""
    }
    return String(decoding: bytes(V2Value(adopting: text)), as: UTF8.self)
  }

  /// A column of booleans by itself.
  private func flag(_ expression: OpaquePointer?, is value: Int64) -> Predicate {
    guard kind(expression) == Kind.column, let operand = column(expression), operand.format == "b" else { return .unknown }
    return .compare(column: operand.index, .equal, .int(value))
  }

  /// A column of ours, perhaps under a cast that keeps its order.
  private struct Operand {
    enum Cast { case none, widened, dateToTimestamp }
    let index: Int
    /// Of the values, where the column has a dictionary of them.
    let format: String
    let isEncoded: Bool
    let cast: Cast
    var isPlain: Bool { cast == .none }

    func cast(_ cast: Cast) -> Operand { Operand(index: index, format: format, isEncoded: isEncoded, cast: cast) }
  }

  private func column(_ expression: OpaquePointer?) -> Operand? {
    switch kind(expression) {
    case Kind.column:
      var position: UInt64 = 0
      guard v2.pointee.expression_column_ref_get_index(expression, &position, nil) == 0, let position = Int(exactly: position),
        columns.indices.contains(position), schema.fields.indices.contains(columns[position])
      else { return nil }
      let field = schema.fields[columns[position]]
      let values = field.dictionary ?? field
      guard !field.isExtension, !values.isExtension, values.dictionary == nil else { return nil }
      return Operand(index: columns[position], format: values.format, isEncoded: field.dictionary != nil, cast: .none)
    case Kind.cast:
      guard let inner = children(expression).first, let operand = column(inner), operand.isPlain else { return nil }
      let from = returnType(inner)
      let to = returnType(expression)
      let signed = V2TypeID.tinyint...V2TypeID.bigint
      let unsigned = V2TypeID.utinyint...V2TypeID.ubigint
      let isWidened =
        signed.contains(from) && signed.contains(to) && to >= from
        || unsigned.contains(from) && unsigned.contains(to) && to >= from
        || unsigned.contains(from) && signed.contains(to) && to - V2TypeID.tinyint > from - V2TypeID.utinyint
        || from == V2TypeID.float && to == V2TypeID.double
      if isWidened { return operand.cast(.widened) }
      if from == V2TypeID.date, to == V2TypeID.timestamp { return operand.cast(.dateToTimestamp) }
      return nil
    default: return nil
    }
  }

  private func compare(_ operand: Operand, _ comparison: Predicate.Comparison, _ constant: OpaquePointer?) -> Predicate {
    if let judged = compareUnits(operand, comparison, constant) { return judged }
    guard let literal = literal(constant, for: operand) else { return .unknown }
    guard operand.cast == .dateToTimestamp else { return .compare(column: operand.index, comparison, literal) }
    // The column has days, the literal microseconds.
    guard case .int(let micros) = literal else { return .unknown }
    return compare(operand.index, comparison, micros, unitsPerValue: 86_400_000_000)
  }

  /// A comparison with a literal in a finer unit than the column's: with the value that it falls on, which stays within the bounds.
  private func compare(_ column: Int, _ comparison: Predicate.Comparison, _ literal: Int64, unitsPerValue: Int64) -> Predicate {
    let value = literal >= 0 ? literal / unitsPerValue : -((-(literal + 1)) / unitsPerValue) - 1
    switch comparison {
    case .equal: return .compare(column: column, .equal, .int(value))
    case .less, .lessOrEqual: return .compare(column: column, .lessOrEqual, .int(value))
    case .greater, .greaterOrEqual: return .compare(column: column, .greaterOrEqual, .int(value))
    case .notEqual: return .unknown
    }
  }

  /// The same in a coarser unit, to which DuckDB has brought the column, in whichever direction.
  private func compare(_ column: Int, _ comparison: Predicate.Comparison, _ literal: Int64, valuesPerUnit: Int64) -> Predicate {
    let (value, overflow) = literal.multipliedReportingOverflow(by: valuesPerUnit)
    let (low, isTooLow) = value.subtractingReportingOverflow(valuesPerUnit - 1)
    let (high, isTooHigh) = value.addingReportingOverflow(valuesPerUnit - 1)
    guard !overflow, !isTooLow, !isTooHigh else { return .unknown }
    let (atLeast, atMost) = (Predicate.compare(column: column, .greaterOrEqual, .int(low)), Predicate.compare(column: column, .lessOrEqual, .int(high)))
    switch comparison {
    case .equal: return .and([atLeast, atMost])
    case .less, .lessOrEqual: return atMost
    case .greater, .greaterOrEqual: return atLeast
    case .notEqual: return .unknown
    }
  }

  /// Comparisons of columns whose unit is not DuckDB's; nil: it is.
  private func compareUnits(_ operand: Operand, _ comparison: Predicate.Comparison, _ constant: OpaquePointer?) -> Predicate? {
    func micros(_ wanted: Int32, _ get: Getter<Int64>) -> Int64? { value(constant).flatMap { returnType(constant) == wanted ? read($0, get, 0) : nil } }
    func days() -> Int64? {
      value(constant).flatMap { returnType(constant) == V2TypeID.date ? Int64(read($0, v2.pointee.value_get_date, 0 as Int32)) : nil }
    }
    guard operand.isPlain else { return nil }
    let zoned = operand.format.hasPrefix("ts") && operand.format.utf8.count > 4
    switch operand.format {
    case "tdm": return days().map { compare(operand.index, comparison, $0, valuesPerUnit: 86_400_000) } ?? .unknown
    case "tts": return micros(V2TypeID.time, v2.pointee.value_get_time).map { compare(operand.index, comparison, $0, unitsPerValue: 1_000_000) } ?? .unknown
    case "ttm": return micros(V2TypeID.time, v2.pointee.value_get_time).map { compare(operand.index, comparison, $0, unitsPerValue: 1000) } ?? .unknown
    case let format where zoned && !format.hasPrefix("tsu:"):
      guard let literal = micros(V2TypeID.timestampTZ, v2.pointee.value_get_timestamp_tz) else { return .unknown }
      if format.hasPrefix("tss:") { return compare(operand.index, comparison, literal, unitsPerValue: 1_000_000) }
      if format.hasPrefix("tsm:") { return compare(operand.index, comparison, literal, unitsPerValue: 1000) }
      return format.hasPrefix("tsn:") ? compare(operand.index, comparison, literal, valuesPerUnit: 1000) : .unknown
    default: return nil
    }
  }

  /// A constant that is not null.
  private func value(_ expression: OpaquePointer?) -> V2Value? {
    guard kind(expression) == Kind.constant else { return nil }
    var handle: OpaquePointer?
    guard v2.pointee.expression_constant_get_value(expression, &handle, nil) == 0 else { return nil }
    let value = V2Value(adopting: handle)
    var isNull = true
    guard value.lend({ v2.pointee.value_is_null($0, &isNull, nil) }) == 0, !isNull else { return nil }
    return value
  }

  /// The constant as the column's statistics count, where both have the same unit and kind.
  private func literal(_ expression: OpaquePointer?, for operand: Operand) -> Predicate.Literal? {
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

  private typealias Getter<Number> = (OpaquePointer?, UnsafeMutablePointer<Number>?, UnsafeMutablePointer<OpaquePointer?>?) -> Int32

  private func read<Number>(_ value: V2Value, _ get: Getter<Number>, _ zero: Number) -> Number {
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

  private func bytes(_ value: V2Value) -> [UInt8] {
    value.lend { handle in
      var view = duckdb_v2_text()
      guard v2.pointee.value_get_varchar(handle, &view, nil) == 0, let pointer = view.ptr else { return [] }
      return Array(UnsafeRawBufferPointer(start: pointer, count: Int(view.len)))
    }
  }

  // MARK: Reading expressions

  private func kind(_ expression: OpaquePointer?) -> Int32 {
    var kind: Int32 = 0
    _ = v2.pointee.expression_get_type(expression, &kind, nil)
    return kind
  }

  private func children(_ expression: OpaquePointer?) -> [OpaquePointer?] {
    var count: UInt64 = 0
    _ = v2.pointee.expression_get_child_count(expression, &count, nil)
    return (0..<count).map { index in
      var child: OpaquePointer?
      _ = v2.pointee.expression_get_child(expression, index, &child, nil)
      return child
    }
  }

  private func returnType(_ expression: OpaquePointer?) -> Int32 {
    var type: OpaquePointer?
    guard v2.pointee.expression_get_return_type(expression, &type, nil) == 0 else { return 0 }
    return V2Type(adopting: type).id
  }

  private func functionName(_ expression: OpaquePointer?) -> String {
    var name = duckdb_v2_text()
    guard v2.pointee.expression_function_get_name(expression, &name, nil) == 0 else { return "" }
    return v2String(name)
  }

  private func comparison(_ kind: Int32) -> Predicate.Comparison? {
    switch kind {
    case Kind.equal, Kind.notDistinct: .equal
    case Kind.notEqual: .notEqual
    case Kind.less: .less
    case Kind.greater: .greater
    case Kind.lessOrEqual: .lessOrEqual
    case Kind.greaterOrEqual: .greaterOrEqual
    default: nil
    }
  }

  private func flipped(_ comparison: Predicate.Comparison) -> Predicate.Comparison {
    switch comparison {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    case .equal, .notEqual: comparison
    }
  }
}
