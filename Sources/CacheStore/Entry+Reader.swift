import ArrowData
import CArrow
import Primitives

extension Entry {
  /// Rows `offset ..< offset + limit` (nil: to the end) of these columns (nil: all), as slices of the batches, zero copy.
  /// Past the end there are no rows; negative numbers count as 0, columns that are not there are left out.
  ///
  /// The reader keeps the batches, not the entry, so a stream may lie in the entry's own memo.
  public func reader(offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil) -> any BatchSource {
    let first = min(max(offset, 0), rowCount)
    let count = min(max(limit ?? rowCount, 0), rowCount - first)
    return EntryReader(self, first: first, count: count, columns: columns?.filter(schema.fields.indices.contains))
  }
}

private final class EntryReader: BatchSource {
  let schema: Schema
  private let batches: [RecordBatch]
  private let columns: [Int]?
  private var batchIndex = 0
  /// First row wanted of the current batch.
  private var offset: Int
  private var remaining: Int

  init(_ entry: Entry, first: Int, count: Int, columns: [Int]?) {
    schema = entry.schema.selecting(columns)
    (batches, self.columns, offset, remaining) = (entry.batches, columns, first, count)
    while batchIndex < batches.count, offset >= batches[batchIndex].rowCount {
      offset -= batches[batchIndex].rowCount
      batchIndex += 1
    }
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard remaining > 0, batchIndex < batches.count else { return false }
    let batch = batches[batchIndex]
    let count = min(remaining, batch.rowCount - offset)
    batch.export(columns: columns, offset: offset, count: count, to: array)
    remaining -= count
    offset = 0
    batchIndex += 1
    return true
  }
}
