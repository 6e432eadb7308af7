import ArrowData
import CacheStore
import Primitives

/// What a scan reads: an entry, or a table of the engine's own.
protocol ScanSource: AnyObject, Sendable {
  var schema: Schema { get }
  var rowCount: Int { get }
  var partitions: [Partition] { get }
  func statistics(partition: Int, column: Int) -> ColumnStatistics
  /// The rows of a slice of one of the partitions, all columns.
  func read(_ slice: SegmentSlice) throws(CacheError) -> [RecordBatchSlice]
}

extension Entry: ScanSource {
  func read(_ slice: SegmentSlice) throws(CacheError) -> [RecordBatchSlice] {
    try segments[slice.segmentIndex].read(offset: slice.offset, count: slice.count)
  }
}

/// What DuckDB's callbacks are given: whose rows a table function reads.
final class ScanContext: Sendable {
  let counters: ScanCounters
  /// Finds what the function's argument names; throws what the query is told.
  let source: @Sendable (_ name: String) throws(CacheError) -> any ScanSource

  init(counters: ScanCounters, source: @escaping @Sendable (_ name: String) throws(CacheError) -> any ScanSource) {
    (self.counters, self.source) = (counters, source)
  }
}
