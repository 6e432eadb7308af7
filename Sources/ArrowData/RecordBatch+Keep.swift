import CArrow

extension RecordBatch {
  /// The same rows and memory; `object` lives until the last reader of any of its columns is gone: exports, selections and
  /// slices included. It goes after the memory of the column that was read last. Costs an allocation a column.
  public func keeping(_ object: AnyObject) -> RecordBatch {
    derived(schema, Array(schema.fields.indices)) { KeptColumn(owner($0), object) }
  }

  /// These columns in this order (nil: all), zero copy; indices beyond the columns are left out.
  public func selecting(_ columns: [Int]?) -> RecordBatch {
    guard let columns else { return self }
    return derived(schema.selecting(columns), columns.filter(schema.fields.indices.contains), owner)
  }

  /// The first column of each of these batches, zero copy; `object` lives as `keeping` says. All have so many rows, or more.
  public convenience init(joining batches: [RecordBatch], rowCount: Int, schema: Schema, keeping object: AnyObject) {
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, batches.count))
    for (index, batch) in batches.enumerated() { (nodes + index).initialize(to: batch.column(0).pointee) }
    self.init(schema: schema, rowCount: rowCount, columns: nodes, owners: batches.map { KeptColumn($0.owner(0), object) })
  }

  /// The columns of this batch, then those of another, of as many rows as both have; zero copy.
  public func joined(_ other: RecordBatch) -> RecordBatch {
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columnCount + other.columnCount))
    for index in 0..<columnCount { (nodes + index).initialize(to: column(index).pointee) }
    for index in 0..<other.columnCount { (nodes + columnCount + index).initialize(to: other.column(index).pointee) }
    return RecordBatch(
      schema: Schema(fields: schema.fields + other.schema.fields, metadata: schema.metadata), rowCount: min(rowCount, other.rowCount),
      columns: nodes, owners: (0..<columnCount).map(owner) + (0..<other.columnCount).map(other.owner))
  }

  private func derived(_ schema: Schema, _ indices: [Int], _ owner: (Int) -> ColumnOwner) -> RecordBatch {
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, indices.count))
    for (position, index) in indices.enumerated() { (nodes + position).initialize(to: column(index).pointee) }
    return RecordBatch(schema: schema, rowCount: rowCount, columns: nodes, owners: indices.map(owner))
  }
}

/// Holds an object as long as a column.
private final class KeptColumn: ColumnOwner {
  // In this order: the memory goes first.
  private var column: ColumnOwner
  private let object: AnyObject

  init(_ column: ColumnOwner, _ object: AnyObject) { (self.column, self.object) = (column, object) }

  override var isShared: Bool { !isKnownUniquelyReferenced(&column) || column.isShared }
}
