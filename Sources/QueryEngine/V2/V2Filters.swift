import ArrowData
import CDuckDB

/// Translates the filters that DuckDB 2.0 offers a scan into predicates over statistics. What is not understood is `unknown`,
/// which skips nothing.
struct V2Filters {
  let schema: Schema
  /// The scan's columns, which column references count.
  let columns: [Int]
  let context: OpaquePointer?

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
}
