import ArrowData
import CacheStore
import Primitives

/// `arrow_cache.statistics`: each column of each partition.
extension InternalTable {
  /// Computes what is not known yet of what is read: how many different values there are only of rows in memory.
  static func statistics(_ contents: [EntryContents]) throws(CacheError) -> any ScanSource {
    try FactTable(about: contents, columns: statisticsColumns) { entry, _ in entry.schema.fields.count } rows: { unit, range, _ in
      range.map { StatisticsRow(entry: unit.entry, partition: unit.partition, column: $0, computes: true) }
    }
  }

  /// The columns of which something is known.
  static func knownStatistics(_ contents: [EntryContents]) throws(CacheError) -> RecordBatch {
    var rows: [StatisticsRow] = []
    for entry in contents.map(\.entry) {
      for (partition, columns) in entry.knownStatistics.sorted(by: { $0.key < $1.key }) {
        for column in columns.keys.sorted() where entry.schema.fields.indices.contains(column) {
          rows.append(StatisticsRow(entry: entry, partition: partition, column: column, computes: false))
        }
      }
    }
    return try RecordBatch(columns: statisticsColumns.map { ($0.name, $0.values(rows)) })
  }

  private static let statisticsColumns: [FactColumn<StatisticsRow>] = [
    FactColumn(name: "key") { .text($0.map(\.entry.key)) },
    FactColumn(name: "version") { .int64($0.map { Int64(clamping: $0.entry.version) }) },
    FactColumn(name: "partition") { .int64($0.map { Int64($0.partition) }) },
    FactColumn(name: "column_index") { .int64($0.map { Int64($0.column) }) },
    FactColumn(name: "column_name") { .text($0.map(\.field.name)) },
    FactColumn(name: "arrow_format") { .text($0.map(\.field.format)) },
    FactColumn(name: "row_count") { .int64($0.map { Int64($0.entry.partitions[$0.partition].rowCount) }) },
    FactColumn(name: "null_count") { .int64($0.map { $0.known?.nullCount.map(Int64.init) }) },
    FactColumn(name: "min") { .text($0.map(\.bounds?.min)) },
    FactColumn(name: "max") { .text($0.map(\.bounds?.max)) },
    FactColumn(name: "exact") { .bool($0.map(\.bounds?.isExact)) },
    FactColumn(name: "ascending") { .bool($0.map(\.ascending)) },
    FactColumn(name: "distinct_estimate") { .int64($0.map { $0.distinctEstimate.map(Int64.init) }) },
  ]
}

private struct StatisticsRow {
  let entry: Entry
  let partition: Int
  let column: Int
  let computes: Bool

  var field: Field { entry.schema.fields[column] }

  /// The entry keeps what it has computed.
  var known: ColumnStatistics? {
    computes ? entry.statistics(partition: partition, column: column) : entry.knownStatistics(partition: partition, column: column)
  }

  var bounds: BoundsText? { known.flatMap { BoundsText($0.bounds, field) } }

  var ascending: Bool? {
    if computes { _ = entry.statistics(partition: partition, column: column) }
    return entry.blocksAscend(partition: partition, column: column)
  }

  var distinctEstimate: Int? { entry.distinctEstimate(partition: partition, column: column, computes: computes) }
}
