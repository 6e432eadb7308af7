import ArrowData
import CArrow
import Primitives

extension Entry {
  /// Rows `offset ..< offset + limit` (nil: to the end) of these columns (nil: all), as slices of the segments' batches, zero copy but for texts that
  /// are kept encoded: those are decoded into memory of the reader's.
  /// Past the end there are no rows; negative numbers count as 0, columns that are not there are left out.
  ///
  /// The reader keeps the segments, not the entry, so a stream may lie in the entry's own memo.
  public func reader(offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil) -> any BatchSource {
    let first = min(max(offset, 0), rowCount)
    let count = min(max(limit ?? rowCount, 0), rowCount - first)
    return EntryReader(self, first: first, count: count, columns: columns?.filter(schema.fields.indices.contains))
  }
}

private final class EntryReader: BatchSource {
  let schema: Schema
  private let segments: [Segment]
  private let columns: [Int]?
  private var segmentIndex = 0
  /// First row wanted of the current segment.
  private var offset: Int
  private var remaining: Int
  /// Rows that have been read and not been handed out.
  private var rows: ArraySlice<RecordBatchSlice> = []

  init(_ entry: Entry, first: Int, count: Int, columns: [Int]?) {
    schema = entry.schema.selecting(columns)
    (segments, self.columns, offset, remaining) = (entry.segments, columns, first, count)
    while segmentIndex < segments.count, offset >= segments[segmentIndex].rowCount {
      offset -= segments[segmentIndex].rowCount
      segmentIndex += 1
    }
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    while rows.isEmpty {
      guard remaining > 0, segmentIndex < segments.count else { return false }
      let segment = segments[segmentIndex]
      let count = min(remaining, segment.stepRows(from: offset))
      rows = try segment.readPlain(offset: offset, count: count, columns: columns, isLent: true)[...]
      remaining -= count
      offset += count
      if offset >= segment.rowCount { (offset, segmentIndex) = (0, segmentIndex + 1) }
    }
    guard let next = rows.popFirst() else { return false }
    next.batch.export(offset: next.offset, count: next.count, to: array)
    return true
  }
}
