import ArrowData
import CacheStore

/// Rows of one stretch that one thread scans, in row order; their places among the morsels order the output of parallel scans.
struct Morsel: Sendable {
  /// As many rows as a row group of DuckDB's own tables has; fewer where there are few, so that all threads have some.
  static let largestRows = BlockStatistics.stretchRows
  static let smallestRows = 8 * BlockStatistics.blockRows
  /// So many for all rows at least, where they are not smaller than that.
  private static let usefulCount = 8

  let stretch: Int
  /// nil: known when its turn comes.
  let rows: ScanPlan.Rows?

  /// The morsels of the rows of each stretch; none of those that have no rows.
  static func cut(_ wanted: [ScanPlan.Rows?], _ stretches: [Stretches.Stretch]) -> [Morsel] {
    var rowCount = 0
    for (rows, stretch) in zip(wanted, stretches) { rowCount += rows?.reduce(0) { $0 + $1.count } ?? stretch.rows.count }
    let share = (rowCount / usefulCount / BlockStatistics.blockRows + 1) * BlockStatistics.blockRows
    let target = min(largestRows, max(smallestRows, share))
    var morsels: [Morsel] = []
    for (index, rows) in wanted.enumerated() {
      guard let rows else {
        morsels.append(Morsel(stretch: index, rows: nil))
        continue
      }
      cut(rows, target) { morsels.append(Morsel(stretch: index, rows: $0)) }
    }
    return morsels
  }

  /// Runs are cut at blocks.
  private static func cut(_ rows: ScanPlan.Rows, _ target: Int, _ body: (ScanPlan.Rows) -> Void) {
    var part: ScanPlan.Rows = []
    var room = target
    for range in rows {
      var range = range
      while !range.isEmpty {
        let taken = range.prefix(room)
        part.append(taken)
        room -= taken.count
        range = taken.upperBound..<range.upperBound
        // What is left of a block would be a vector of few rows, for each thread.
        if room < BlockStatistics.blockRows {
          body(part)
          (part, room) = ([], target)
        }
      }
    }
    if !part.isEmpty { body(part) }
  }
}
