import ArrowData
import CacheStore

/// Which rows of a table a scan reads: those that may satisfy its predicates, as far as is known.
struct ScanPlan: Sendable {
  /// Sorted, apart from each other, counted from the partition's first row.
  typealias Rows = [Range<Int>]

  private let source: any ScanSource
  private let predicates: [Predicate]
  /// The columns whose statistics may tell blocks apart.
  let columns: [Int]

  /// For each stretch the blocks that may hold one of the first rows that are wanted, where no more are; nil: all.
  private let top: [UInt64]?

  init(source: any ScanSource, predicates: [Predicate], top: [UInt64]? = nil) {
    (self.source, self.predicates) = (source, predicates)
    // Which rows are first is known of the whole table only.
    self.top = predicates.isEmpty ? top : nil
    var columns: Set<Int> = []
    for predicate in predicates { predicate.collectColumns(into: &columns) }
    self.columns = columns.filter(source.schema.fields.indices.contains).sorted()
  }

  /// The rows of each stretch of the table as far as can be said without looking at any; nil: not known before the stretch's turn comes.
  func knownRows() -> [Rows?] {
    let stretches = source.stretches.all
    if let top { return zip(stretches, top).map { rows(of: $0, wanted: $1) } }
    guard !columns.isEmpty else { return stretches.map { [$0.rows] } }
    let known = columns.map { source.knownBlocks(column: $0) }
    var partition = (index: -1, mayMatch: true)
    return stretches.indices.map { index in
      let stretch = stretches[index]
      if known.allSatisfy({ $0.indices.contains(index) && $0[index] != nil }) {
        return rows(of: stretch) { column in columns.firstIndex(of: column).flatMap { known[$0][index] } }
      }
      if stretch.partition != partition.index { partition = (stretch.partition, mayMatch(stretch.partition)) }
      return partition.mayMatch ? nil : []
    }
  }

  /// The rows of a stretch whose turn has come, by a thread that may look at them.
  func rows(ofStretch index: Int) -> Rows {
    let known = columns.map { source.blockStatistics(stretch: index, column: $0) }
    return rows(of: source.stretches.all[index]) { column in columns.firstIndex(of: column).flatMap { known[$0] } }
  }

  private func mayMatch(_ partition: Int) -> Bool {
    let rowCount = source.partitions[partition].rowCount
    return predicates.allSatisfy { $0.mayMatch { source.knownStatistics(partition: partition, column: $0) ?? .unknown(rowCount: rowCount) } }
  }

  private func rows(of stretch: Stretches.Stretch, _ statistics: (Int) -> BlockStatistics?) -> Rows {
    var wanted = UInt64.max
    for predicate in predicates where wanted != 0 { wanted &= predicate.mayMatch(blocks: .max, statistics) }
    return rows(of: stretch, wanted: wanted)
  }

  /// The runs of these blocks.
  private func rows(of stretch: Stretches.Stretch, wanted: UInt64) -> Rows {
    let size = BlockStatistics.blockRows
    let count = (stretch.rows.count + size - 1) / size
    let all: UInt64 = count >= 64 ? .max : 1 << UInt64(count) - 1
    var wanted = wanted & all
    guard wanted != all else { return [stretch.rows] }
    var rows: Rows = []
    while wanted != 0 {
      let first = wanted.trailingZeroBitCount
      let run = (~(wanted >> UInt64(first))).trailingZeroBitCount
      rows.append((stretch.rows.lowerBound + first * size)..<min(stretch.rows.upperBound, stretch.rows.lowerBound + (first + run) * size))
      wanted &= ~((run >= 64 ? .max : 1 << UInt64(run) - 1) << UInt64(first))
    }
    return rows
  }
}
