import ArrowData

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
  /// Blocks, the unit of skipping within a partition, begin anew with each.
  public var blockCount: Int { (rowCount + BlockStatistics.blockRows - 1) / BlockStatistics.blockRows }

  /// Where these of its own rows lie.
  public func slices(of rows: Range<Int>) -> [SegmentSlice] {
    var found: [SegmentSlice] = []
    var first = 0
    for slice in slices where first < rows.upperBound {
      let part = rows.clamped(to: first..<first + slice.count)
      if !part.isEmpty { found.append(SegmentSlice(segmentIndex: slice.segmentIndex, offset: slice.offset + part.lowerBound - first, count: part.count)) }
      first += slice.count
    }
    return found
  }

  /// Where the rows lie, in order.
  public let slices: [SegmentSlice]

  public init(firstRow: Int, rowCount: Int, slices: [SegmentSlice]) {
    (self.firstRow, self.rowCount, self.slices) = (firstRow, rowCount, slices)
  }
}
