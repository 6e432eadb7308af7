import ArrowData
import CDuckDB

/// Columns of ours in DuckDB's filters, and comparisons of their values with constants.
extension V2Filters {
  /// A column of ours, perhaps under a cast that keeps its order.
  struct Operand {
    enum Cast { case none, widened, dateToTimestamp }
    let index: Int
    /// Of the values, where the column has a dictionary of them.
    let format: String
    let isEncoded: Bool
    let cast: Cast
    var isPlain: Bool { cast == .none }

    func cast(_ cast: Cast) -> Operand { Operand(index: index, format: format, isEncoded: isEncoded, cast: cast) }
  }

  func column(_ expression: OpaquePointer?) -> Operand? {
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

  func compare(_ operand: Operand, _ comparison: Predicate.Comparison, _ constant: OpaquePointer?) -> Predicate {
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
}
