/// What is known of a column over a range of rows, for skipping: never wrong, often unknown.
public struct ColumnStatistics: Hashable, Sendable {
  /// Smallest and largest of the values that are not null, in DuckDB's order.
  public enum Bounds: Hashable, Sendable {
    case unknown
    /// Every value is null, or there is no row.
    case noValues
    case int(min: Int64, max: Int64)
    case uint(min: UInt64, max: UInt64)
    /// Bounds of the values that are not NaN; `.infinity` and `-.infinity` crossed where all are NaN.
    case double(min: Double, max: Double, hasNaN: Bool)
    /// Strings compare as bytes. Long ones are cut: then `min` is below and `max` above every value, and `isExact` is false.
    case bytes(min: [UInt8], max: [UInt8], isExact: Bool)
  }

  public let rowCount: Int
  /// nil: unknown.
  public let nullCount: Int?
  public let bounds: Bounds

  public init(rowCount: Int, nullCount: Int?, bounds: Bounds) {
    (self.rowCount, self.nullCount, self.bounds) = (rowCount, nullCount, bounds)
  }

  public static func unknown(rowCount: Int) -> ColumnStatistics {
    ColumnStatistics(rowCount: rowCount, nullCount: nil, bounds: .unknown)
  }
}

extension ColumnStatistics {
  public init(of batch: RecordBatch, column: Int, offset: Int, count: Int) {
    self = .unknown(rowCount: count)
  }

  public init(merging parts: [ColumnStatistics]) {
    self = .unknown(rowCount: parts.reduce(0) { $0 + $1.rowCount })
  }
}
