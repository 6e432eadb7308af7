import ArrowData
import CacheStore
import Primitives

/// `arrow_cache.block_statistics`: each column of each block of 2 048 rows. Nothing of it is kept.
extension InternalTable {
  static func blockStatistics(_ contents: [EntryContents]) throws(CacheError) -> any ScanSource {
    try FactTable(about: contents, columns: blockColumns) { entry, partition in
      entry.schema.fields.count * partition.blockCount
    } rows: { unit, range, columns in
      let blocks = unit.entry.partitions[unit.partition].blockCount
      var rows: [BlockRow] = []
      var first = range.lowerBound
      // One column after the other, so that one at a time is in memory of those that must be decompressed.
      while first < range.upperBound {
        let column = first / blocks
        let end = min(range.upperBound, (column + 1) * blocks)
        rows += BlockRow.rows(unit.entry, unit.partition, column: column, blocks: first - column * blocks..<end - column * blocks, columns)
        first = end
      }
      return rows
    }
  }

  private static let blockColumns: [FactColumn<BlockRow>] = [
    FactColumn(name: "key") { .text($0.map(\.entry.key)) },
    FactColumn(name: "version") { .int64($0.map { Int64(clamping: $0.entry.version) }) },
    FactColumn(name: "partition") { .int64($0.map { Int64($0.partition) }) },
    FactColumn(name: "block") { .int64($0.map { Int64($0.block) }) },
    FactColumn(name: "column_index") { .int64($0.map { Int64($0.column) }) },
    FactColumn(name: "column_name") { .text($0.map(\.field.name)) },
    FactColumn(name: "first_row") { .int64($0.map { Int64($0.entry.partitions[$0.partition].firstRow + $0.rows.lowerBound) }) },
    FactColumn(name: "row_count") { .int64($0.map { Int64($0.rows.count) }) },
    FactColumn(name: "null_count") { .int64($0.map { $0.known?.nullCount.map(Int64.init) }) },
    FactColumn(name: "min") { .text($0.map(\.bounds?.min)) },
    FactColumn(name: "max") { .text($0.map(\.bounds?.max)) },
    FactColumn(name: "exact") { .bool($0.map(\.bounds?.isExact)) },
    FactColumn(name: "distinct_estimate") { .int64($0.map { $0.distinctCount.map(Int64.init) }) },
  ]
}

private struct BlockRow {
  let entry: Entry
  let partition: Int
  let column: Int
  let block: Int
  /// nil where the rows cannot be read, or nobody asks.
  var known: ColumnStatistics?
  var distinctCount: Int?

  var field: Field { entry.schema.fields[column] }
  var bounds: BoundsText? { known.flatMap { BoundsText($0.bounds, field) } }

  /// Counted from the partition's first row.
  var rows: Range<Int> {
    let first = block * BlockStatistics.blockRows
    return first..<min(entry.partitions[partition].rowCount, first + BlockStatistics.blockRows)
  }

  static func rows(_ entry: Entry, _ partition: Int, column: Int, blocks: Range<Int>, _ wanted: Set<String>) -> [BlockRow] {
    var rows = blocks.map { BlockRow(entry: entry, partition: partition, column: column, block: $0) }
    let wantsBounds = !wanted.isDisjoint(with: ["null_count", "min", "max", "exact"])
    let wantsCount = wanted.contains("distinct_estimate")
    guard wantsBounds || wantsCount, let first = rows.first, let last = rows.last else { return rows }
    do throws(CacheError) {
      let slices = try entry.rows(partition: partition, first.rows.lowerBound..<last.rows.upperBound, column: column)
      for (index, slices) in cut(slices, rows: BlockStatistics.blockRows).enumerated() where rows.indices.contains(index) {
        if wantsBounds {
          rows[index].known = ColumnStatistics(merging: slices.map { ColumnStatistics(of: $0.batch, column: 0, offset: $0.offset, count: $0.count) })
        }
        guard wantsCount else { continue }
        var count = DistinctCount(capacity: BlockStatistics.blockRows)
        if slices.allSatisfy({ count.add($0, column: 0) }) { rows[index].distinctCount = count.count }
      }
    } catch {
      // Of rows that are lost nothing is known: whoever reads the table itself is told.
    }
    return rows
  }

  /// The slices of each run of so many rows.
  private static func cut(_ slices: [RecordBatchSlice], rows: Int) -> [[RecordBatchSlice]] {
    var (blocks, open, missing): ([[RecordBatchSlice]], [RecordBatchSlice], Int) = ([], [], rows)
    for slice in slices {
      var offset = 0
      while offset < slice.count {
        let count = min(missing, slice.count - offset)
        open.append(RecordBatchSlice(slice.batch, offset: slice.offset + offset, count: count))
        (offset, missing) = (offset + count, missing - count)
        if missing == 0 { (blocks, open, missing) = (blocks + [open], [], rows) }
      }
    }
    return open.isEmpty ? blocks : blocks + [open]
  }
}
