import CArrow
import Primitives

extension RecordBatch {
  /// Those of these columns (nil: all) that a sample says can be encoded, and about how many bytes they then take.
  public func encodableColumns(of wanted: Set<Int>? = nil) -> (columns: Set<Int>, byteCount: Int) {
    var columns: Set<Int> = []
    var byteCount = 0
    for (index, field) in schema.fields.enumerated() where wanted?.contains(index) ?? true {
      guard let bytes = DictionaryEncoder(field, column(index).pointee, threads: 1)?.expectedBytes() else { continue }
      columns.insert(index)
      byteCount = byteCount.addingSaturated(bytes)
    }
    return (columns, byteCount)
  }

  /// The batch with those of these columns (nil: all) dictionary-encoded that take at most half of the memory so; the others stay shared.
  /// nil where there is none such. `schema.plain` is the schema of before.
  ///
  /// - Parameter threads: how many threads may work on a column.
  public func encoded(columns wanted: Set<Int>?, threads: Int = 1) throws(CacheError) -> RecordBatch? {
    var encoded: [Int: (field: Field, node: ArrowArray, memory: CopyMemory)] = [:]
    for (index, field) in schema.fields.enumerated() where wanted?.contains(index) ?? true {
      guard let encoder = DictionaryEncoder(field, column(index).pointee, threads: threads) else { continue }
      encoded[index] = try encoder.encode()
    }
    if encoded.isEmpty { return nil }
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columnCount))
    for index in 0..<columnCount { (nodes + index).initialize(to: encoded[index]?.node ?? column(index).pointee) }
    let fields = schema.fields.enumerated().map { encoded[$0]?.field ?? $1 }
    return RecordBatch(
      schema: Schema(fields: fields, metadata: schema.metadata), rowCount: rowCount, columns: nodes,
      owners: (0..<columnCount).map { index in encoded[index].map { ColumnInShared($0.memory) } ?? owner(index) })
  }

  /// Rows `offset ..< offset + count` of these columns (nil: all) as they were put: what the cache has encoded is decoded into memory of its
  /// own, the rest stays shared. A range beyond the batch is cut to it; column indices beyond the columns are left out.
  ///
  /// Throws `.memoryLimit` where the system has no memory, `.storage` where an index lies outside of its dictionary.
  public func plain(columns wanted: [Int]? = nil, offset: Int, count: Int, threads: Int = 1) throws(CacheError) -> RecordBatch {
    let offset = min(max(offset, 0), rowCount)
    let count = min(max(count, 0), rowCount - offset)
    let chosen = wanted?.filter(schema.fields.indices.contains) ?? Array(schema.fields.indices)
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, chosen.count))
    var newOwners: [ColumnOwner] = []
    newOwners.reserveCapacity(chosen.count)
    do throws(CacheError) {
      for (position, index) in chosen.enumerated() {
        var node = column(index).pointee
        let field = schema.fields[index]
        let start = node.start + offset
        if field.encodedFormat == nil {
          node.null_count = node.nullCount(from: start, count: count, layout: field.layout)
          node.offset = Int64(start)
          node.length = Int64(count)
          (nodes + position).initialize(to: node)
          newOwners.append(owner(index))
        } else {
          let decoded = try DictionaryDecoder.decode(field, node, from: start, count: count, keeping: owner(index), threads: threads)
          (nodes + position).initialize(to: decoded.node)
          newOwners.append(ColumnInShared(decoded.memory))
        }
      }
    } catch {
      nodes.deallocate()
      throw error
    }
    return RecordBatch(schema: schema.selecting(chosen).plain, rowCount: count, columns: nodes, owners: newOwners)
  }
}
