import Synchronization

/// What the scans of an engine have read and what statistics let them leave out.
public final class ScanCounters: Sendable {
  private let partitionsRead = Atomic<Int>(0)
  private let partitionsLeftOut = Atomic<Int>(0)
  private let rowsRead = Atomic<Int>(0)
  private let memoryRead = Atomic<Int>(0)
  private let diskRead = Atomic<Int>(0)
  private let partitionsOnDisk = Atomic<Int>(0)

  /// Partitions that scans had to read.
  public var partitionsScanned: Int { partitionsRead.load(ordering: .relaxed) }
  /// Partitions that could not hold a wanted row.
  public var partitionsSkipped: Int { partitionsLeftOut.load(ordering: .relaxed) }
  /// Rows handed to DuckDB.
  public var rowsScanned: Int { rowsRead.load(ordering: .relaxed) }

  /// Bytes of the columns that were asked for: in memory, and as spilled files store them.
  public var memoryBytesRead: Int { memoryRead.load(ordering: .relaxed) }
  public var diskBytesRead: Int { diskRead.load(ordering: .relaxed) }
  /// Partitions of which rows were read from spilled files.
  public var partitionsFromDisk: Int { partitionsOnDisk.load(ordering: .relaxed) }

  func count(partitionsScanned scanned: Int, skipped: Int) {
    partitionsRead.wrappingAdd(scanned, ordering: .relaxed)
    partitionsLeftOut.wrappingAdd(skipped, ordering: .relaxed)
  }

  func count(bytes: Int, fromDisk: Bool) {
    if fromDisk { diskRead.wrappingAdd(bytes, ordering: .relaxed) } else { memoryRead.wrappingAdd(bytes, ordering: .relaxed) }
  }

  func countPartitionFromDisk() { partitionsOnDisk.wrappingAdd(1, ordering: .relaxed) }

  func count(rows: Int) { rowsRead.wrappingAdd(rows, ordering: .relaxed) }
}
