import ArrowData
import CacheStore
import Primitives

/// A column of a table about things.
struct FactColumn<Row>: Sendable {
  let name: String
  let values: @Sendable ([Row]) -> ColumnValues
}

/// Facts about the columns of partitions of entries, a table that is made as it is read: the rows about one partition are a partition of
/// this table, and only the columns that are wanted of what is wanted are found out.
final class FactTable<Row>: ScanSource {
  /// What the rows of one partition are about.
  struct Unit: Sendable {
    let entry: Entry
    let partition: Int
    let rowCount: Int
  }

  private let columns: [FactColumn<Row>]
  private let units: [Unit]
  private let rows: @Sendable (_ unit: Unit, _ range: Range<Int>, _ columns: Set<String>) -> [Row]
  let schema: Schema
  let rowCount: Int
  let partitions: [Partition]
  let stretches: Stretches

  /// - Parameters:
  ///   - rowCount: how many rows there are about a partition.
  ///   - rows: those of a unit in this range; what columns that are not named need of them need not be found out.
  init(
    about contents: [EntryContents], columns: [FactColumn<Row>], rowCount: (Entry, Partition) -> Int,
    rows: @escaping @Sendable (_ unit: Unit, _ range: Range<Int>, _ columns: Set<String>) -> [Row]
  ) throws(CacheError) {
    var units: [Unit] = []
    var partitions: [Partition] = []
    var firstRow = 0
    for entry in contents.map(\.entry) {
      for (index, partition) in entry.partitions.enumerated() {
        let count = rowCount(entry, partition)
        guard count > 0 else { continue }
        partitions.append(
          Partition(firstRow: firstRow, rowCount: count, slices: [SegmentSlice(segmentIndex: units.count, offset: 0, count: count)]))
        units.append(Unit(entry: entry, partition: index, rowCount: count))
        firstRow += count
      }
    }
    (self.columns, self.units, self.partitions, self.rowCount, self.rows) = (columns, units, partitions, firstRow, rows)
    stretches = Stretches(partitions)
    schema = Schema(fields: try columns.map { (column) throws(CacheError) in try Field(name: column.name, format: column.values([]).format) })
  }

  func read(_ slice: SegmentSlice, columns wanted: [Int]) throws(CacheError) -> SegmentRows {
    let wanted = wanted.filter(columns.indices.contains).map { columns[$0] }
    guard units.indices.contains(slice.segmentIndex) else { throw CacheError(.query, "partition \(slice.segmentIndex) of \(units.count)") }
    let rows = rows(units[slice.segmentIndex], slice.offset..<slice.offset + slice.count, Set(wanted.map(\.name)))
    let batch = try RecordBatch(columns: wanted.map { ($0.name, $0.values(rows)) })
    return SegmentRows(slices: [RecordBatchSlice(batch, offset: 0, count: rows.count)], isFromDisk: false, isTransient: true, byteCount: 0)
  }

  func prefetch(_ slice: SegmentSlice, columns: [Int]) {}

  /// Which entry and partition the rows are about is known beforehand, so that a filter on them makes no others.
  func knownStatistics(partition: Int, column: Int) -> ColumnStatistics? {
    guard units.indices.contains(partition), columns.indices.contains(column) else { return nil }
    let unit = units[partition]
    func number(_ value: Int) -> ColumnStatistics.Bounds { .int(min: Int64(value), max: Int64(value)) }
    let bounds: ColumnStatistics.Bounds
    switch columns[column].name {
    case "key": bounds = .bytes(min: Array(unit.entry.key.utf8), max: Array(unit.entry.key.utf8), isExact: true)
    case "version": bounds = number(Int(clamping: unit.entry.version))
    case "partition": bounds = number(unit.partition)
    default: return nil
    }
    return ColumnStatistics(rowCount: unit.rowCount, nullCount: 0, bounds: bounds)
  }

  func knownBlocks(column: Int) -> [BlockStatistics?] { [] }
  func blockStatistics(stretch: Int, column: Int) -> BlockStatistics? { nil }
}
