import ArrowData
import CDuckDB

/// What DuckDB's expressions are made of.
extension V2Filters {
  enum Kind {
    static let cast: Int32 = 12, not: Int32 = 13, isNull: Int32 = 14, isNotNull: Int32 = 15
    static let equal: Int32 = 25, notEqual: Int32 = 26, less: Int32 = 27, greater: Int32 = 28, lessOrEqual: Int32 = 29, greaterOrEqual: Int32 = 30
    static let isIn: Int32 = 35, notIn: Int32 = 36, distinct: Int32 = 37, between: Int32 = 38, notDistinct: Int32 = 40, and: Int32 = 50, or: Int32 = 51
    static let constant: Int32 = 75, function: Int32 = 141, column: Int32 = 228
  }

  func kind(_ expression: OpaquePointer?) -> Int32 {
    var kind: Int32 = 0
    _ = v2.pointee.expression_get_type(expression, &kind, nil)
    return kind
  }

  func children(_ expression: OpaquePointer?) -> [OpaquePointer?] {
    var count: UInt64 = 0
    _ = v2.pointee.expression_get_child_count(expression, &count, nil)
    return (0..<count).map { index in
      var child: OpaquePointer?
      _ = v2.pointee.expression_get_child(expression, index, &child, nil)
      return child
    }
  }

  func returnType(_ expression: OpaquePointer?) -> Int32 {
    var type: OpaquePointer?
    guard v2.pointee.expression_get_return_type(expression, &type, nil) == 0 else { return 0 }
    return V2Type(adopting: type).id
  }

  func functionName(_ expression: OpaquePointer?) -> String {
    var name = duckdb_v2_text()
    guard v2.pointee.expression_function_get_name(expression, &name, nil) == 0 else { return "" }
    return v2String(name)
  }

  func comparison(_ kind: Int32) -> Predicate.Comparison? {
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

  func flipped(_ comparison: Predicate.Comparison) -> Predicate.Comparison {
    switch comparison {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    case .equal, .notEqual: comparison
    }
  }
}
