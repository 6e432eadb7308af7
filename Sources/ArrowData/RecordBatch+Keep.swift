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

  /// Rows `offset ..< offset + count`, which there must be; of some columns those of the only column of another batch in their place. Zero copy.
  public func replacing(_ columns: [Int: RecordBatchSlice], offset: Int, count: Int) -> RecordBatch {
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columnCount))
    for index in 0..<columnCount {
      let other = columns[index]
      var node = (other?.batch.column(0) ?? column(index)).pointee
      let start = node.start + (other?.offset ?? offset)
      node.null_count = node.nullCount(from: start, count: count, layout: (other?.batch.schema.fields[0] ?? schema.fields[index]).layout)
      (node.offset, node.length) = (Int64(start), Int64(count))
      (nodes + index).initialize(to: node)
    }
    let fields = schema.fields.enumerated().map { columns[$0]?.batch.schema.fields[0] ?? $1 }
    return RecordBatch(
      schema: Schema(fields: fields, metadata: schema.metadata), rowCount: count, columns: nodes,
      owners: (0..<columnCount).map { columns[$0]?.batch.owner(0) ?? owner($0) })
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
