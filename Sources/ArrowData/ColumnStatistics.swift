/// What is known of a column over a range of rows, for skipping: never wrong, often unknown.
public struct ColumnStatistics: Hashable, Sendable {
  /// Smallest and largest of the values that are not null, in DuckDB's order.
  public enum Bounds: Hashable, Sendable {
    case unknown
    /// Every value is null, or there is no row.
    case noValues
    /// Signed integers, booleans (0 and 1), dates, times and timestamps in the column's own unit.
    case int(min: Int64, max: Int64)
    case uint(min: UInt64, max: UInt64)
    /// Of the values that are not NaN; `min` is `.infinity` and `max` is `-.infinity` where every value is NaN.
    case double(min: Double, max: Double, hasNaN: Bool)
    /// Strings compare as bytes. Long ones are cut: then no value is below `min` or above `max`, and `isExact` is false.
    /// `max` is nil where no short text is above every value.
    case bytes(min: [UInt8], max: [UInt8]?, isExact: Bool)
    /// The box around the geometries; without those that are empty.
    case box(BoundingBox)
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

  /// What holds for all rows of the parts together.
  public init(merging parts: [ColumnStatistics]) {
    var nulls: Int? = 0
    for part in parts { nulls = nulls.flatMap { sum in part.nullCount.map { sum.addingSaturated($0) } } }
    self.init(
      rowCount: parts.reduce(0) { $0.addingSaturated($1.rowCount) }, nullCount: nulls,
      bounds: parts.reduce(.noValues) { $0.merged($1.bounds) })
  }
}

extension ColumnStatistics.Bounds {
  fileprivate func merged(_ other: Self) -> Self {
    switch (self, other) {
    case (.noValues, _): return other
    case (_, .noValues): return self
    case (.int(let min, let max), .int(let otherMin, let otherMax)):
      return .int(min: Swift.min(min, otherMin), max: Swift.max(max, otherMax))
    case (.uint(let min, let max), .uint(let otherMin, let otherMax)):
      return .uint(min: Swift.min(min, otherMin), max: Swift.max(max, otherMax))
    case (.double(let min, let max, let hasNaN), .double(let otherMin, let otherMax, let otherHasNaN)):
      return .double(min: Swift.min(min, otherMin), max: Swift.max(max, otherMax), hasNaN: hasNaN || otherHasNaN)
    case (.bytes(let min, let max, let isExact), .bytes(let otherMin, let otherMax, let otherIsExact)):
      let least = otherMin.lexicographicallyPrecedes(min) ? otherMin : min
      let most = max.flatMap { max in otherMax.map { max.lexicographicallyPrecedes($0) ? $0 : max } }
      return .bytes(min: least, max: most, isExact: isExact && otherIsExact)
    case (.box(let box), .box(let otherBox)):
      var both = box
      both.include(otherBox)
      return .box(both)
    default: return .unknown
    }
  }
}
