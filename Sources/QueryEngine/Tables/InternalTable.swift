import ArrowData
import CacheStore
import Primitives

/// A table of the engine's own, `arrow_cache.<name>` in SQL, whose rows are made anew for each statement that reads it.
public struct InternalTable: Sendable {
  public let name: String
  /// The table as it is now. The columns must be the same each time.
  let open: @Sendable () throws(CacheError) -> any ScanSource

  init(name: String, open: @escaping @Sendable () throws(CacheError) -> any ScanSource) { (self.name, self.open) = (name, open) }

  /// A table whose rows are made at once.
  public init(name: String, read: @escaping @Sendable () throws(CacheError) -> RecordBatch) {
    self.init(name: name, open: { () throws(CacheError) in BatchTable(try read()) })
  }

  /// The schema that holds the tables in SQL.
  static let schemaName = "arrow_cache"
  /// The table function behind them: not the one of the entries, so that no key can stand for such a table.
  static let scanFunction = "arrow_cache_table"

  /// A context that reads these tables. A statement sees the same rows however often it names a table.
  static func context(_ tables: [InternalTable]) -> ScanContext {
    ScanContext(tablePrefix: "\(schemaName).", counters: ScanCounters()) { (name) throws(CacheError) in
      guard let table = tables.first(where: { $0.name == name }) else {
        throw CacheError(.query, "there is no table '\(name)' in the schema \(schemaName): it holds \(tables.map(\.name).joined(separator: ", "))")
      }
      guard let snapshot = QuerySnapshot.current else { return try table.open() }
      return try snapshot.table(name, make: table.open)
    }
  }

  /// What makes the tables known to a database, or known again.
  static func definition(_ tables: [InternalTable], scanFunction: String) -> String {
    (["CREATE SCHEMA IF NOT EXISTS \(schemaName)"] + tables.map { "CREATE OR REPLACE VIEW \(schemaName).\($0.name) AS SELECT * FROM \(scanFunction)('\($0.name)')" })
      .joined(separator: ";")
  }
}

/// One batch as a table of one partition, of which nothing is known beforehand.
final class BatchTable: ScanSource {
  private let batch: RecordBatch
  var schema: Schema { batch.schema }
  var rowCount: Int { batch.rowCount }

  init(_ batch: RecordBatch) { self.batch = batch }

  func read(_ slice: SegmentSlice, columns: [Int]) -> SegmentRows {
    SegmentRows(slices: [RecordBatchSlice(batch.selecting(columns), offset: slice.offset, count: slice.count)], isFromDisk: false, byteCount: 0)
  }

  func prefetch(_ slice: SegmentSlice, columns: [Int]) {}

  var partitions: [Partition] {
    rowCount == 0 ? [] : [Partition(firstRow: 0, rowCount: rowCount, slices: [SegmentSlice(segmentIndex: 0, offset: 0, count: rowCount)])]
  }

  var stretches: Stretches { Stretches(partitions) }
  func knownStatistics(partition: Int, column: Int) -> ColumnStatistics? { nil }
  func knownBlocks(column: Int) -> [BlockStatistics?] { [] }
  func blockStatistics(stretch: Int, column: Int) -> BlockStatistics? { nil }
}
