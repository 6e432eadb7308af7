/// A condition on the rows of a table as far as statistics can judge it; everything else is `unknown`.
///
/// A null satisfies `isNull` alone, as in SQL.
public indirect enum Predicate: Sendable, Hashable {
  public enum Comparison: Sendable, Hashable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

  /// A constant in the column's own terms: a timestamp in the column's unit, a boolean as 0 or 1, a string as its bytes.
  public enum Literal: Sendable, Hashable {
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    /// A decimal, without its point, in the scale of the column.
    case wide(Int128)
    case bytes([UInt8])
  }

  case compare(column: Int, Comparison, Literal)
  case isIn(column: Int, [Literal])
  case isNull(column: Int)
  case isNotNull(column: Int)
  /// The string starts with these bytes.
  case prefix(column: Int, [UInt8])
  /// The box around the geometry has a point in common with this one.
  case meets(column: Int, BoundingBox)
  case and([Predicate])
  case or([Predicate])
  case unknown

  /// Whether a row may satisfy this, by the statistics of its columns; only those that are needed are asked for.
  /// False only where none can.
  public func mayMatch(_ statistics: (Int) -> ColumnStatistics) -> Bool {
    switch self {
    case .unknown: return true
    case .and(let parts): return parts.allSatisfy { $0.mayMatch(statistics) }
    case .or(let parts): return parts.contains { $0.mayMatch(statistics) }
    case .isNull(let column): return statistics(column).nullCount != 0
    case .isNotNull(let column):
      let known = statistics(column)
      return known.nullCount.map { $0 < known.rowCount } ?? true
    case .compare(let column, let comparison, let literal): return statistics(column).bounds.mayMatch(comparison, literal)
    case .isIn(let column, let literals):
      let bounds = statistics(column).bounds
      return literals.contains { bounds.mayMatch(.equal, $0) }
    case .prefix(let column, let prefix): return statistics(column).bounds.mayStart(with: prefix)
    case .meets(let column, let box):
      guard case .box(let around) = statistics(column).bounds else { return statistics(column).bounds != .noValues }
      return around.meets(box)
    }
  }
}

extension ColumnStatistics.Bounds {
  fileprivate func mayMatch(_ comparison: Predicate.Comparison, _ literal: Predicate.Literal) -> Bool {
    switch (self, literal) {
    case (.unknown, _): return true
    case (.noValues, _): return false
    case (.int(let min, let max), .int(let value)): return Self.mayMatch(comparison, value, min, max)
    case (.int(let min, let max), .uint(let value)):
      return Self.mayMatch(comparison, Int128(value), Int128(min), Int128(max))
    case (.uint(let min, let max), .uint(let value)): return Self.mayMatch(comparison, value, min, max)
    case (.uint(let min, let max), .int(let value)):
      return Self.mayMatch(comparison, Int128(value), Int128(min), Int128(max))
    case (.double(let min, let max, let hasNaN), .double(let value)):
      let least = min <= max ? min : .nan
      return Self.mayMatch(comparison, DuckDouble(value), DuckDouble(least), DuckDouble(hasNaN ? .nan : max))
    case (.bytes(let min, let max, let isExact), .bytes(let value)):
      // Cut bounds are not values: no row need be equal to them.
      if !isExact, comparison == .notEqual { return true }
      guard let max else {
        return switch comparison {
        case .equal: !value.lexicographicallyPrecedes(min)
        case .less: min.lexicographicallyPrecedes(value)
        case .lessOrEqual: !value.lexicographicallyPrecedes(min)
        default: true
        }
      }
      return Self.mayMatch(comparison, Bytes(value), Bytes(min), Bytes(max))
    default: return true
    }
  }

  /// Whether a value between `min` and `max`, both of which occur or are beyond every value, may compare so with `value`.
  private static func mayMatch<Value: Comparable>(
    _ comparison: Predicate.Comparison, _ value: Value, _ min: Value, _ max: Value
  ) -> Bool {
    switch comparison {
    case .equal: min <= value && value <= max
    case .notEqual: min != value || max != value
    case .less: min < value
    case .lessOrEqual: min <= value
    case .greater: max > value
    case .greaterOrEqual: max >= value
    }
  }

  fileprivate func mayStart(with prefix: [UInt8]) -> Bool {
    switch self {
    case .noValues: return false
    case .bytes(let min, let max, _):
      // Below every text that starts so, and above: nothing in between starts so.
      if let max, max.lexicographicallyPrecedes(prefix) { return false }
      return !prefix.lexicographicallyPrecedes(min.prefix(prefix.count))
    default: return true
    }
  }
}

/// A double in DuckDB's order: NaN is equal to itself and above everything, -0.0 is equal to 0.0.
private struct DuckDouble: Comparable {
  let value: Double

  init(_ value: Double) { self.value = value }

  static func == (left: Self, right: Self) -> Bool { left.value == right.value || left.value.isNaN && right.value.isNaN }
  static func < (left: Self, right: Self) -> Bool {
    left.value < right.value || right.value.isNaN && !left.value.isNaN
  }
}

private struct Bytes: Comparable {
  let value: [UInt8]

  init(_ value: [UInt8]) { self.value = value }

  static func < (left: Self, right: Self) -> Bool { left.value.lexicographicallyPrecedes(right.value) }
}
