import ArrowData

/// The partitions of an entry, cut into stretches of blocks: the rows whose statistics are made and judged at once.
public struct Stretches: Sendable {
  public struct Stretch: Sendable {
    public let partition: Int
    /// Counted from the partition's first row.
    public let rows: Range<Int>
  }

  public let all: [Stretch]
  /// Where each partition's begin, and the end.
  private let starts: [Int]

  public init(_ partitions: [Partition]) {
    var (all, starts): ([Stretch], [Int]) = ([], [])
    for (index, partition) in partitions.enumerated() {
      starts.append(all.count)
      for first in stride(from: 0, to: partition.rowCount, by: BlockStatistics.stretchRows) {
        all.append(Stretch(partition: index, rows: first..<min(partition.rowCount, first + BlockStatistics.stretchRows)))
      }
    }
    (self.all, self.starts) = (all, starts + [all.count])
  }

  /// Those of a partition.
  public func of(_ partition: Int) -> Range<Int> {
    starts.indices.contains(partition + 1) ? starts[partition]..<starts[partition + 1] : 0..<0
  }
}
