import ArrowData
import CacheStore
import Primitives

/// A column of a cached table as DuckDB sees it.
struct ScanColumn: Sendable {
  let name: String
  let kind: ColumnKind
  /// Why DuckDB cannot read the column, where it cannot: the query fails only if it asks for it.
  let failure: String?

  static func failure(_ name: String, _ field: Field, _ reason: String) -> String {
    "\(DuckDBMessage.ours)DuckDB cannot read column '\(name)' of Arrow format '\(field.format)' (\(DuckDBMessage.readable(reason))): select other columns, or cast it before it is put"
  }
}

/// One reference to a table within a statement. DuckDB keeps it until the statement's result is destroyed, and so the
/// buffers in memory, into which the strings of its vectors point.
final class ScanBinding: @unchecked Sendable {
  /// Of a plan that is kept and does not run: a table without rows.
  private(set) var source: any ScanSource
  /// Whether the source is not what is to be read.
  private(set) var isParked = false
  let columns: [ScanColumn]
  let scan: StatementScan
  /// What every row that the query wants satisfies, as far as it is known here. DuckDB applies its filters itself: this only
  /// says which partitions cannot hold such a row. Set while the statement is optimised, by one thread.
  var predicates: [Predicate] = []

  /// Whether the rows that satisfied conditions are remembered.
  private let remembersRows: Bool
  /// What is made of columns that are read again.
  let compaction: Compaction
  /// Whether there is one column more, with the numbers of the rows. Set when it is bound.
  var numbersRows = false
  /// What the statement's text tells of this reference.
  let hint: ScanHint?
  /// Whether the statement is only bound.
  private let readsNoRows = QuerySnapshot.current?.readsNoRows ?? false

  init(source: any ScanSource, columns: [ScanColumn], scan: StatementScan, remembersRows: Bool, compaction: Compaction, hint: ScanHint?) {
    (self.source, self.columns, self.scan, self.hint) = (source, columns, scan, hint)
    (self.remembersRows, self.compaction) = (remembersRows, compaction)
  }

  /// For each stretch the blocks that may hold one of the first rows of an order, where no more are wanted.
  var topBlocks: [UInt64]? { if case .top(let top)? = hint { top.blocks(of: source, columns: columns) } else { nil } }
  var wantsCountOnly: Bool { if case .count? = hint { predicates.isEmpty } else { false } }

  var counters: ScanCounters { scan.counters }

  /// What a scan reads of these rows.
  func morsels(of rows: [ScanPlan.Rows?], _ stretches: [Stretches.Stretch]) -> [Morsel] { readsNoRows ? [] : Morsel.cut(rows, stretches) }

  /// What a scan of these columns tests itself.
  func filter(wanted: [Int]) -> ScanFilter? {
    wanted.isEmpty || predicates.isEmpty ? nil : ScanFilter(predicates, source: source, remembers: remembersRows, counters: counters.remembered)
  }

  /// What the statement has read from memory, which strings in its vectors may point into.
  private let held = Locked<[RecordBatch]>([])

  func hold(_ batches: [RecordBatch]) { held.withLock { $0 += batches } }

  /// Lets go of all rows until the plan that it is part of runs again. Of entries: other tables are made anew for each statement.
  func park() {
    let gone = held.withLock { held in
      defer { held = [] }
      return held
    }
    withExtendedLifetime(gone) {}
    guard !isParked else { return }
    (parkedKey, source, isParked) = ((source as? Entry)?.key, ParkedTable(schema: source.schema), true)
  }

  /// The entry is there again.
  func resume(_ find: (_ key: String) throws(CacheError) -> Entry?) throws(CacheError) {
    guard isParked, let parkedKey, let entry = try find(parkedKey) else { return }
    (source, isParked) = (entry, false)
  }

  /// Reads what the key stands for now, in place of the version that a statement was prepared with.
  func renew(_ find: (_ key: String) throws(CacheError) -> Entry?) {
    guard let key = parkedKey ?? (source as? Entry)?.key else { return }
    let found: Entry?
    do throws(CacheError) { found = try find(key) } catch { return renewalFailure = DuckDBMessage.text(error) }
    let name = TableName.written(key)
    guard let entry = found else { return renewalFailure = "\(DuckDBMessage.ours)\(name), which the statement was prepared to read, is there no more: PREPARE it anew" }
    guard entry.schema.fields == source.schema.fields else {
      return renewalFailure = "\(DuckDBMessage.ours)\(name) has other columns than when the statement was prepared: PREPARE it anew"
    }
    (source, isParked, renewalFailure) = (entry, false, nil)
  }

  /// Why what a prepared statement reads is not there.
  private(set) var renewalFailure: String?
  private var parkedKey: String?
  static let parkedFailure = "the plan is not running"

  /// Names as SQL needs them: unique without regard to case, by DuckDB's own scheme (`a`, `A_1`).
  static func columnNames(_ schema: Schema) -> [String] {
    var taken: Set<String> = []
    return schema.fields.enumerated().map { index, field in
      let base = field.name.isEmpty ? "v\(index)" : field.name
      var name = base
      var suffix = 1
      while !taken.insert(name.folded).inserted {
        name = "\(base)_\(suffix)"
        suffix += 1
      }
      return name
    }
  }
}

/// What stands for an entry in a plan that does not run.
private final class ParkedTable: ScanSource {
  let schema: Schema
  let rowCount = 0
  let partitions: [Partition] = []
  let stretches = Stretches([])

  init(schema: Schema) { self.schema = schema }

  func knownStatistics(partition: Int, column: Int) -> ColumnStatistics? { nil }
  func knownBlocks(column: Int) -> [BlockStatistics?] { [] }
  func blockStatistics(stretch: Int, column: Int) -> BlockStatistics? { nil }
  func prefetch(_ slice: SegmentSlice, columns: [Int]) {}
  func read(_ slice: SegmentSlice, columns: [Int]) throws(CacheError) -> SegmentRows {
    throw CacheError(.query, ScanBinding.parkedFailure)
  }
}
