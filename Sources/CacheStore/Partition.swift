/// Rows of one batch of an entry.
public struct BatchSlice: Hashable, Sendable {
  public let batchIndex: Int
  /// First row within the batch.
  public let offset: Int
  public let count: Int

  public init(batchIndex: Int, offset: Int, count: Int) { (self.batchIndex, self.offset, self.count) = (batchIndex, offset, count) }
}

/// A row range of an entry: the unit of skipping, slicing and parallel scanning.
public struct Partition: Hashable, Sendable {
  /// First row within the entry.
  public let firstRow: Int
  public let rowCount: Int
  /// Where the rows lie, in order.
  public let slices: [BatchSlice]

  public init(firstRow: Int, rowCount: Int, slices: [BatchSlice]) {
    (self.firstRow, self.rowCount, self.slices) = (firstRow, rowCount, slices)
  }
}
