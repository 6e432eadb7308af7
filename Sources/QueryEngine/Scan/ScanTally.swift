import ArrowData
import CacheStore

/// Which partitions of a scan have been read, and which have turned out to hold nothing.
struct ScanTally {
  private struct Part {
    /// Stretches of which it is not known yet.
    var pending = 0
    var isWanted = false
    var isRead = false
    var isFromDisk = false
  }

  private var parts: [Part]
  /// What is known from the start.
  private(set) var skippedPartitions = 0
  private(set) var skippedBlocks = 0

  init(_ wanted: [ScanPlan.Rows?], _ stretches: [Stretches.Stretch], partitionCount: Int) {
    parts = [Part](repeating: Part(), count: partitionCount)
    for (rows, stretch) in zip(wanted, stretches) {
      if let rows {
        skippedBlocks += Self.blocks([stretch.rows]) - Self.blocks(rows)
        if !rows.isEmpty { parts[stretch.partition].isWanted = true }
      } else {
        parts[stretch.partition].pending += 1
      }
    }
    skippedPartitions = parts.count { !$0.isWanted && $0.pending == 0 }
  }

  /// Whether these are the first rows of the partition to be read, and what has turned out to be skipped.
  mutating func begin(
    _ morsel: Morsel.Part, _ rows: ScanPlan.Rows, _ stretch: Stretches.Stretch
  ) -> (isFirstOfPartition: Bool, skipped: (partitions: Int, blocks: Int)) {
    var part = parts[stretch.partition]
    defer { parts[stretch.partition] = part }
    var skipped = (partitions: 0, blocks: 0)
    if morsel.rows == nil {
      part.pending -= 1
      skipped.blocks = Self.blocks([stretch.rows]) - Self.blocks(rows)
      if !rows.isEmpty { part.isWanted = true }
      if part.pending == 0, !part.isWanted { skipped.partitions = 1 }
    }
    let isFirst = !rows.isEmpty && !part.isRead
    if isFirst { part.isRead = true }
    return (isFirst, skipped)
  }

  mutating func isFirstFromDisk(_ partition: Int) -> Bool {
    defer { parts[partition].isFromDisk = true }
    return !parts[partition].isFromDisk
  }

  static func blocks(_ rows: ScanPlan.Rows) -> Int {
    let size = BlockStatistics.blockRows
    return rows.reduce(0) { $0 + ($1.upperBound + size - 1) / size - $1.lowerBound / size }
  }
}
