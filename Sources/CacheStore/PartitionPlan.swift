/// Cuts rows that arrive batch by batch into partitions: each takes rows until it has `maximumRows` or `maximumBytes`,
/// whichever comes first, and at least one row. Small batches come together in one partition, large ones are divided.
struct PartitionPlan {
  /// The partition after so many takes all rows that come: a table of nothing but nulls may have any number of them.
  static let maximumCount = 1 << 20

  let maximumRows: Int
  let maximumBytes: Int
  private var closed: [Partition] = []
  private var slices: [SegmentSlice] = []
  private var firstRow = 0
  private var rowCount = 0
  private var byteCount = 0.0

  init(maximumRows: Int, maximumBytes: Int) { (self.maximumRows, self.maximumBytes) = (maximumRows, maximumBytes) }

  /// The partitions, once all rows are in.
  var partitions: [Partition] {
    rowCount == 0 ? closed : closed + [Partition(firstRow: firstRow, rowCount: rowCount, slices: slices)]
  }

  /// How many of the next `remaining` (> 0) rows of `rowBytes` each belong together.
  mutating func room(remaining: Int, rowBytes: Double) -> Int {
    if closed.count < Self.maximumCount, rowCount >= maximumRows || rowCount > 0 && byteCount + rowBytes > Double(maximumBytes) { close() }
    if closed.count >= Self.maximumCount { return remaining }
    let byBytes = rowBytes > 0 ? (Double(maximumBytes) - byteCount) / rowBytes : .infinity
    let byRows = min(remaining, maximumRows - rowCount)
    return max(1, byBytes < Double(byRows) ? Int(byBytes) : byRows)
  }

  /// Adds rows to the open partition.
  mutating func add(_ slice: SegmentSlice, rowBytes: Double) {
    slices.append(slice)
    rowCount += slice.count
    byteCount += rowBytes * Double(slice.count)
  }

  private mutating func close() {
    closed.append(Partition(firstRow: firstRow, rowCount: rowCount, slices: slices))
    firstRow += rowCount
    slices = []
    (rowCount, byteCount) = (0, 0)
  }
}
