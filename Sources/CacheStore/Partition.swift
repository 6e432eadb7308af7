/// Rows of one segment of an entry.
public struct SegmentSlice: Hashable, Sendable {
  public let segmentIndex: Int
  /// First row within the segment.
  public let offset: Int
  public let count: Int

  public init(segmentIndex: Int, offset: Int, count: Int) { (self.segmentIndex, self.offset, self.count) = (segmentIndex, offset, count) }
}

/// A row range of an entry: the unit of skipping, slicing and parallel scanning.
public struct Partition: Hashable, Sendable {
  /// First row within the entry.
  public let firstRow: Int
  public let rowCount: Int
  /// Rows of a block, the unit of skipping within a partition: a multiple of what DuckDB takes at once. The last of a partition may have fewer.
  public static let blockRows = 4096
  public var blockCount: Int { (rowCount + Self.blockRows - 1) / Self.blockRows }

  /// Where the rows lie, in order.
  public let slices: [SegmentSlice]

  public init(firstRow: Int, rowCount: Int, slices: [SegmentSlice]) {
    (self.firstRow, self.rowCount, self.slices) = (firstRow, rowCount, slices)
  }
}
