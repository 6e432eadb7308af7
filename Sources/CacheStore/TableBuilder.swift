import ArrowData
import Primitives

/// Reads a stream into batches and partitions, copying what is to be copied. Calls the producer: never under a lock.
struct TableBuilder {
  enum Copying {
    case nothing
    case everything
    case columns(Set<Int>)
  }

  let schema: Schema
  private(set) var batches: [RecordBatch] = []
  private(set) var rowCount = 0
  /// Every distinct buffer behind the batches.
  private(set) var buffers = BufferSet()
  private var plan: PartitionPlan
  private let dictionaries = DictionaryCopies()
  private let copying: Copying

  var partitions: [Partition] { plan.partitions }

  init(schema: Schema, copying: Copying, plan: PartitionPlan) {
    (self.schema, self.copying, self.plan) = (schema, copying, plan)
  }

  /// Reads to the end of the stream. Stops early where the table alone is more than `limitBytes`.
  mutating func read(_ stream: StreamReader, key: String, limitBytes: Int?) throws(CacheError) {
    while let batch = try stream.next() {
      guard batch.rowCount > 0 else { continue }
      try add(batch)
      if let limitBytes, buffers.totalBytes > limitBytes {
        throw CacheError(
          .memoryLimit,
          "'\(key)' needs at least \(buffers.totalBytes) bytes, the memory limit is \(limitBytes): raise memory_limit or put less")
      }
    }
  }

  private mutating func add(_ batch: RecordBatch) throws(CacheError) {
    guard !rowCount.addingReportingOverflow(batch.rowCount).overflow else {
      throw CacheError(.stream, "the stream has more rows than can be counted")
    }
    rowCount += batch.rowCount
    let rowBytes = plan.maximumBytes == .max ? 0 : Double(batch.byteCount(offset: 0, count: batch.rowCount)) / Double(batch.rowCount)
    append(try kept(batch))
    var offset = 0
    while offset < batch.rowCount {
      let count = plan.room(remaining: batch.rowCount - offset, rowBytes: rowBytes)
      plan.add(BatchSlice(batchIndex: batches.count - 1, offset: offset, count: count), rowBytes: rowBytes)
      offset += count
    }
  }

  /// The batch as it is kept. A copy is one piece of memory a column, whatever the partitions: so readers that want a whole column
  /// in one piece, as pandas does, get it without a copy.
  private func kept(_ batch: RecordBatch) throws(CacheError) -> RecordBatch {
    switch copying {
    case .nothing: batch
    case .everything: try batch.copied(columns: nil, offset: 0, count: batch.rowCount, dictionaries: dictionaries)
    case .columns(let columns): try batch.copied(columns: columns, offset: 0, count: batch.rowCount, dictionaries: dictionaries)
    }
  }

  private mutating func append(_ batch: RecordBatch) {
    batches.append(batch)
    buffers.insert(batch)
  }
}
