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
  let source: any ScanSource
  let columns: [ScanColumn]
  let scan: StatementScan
  /// What every row that the query wants satisfies, as far as it is known here. DuckDB applies its filters itself: this only
  /// says which partitions cannot hold such a row. Set while the statement is optimised, by one thread.
  var predicates: [Predicate] = []

  /// Whether the rows that satisfied conditions are remembered.
  private let remembersRows: Bool
  /// Whether texts that repeat are given to DuckDB as codes, which are made when they are read again.
  let makesCodes: Bool
  /// What the statement's text tells of this reference.
  let hint: ScanHint?

  init(source: any ScanSource, columns: [ScanColumn], scan: StatementScan, remembersRows: Bool, makesCodes: Bool, hint: ScanHint?) {
    (self.source, self.columns, self.scan, self.hint) = (source, columns, scan, hint)
    (self.remembersRows, self.makesCodes) = (remembersRows, makesCodes)
  }

  /// For each stretch the blocks that may hold one of the first rows of an order, where no more are wanted.
  var topBlocks: [UInt64]? { if case .top(let top)? = hint { top.blocks(of: source, columns: columns) } else { nil } }
  var wantsCountOnly: Bool { if case .count? = hint { predicates.isEmpty } else { false } }

  var counters: ScanCounters { scan.counters }


  /// What a scan of these columns tests itself.
  func filter(wanted: [Int]) -> ScanFilter? {
    wanted.isEmpty || predicates.isEmpty ? nil : ScanFilter(predicates, source: source, remembers: remembersRows, counters: counters.remembered)
  }

  /// What the statement has read from memory, which strings in its vectors may point into.
  private let held = Locked<[RecordBatch]>([])

  func hold(_ batches: [RecordBatch]) { held.withLock { $0 += batches } }

  /// Names as SQL needs them: unique without regard to case, by DuckDB's own scheme (`a`, `A_1`).
  static func columnNames(_ schema: Schema) -> [String] {
    var taken: Set<String> = []
    return schema.fields.enumerated().map { index, field in
      let base = field.name.isEmpty ? "C\(index)" : field.name
      var name = base
      var suffix = 1
      while !taken.insert(String(decoding: name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }, as: UTF8.self)).inserted {
        name = "\(base)_\(suffix)"
        suffix += 1
      }
      return name
    }
  }
}
