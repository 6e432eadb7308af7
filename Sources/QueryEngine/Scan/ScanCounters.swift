import ArrowData
import Primitives
import Synchronization

/// What scans have read and what statistics let them leave out: of an engine, or of one reference to a table within a statement, which
/// counts in the engine's too.
public final class ScanCounters: Sendable {
  private let whole: ScanCounters?
  /// Of the engine: what testing rows before DuckDB has them, and remembering which were wanted, has brought.
  public let remembered: RememberedCounters
  private let partitionsRead = Atomic<Int>(0)
  private let partitionsLeftOut = Atomic<Int>(0)
  private let blocksRead = Atomic<Int>(0)
  private let blocksLeftOut = Atomic<Int>(0)
  private let rowsRead = Atomic<Int>(0)
  private let memoryRead = Atomic<Int>(0)
  private let diskRead = Atomic<Int>(0)
  private let partitionsOnDisk = Atomic<Int>(0)

  /// - Parameter whole: what counts the same once more.
  init(in whole: ScanCounters? = nil) { (self.whole, remembered) = (whole, whole?.remembered ?? RememberedCounters()) }

  /// Partitions that scans have begun to read.
  public var partitionsScanned: Int { partitionsRead.load(ordering: .relaxed) }
  /// Partitions that could not hold a wanted row.
  public var partitionsSkipped: Int { partitionsLeftOut.load(ordering: .relaxed) }
  /// Blocks of rows of which scans have begun to read some, and those that could not hold a wanted row: those of skipped partitions too.
  public var blocksScanned: Int { blocksRead.load(ordering: .relaxed) }
  public var blocksSkipped: Int { blocksLeftOut.load(ordering: .relaxed) }
  /// Rows handed to DuckDB.
  public var rowsScanned: Int { rowsRead.load(ordering: .relaxed) }

  /// Bytes of the columns that were asked for: in memory, and as spilled files store them.
  public var memoryBytesRead: Int { memoryRead.load(ordering: .relaxed) }
  public var diskBytesRead: Int { diskRead.load(ordering: .relaxed) }
  /// Partitions of which rows were read from spilled files.
  public var partitionsFromDisk: Int { partitionsOnDisk.load(ordering: .relaxed) }

  func count(partitionsSkipped partitions: Int, blocksSkipped blocks: Int) {
    partitionsLeftOut.wrappingAdd(partitions, ordering: .relaxed)
    blocksLeftOut.wrappingAdd(blocks, ordering: .relaxed)
    whole?.count(partitionsSkipped: partitions, blocksSkipped: blocks)
  }

  func count(partitionsScanned partitions: Int, blocksScanned blocks: Int) {
    partitionsRead.wrappingAdd(partitions, ordering: .relaxed)
    blocksRead.wrappingAdd(blocks, ordering: .relaxed)
    whole?.count(partitionsScanned: partitions, blocksScanned: blocks)
  }

  func count(bytes: Int, fromDisk: Bool) {
    if fromDisk { diskRead.wrappingAdd(bytes, ordering: .relaxed) } else { memoryRead.wrappingAdd(bytes, ordering: .relaxed) }
    whole?.count(bytes: bytes, fromDisk: fromDisk)
  }

  func countPartitionFromDisk() {
    partitionsOnDisk.wrappingAdd(1, ordering: .relaxed)
    whole?.countPartitionFromDisk()
  }

  func count(rows: Int) {
    rowsRead.wrappingAdd(rows, ordering: .relaxed)
    whole?.count(rows: rows)
  }
}

/// One reference to a table within a statement, and what reading it took.
public final class StatementScan: Sendable {
  /// As SQL names it: `_cache_<key>`, or a table of the engine's own.
  public let table: String
  public let tableRows: Int
  public let tablePartitions: Int
  public let counters: ScanCounters
  let schema: Schema
  private let begun = Atomic<Bool>(false)
  private let recorded = Locked<(predicates: [Predicate], readsTop: Bool)>(([], false))

  init(table: String, source: any ScanSource, in whole: ScanCounters) {
    self.table = table
    (tableRows, tablePartitions, schema) = (source.rowCount, source.partitions.count, source.schema)
    counters = ScanCounters(in: whole)
  }

  /// Whether DuckDB has begun to read it: it binds some tables only to know their columns.
  public var hasBegun: Bool { begun.load(ordering: .relaxed) }

  /// What DuckDB has said of the rows that it wants.
  var predicates: [Predicate] { recorded.withLock { $0.predicates } }
  /// Whether it has looked for the first rows of an order alone.
  var readsTop: Bool { recorded.withLock { $0.readsTop } }

  func begin(_ predicates: [Predicate], readsTop: Bool) {
    recorded.withLock { $0 = (predicates, readsTop) }
    begun.store(true, ordering: .relaxed)
  }
}
