import ArrowData
import CacheStore
import Primitives

/// What a scan reads: an entry, or a table of the engine's own.
protocol ScanSource: AnyObject, Sendable {
  var schema: Schema { get }
  var rowCount: Int { get }
  var partitions: [Partition] { get }
  var stretches: Stretches { get }
  /// What is known of a partition, or of the blocks of each stretch (or of none), without looking at rows.
  func knownStatistics(partition: Int, column: Int) -> ColumnStatistics?
  func knownBlocks(column: Int) -> [BlockStatistics?]
  /// Looks at the rows where nothing is known yet; nil where nothing can be known.
  func blockStatistics(stretch: Int, column: Int) -> BlockStatistics?
  /// These columns, in this order, of a slice of one of the partitions.
  func read(_ slice: SegmentSlice, columns: [Int]) throws(CacheError) -> SegmentRows
  /// Tells that they will be read soon.
  func prefetch(_ slice: SegmentSlice, columns: [Int])
}

extension Entry: ScanSource {
  func read(_ slice: SegmentSlice, columns: [Int]) throws(CacheError) -> SegmentRows {
    try segments[slice.segmentIndex].scan(offset: slice.offset, count: slice.count, columns: columns)
  }

  func prefetch(_ slice: SegmentSlice, columns: [Int]) {
    segments[slice.segmentIndex].prefetch(offset: slice.offset, count: slice.count, columns: columns)
  }
}

/// What DuckDB's callbacks are given: whose rows a table function reads.
final class ScanContext: Sendable {
  /// What SQL puts before a name that the function's argument gives.
  private let tablePrefix: String
  private let counters: ScanCounters
  private let remembersRows: Bool
  private let compaction: Compaction
  /// Finds what the function's argument names; throws what the query is told.
  let source: @Sendable (_ name: String) throws(CacheError) -> any ScanSource

  init(
    tablePrefix: String, counters: ScanCounters, remembersRows: Bool = false, compaction: Compaction = [],
    source: @escaping @Sendable (_ name: String) throws(CacheError) -> any ScanSource
  ) {
    (self.tablePrefix, self.counters, self.source) = (tablePrefix, counters, source)
    (self.remembersRows, self.compaction) = (remembersRows, compaction)
  }

  /// A reference to a table, which the statement that this thread is running lists from now on.
  func bind(_ name: String, _ source: any ScanSource, _ columns: [ScanColumn]) -> ScanBinding {
    let scan = StatementScan(table: tablePrefix + name, source: source, in: counters)
    QuerySnapshot.current?.note(scan)
    let hint = source is Entry ? QuerySnapshot.current?.hint(for: name) : nil
    let binding = ScanBinding(source: source, columns: columns, scan: scan, remembersRows: remembersRows, compaction: compaction, hint: hint)
    QuerySnapshot.current?.note(binding)
    return binding
  }
}
