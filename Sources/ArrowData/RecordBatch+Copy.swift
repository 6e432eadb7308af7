import CArrow
import Primitives

extension RecordBatch {
  /// Rows `offset ..< offset + count` with a private copy of these columns (nil: all), every buffer on 64 bytes;
  /// the other columns stay shared with this batch. A range beyond the batch is cut to it.
  ///
  /// Pass the same `dictionaries` for pieces of one table, so that a dictionary they share is copied once.
  /// Throws `.stream` where values lie outside their buffers, `.memoryLimit` where the system has no memory.
  public func copied(
    columns: Set<Int>?, offset: Int, count: Int, dictionaries: DictionaryCopies = DictionaryCopies()
  ) throws(CacheError) -> RecordBatch {
    let offset = min(max(offset, 0), rowCount)
    let count = min(max(count, 0), rowCount - offset)
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columnCount))
    let memory = CopyMemory(expectedBytes: copyByteCount(columns: columns, offset: offset, count: count))
    var newOwners: [ColumnOwner] = []
    newOwners.reserveCapacity(columnCount)
    do throws(CacheError) {
      for (index, field) in schema.fields.enumerated() {
        var node = column(index).pointee
        let start = node.start + offset
        if columns?.contains(index) ?? true {
          let copier = ArrayCopier(memory: memory, dictionaries: dictionaries, source: owner(index), column: field.name)
          (nodes + index).initialize(to: try copier.copy(field, node, from: start, count: count))
          newOwners.append(ColumnInShared(memory))
        } else {
          node.null_count = node.nullCount(from: start, count: count, layout: field.layout)
          node.offset = Int64(start)
          node.length = Int64(count)
          (nodes + index).initialize(to: node)
          newOwners.append(owner(index))
        }
      }
    } catch {
      nodes.deallocate()
      throw error
    }
    return RecordBatch(schema: schema, rowCount: count, columns: nodes, owners: newOwners)
  }

  /// What a copy of rows of these columns (nil: all) will need, with the room that rounding up each buffer takes.
  public func copyByteCount(columns: Set<Int>?, offset: Int, count: Int) -> Int {
    var total = 0
    for (index, field) in schema.fields.enumerated() where columns?.contains(index) ?? true {
      let node = column(index).pointee
      let rounding = field.nodeCount * (3 + node.variadicCount) * CopyMemory.alignment
      total = total.addingSaturated(field.byteCount(node, from: node.start + offset, count: count)).addingSaturated(rounding)
    }
    return total
  }
}

extension CopyMemory {
  /// A node with room for its buffers and children, all of it zero.
  func node(bufferCount: Int, childCount: Int) throws(CacheError) -> ArrowArray {
    var node = ArrowArray()
    node.n_buffers = Int64(bufferCount)
    node.buffers = try zeroed(UnsafeRawPointer?.self, count: bufferCount)
    guard childCount > 0 else { return node }
    node.n_children = Int64(childCount)
    let nodes = try zeroed(ArrowArray.self, count: childCount)
    let pointers = try zeroed(UnsafeMutablePointer<ArrowArray>?.self, count: childCount)
    for index in 0..<childCount { pointers[index] = nodes + index }
    node.children = pointers
    return node
  }
}
