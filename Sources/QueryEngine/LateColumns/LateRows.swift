import ArrowData
import CArrow
import Primitives

/// Rows that are there.
final class LateRows: BatchSource {
  let schema: Schema
  private let batches: [RecordBatch]
  private var position = 0
  /// Whether some are the entry's own buffers.
  let isEntrysOwn: Bool

  init(schema: Schema, batches: [RecordBatch], isEntrysOwn: Bool) {
    (self.schema, self.batches, self.isEntrysOwn) = (schema, batches, isEntrysOwn)
  }

  var rowCount: Int { batches.reduce(0) { $0 + $1.rowCount } }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard position < batches.count else { return false }
    batches[position].export(offset: 0, count: batches[position].rowCount, to: array)
    position += 1
    return true
  }
}
