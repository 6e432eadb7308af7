import ArrowData
import CacheStore

/// Rows that one thread scans, in row order; their places among the morsels order the output of parallel scans.
struct Morsel: Sendable {
  /// Rows of one stretch.
  struct Part: Sendable {
    let stretch: Int
    /// nil: known when their turn comes.
    let rows: ScanPlan.Rows?
  }

  /// As many rows as a row group of DuckDB's own tables has; fewer where there are few, so that all threads have some.
  static let largestRows = BlockStatistics.stretchRows
  static let smallestRows = 8 * BlockStatistics.blockRows
  /// So many for all rows at least, where they are not smaller than that.
  private static let usefulCount = 8

  /// Of several stretches where few rows of each are wanted.
  let parts: [Part]

  /// The morsels of the rows of each stretch; none of those that have no rows.
  static func cut(_ wanted: [ScanPlan.Rows?], _ stretches: [Stretches.Stretch]) -> [Morsel] {
    let counts = zip(wanted, stretches).map { rows, stretch in rows?.reduce(0) { $0 + $1.count } ?? stretch.rows.count }
    let share = (counts.reduce(0, +) / usefulCount / BlockStatistics.blockRows + 1) * BlockStatistics.blockRows
    let target = min(largestRows, max(smallestRows, share))
    var morsels: [Morsel] = []
    var (parts, room): ([Part], Int) = ([], target)
    func finish() {
      if !parts.isEmpty { morsels.append(Morsel(parts: parts)) }
      (parts, room) = ([], target)
    }
    for (index, rows) in wanted.enumerated() where counts[index] > 0 {
      guard let rows, counts[index] < target else {
        finish()
        for rows in rows.map({ cut($0, target) }) ?? [nil] { morsels.append(Morsel(parts: [Part(stretch: index, rows: rows)])) }
        continue
      }
      // A stretch is not cut to fill a morsel: what is made of its rows can be used by scans that want others besides.
      if counts[index] > room { finish() }
      parts.append(Part(stretch: index, rows: rows))
      room -= counts[index]
    }
    finish()
    return morsels
  }

  /// Runs are cut at blocks.
  private static func cut(_ rows: ScanPlan.Rows, _ target: Int) -> [ScanPlan.Rows?] {
    var cuts: [ScanPlan.Rows?] = []
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
          cuts.append(part)
          (part, room) = ([], target)
        }
      }
    }
    return part.isEmpty ? cuts : cuts + [part]
  }
}
