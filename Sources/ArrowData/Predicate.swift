/// A condition on the rows of a table as far as statistics can judge it; everything else is `unknown`.
public indirect enum Predicate: Sendable, Hashable {
  public enum Comparison: Sendable, Hashable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

  public enum Literal: Sendable, Hashable {
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case bytes([UInt8])
  }

  case compare(column: Int, Comparison, Literal)
  case isIn(column: Int, [Literal])
  case isNull(column: Int)
  case isNotNull(column: Int)
  /// The string starts with these bytes.
  case prefix(column: Int, [UInt8])
  case and([Predicate])
  case or([Predicate])
  case unknown

  /// Whether a row may satisfy this, by the statistics of its columns; only those that are needed are asked for.
  public func mayMatch(_ statistics: (Int) -> ColumnStatistics) -> Bool { true }
}
