import CArrow
import Primitives

/// Rows of columns in Arrow's memory layout, immutable, and shared between whoever reads them.
public final class RecordBatch: @unchecked Sendable {
  public let schema: Schema
  public let rowCount: Int
  /// One node a column; release and private_data are not set, the memory belongs to `owners`.
  private let columns: UnsafeMutablePointer<ArrowArray>
  /// What keeps the memory of each column. Not an array, whose own count of references would stand before theirs, see `isShared`.
  private let owners: UnsafeMutablePointer<ColumnOwner>

  /// Takes `columns`, which has a node for each field; `owners` has an object for each.
  init(schema: Schema, rowCount: Int, columns: UnsafeMutablePointer<ArrowArray>, owners: [ColumnOwner]) {
    precondition(owners.count == schema.fields.count, "\(owners.count) owners of \(schema.fields.count) columns")
    (self.schema, self.rowCount, self.columns) = (schema, rowCount, columns)
    self.owners = .allocate(capacity: max(1, owners.count))
    for (index, owner) in owners.enumerated() { (self.owners + index).initialize(to: owner) }
  }

  deinit {
    owners.deinitialize(count: columnCount)
    owners.deallocate()
    columns.deallocate()
  }

  /// Moves the array in; every part of it is released exactly once, with the last reader or on error.
  ///
  /// Costs a few steps a column, whatever the number of rows. Throws `.stream` where the array does not fit the schema.
  public convenience init(importing source: UnsafeMutablePointer<ArrowArray>, schema: Schema) throws(CacheError) {
    guard source.pointee.release != nil else { throw CacheError(.stream, "the record batch has been released: produce it anew") }
    defer { source.pointee.release?(source) }
    let table = source.pointee
    try validateTable(table, schema: schema)
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, schema.fields.count))
    var owners: [ColumnOwner] = []
    owners.reserveCapacity(schema.fields.count)
    for (index, field) in schema.fields.enumerated() {
      guard let child = table.children?[index] else { continue }  // validateTable has seen it
      var node = child.pointee
      // Moved out, so that the memory of one column can go while another is kept.
      owners.append(ImportedColumn(moving: child))
      let start = node.start + table.start
      node.null_count = node.nullCount(from: start, count: table.count, layout: field.layout)
      node.offset = Int64(start)
      node.length = table.length
      node.release = nil
      node.private_data = nil
      (columns + index).initialize(to: node)
    }
    self.init(schema: schema, rowCount: table.count, columns: columns, owners: owners)
  }

  public var columnCount: Int { schema.fields.count }

  /// Column `index` as Arrow holds it: row r of the batch is element `offset + r` of its buffers.
  public func column(_ index: Int) -> UnsafePointer<ArrowArray> {
    precondition(schema.fields.indices.contains(index), "column \(index) of \(columnCount)")
    return UnsafePointer(columns + index)
  }

  /// What keeps the memory of a column: whoever reads the column longer than this batch lives holds a reference of its own.
  func owner(_ index: Int) -> ColumnOwner {
    precondition(schema.fields.indices.contains(index), "column \(index) of \(columnCount)")
    return owners[index]
  }

  /// Whether anyone besides this batch holds its memory at the moment: an export, another batch over one of its columns.
  ///
  /// A hint, which the next moment may change. A producer's own references to what it made are not known.
  public var isShared: Bool {
    for index in 0..<columnCount {
      if !isKnownUniquelyReferenced(&owners[index]) || owners[index].isShared { return true }
    }
    return false
  }
}

/// One column as its producer made it.
private final class ImportedColumn: ColumnOwner {
  private var array: ArrowArray

  init(moving source: UnsafeMutablePointer<ArrowArray>) {
    array = source.pointee
    source.pointee.release = nil
  }

  deinit { array.release?(&array) }
}

private func validateTable(_ table: ArrowArray, schema: Schema) throws(CacheError) {
  func broken(_ what: String) -> CacheError { CacheError(.stream, "a record batch of the stream \(what)") }
  guard table.length >= 0, table.offset >= 0 else { throw broken("has length \(table.length) and offset \(table.offset)") }
  let (end, overflow) = table.start.addingReportingOverflow(table.count)
  guard !overflow else { throw broken("has length \(table.length) and offset \(table.offset)") }
  guard table.n_children == Int64(schema.fields.count) else {
    throw broken("has \(table.n_children) columns, its schema has \(schema.fields.count)")
  }
  guard table.n_children == 0 || table.children != nil else { throw broken("has no list of columns") }
  guard (0...1).contains(table.n_buffers), table.n_buffers == 0 || table.buffers != nil, table.dictionary == nil else {
    throw broken("is not a struct array")
  }
  guard end < Int.max / 64, table.null_count >= -1 else { throw broken("has length \(table.length) and null count \(table.null_count)") }
  if table.null_count != 0, let validity = table.buffer(0), table.count > 0 {
    let nulls = table.count - countOnes(validity, from: table.start, count: table.count)
    guard nulls == 0 else {
      throw CacheError(.type, "a record batch of the stream has \(nulls) rows that are null as a whole: drop them or make them rows of nulls")
    }
  }
  for (index, field) in schema.fields.enumerated() {
    guard let child = table.child(index) else { throw broken("lacks column '\(field.name)'") }
    try field.validate(child, column: field.name)
    guard child.pointee.count >= end else {
      throw broken("has column '\(field.name)' with \(child.pointee.count) values, needs \(end)")
    }
  }
}
