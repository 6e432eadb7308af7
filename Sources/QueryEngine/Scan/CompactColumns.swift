import ArrowData
import CacheStore
import Primitives

/// What is made of columns beside the plain ones.
struct Compaction: OptionSet, Sendable {
  let rawValue: Int
  static let texts = Compaction(rawValue: 1)
  static let numbers = Compaction(rawValue: 2)
}

/// Columns of an entry in a form that is read faster, made beside the plain ones by scans that read a column again: indices and dictionaries of texts
/// with few values, by which DuckDB groups without a hash for each row, and whole numbers in fewer bytes (`RecordBatch.narrowed`).
///
/// Kept as the entry's memo: the memory counts against the limit, goes before any entry does, and with the version.
final class CompactColumns: @unchecked Sendable {
  static let memoName = "compact columns"
  /// How often a column is read before it is made.
  private static let leastReads = 2
  /// Fewer rows have none made.
  private static let leastRows = 8192

  private struct Part {
    let rows: Range<Int>
    let batch: RecordBatch
  }

  private struct Column {
    var readCount = 0
    /// Its values are too many, or there is no room.
    var isGivenUp = false
    /// By segment, in the order in which they were made.
    var parts: [Int: [Part]] = [:]
  }

  private struct State {
    var columns: [Int: Column] = [:]
    var byteCount = 0
  }

  private let state = Locked(State())
  private let charging = Locked(())
  private let limitBytes: Int

  private init(limitBytes: Int) { self.limitBytes = limitBytes }

  /// What is kept of an entry: a new one where there is none.
  static func of(_ entry: Entry) -> CompactColumns? {
    if let known = entry.memo(memoName) as? CompactColumns { return known }
    let made = CompactColumns(limitBytes: entry.sizeBytes / 4)
    return entry.setMemo(memoName, made, byteCount: 0, holdsRows: false) ? made : nil
  }

  /// The columns of which something is there.
  var columns: Set<Int> { state.withLock { Set($0.columns.filter { !$0.value.parts.isEmpty }.keys) } }

  /// Counts one more scan that reads a column; whether its compact form is of use.
  func isWorthwhile(_ column: Int) -> Bool {
    state.withLock { state in
      state.columns[column, default: Column()].readCount += 1
      return state.columns[column].map { !$0.isGivenUp && $0.readCount >= Self.leastReads } ?? false
    }
  }

  /// The compact form of rows of a column, where there is one.
  private func known(_ column: Int, _ slice: SegmentSlice) -> RecordBatchSlice? {
    state.withLock { state in
      guard let part = state.columns[column]?.parts[slice.segmentIndex]?.first(where: {
        $0.rows.lowerBound <= slice.offset && slice.offset + slice.count <= $0.rows.upperBound
      }) else { return nil }
      return RecordBatchSlice(part.batch, offset: slice.offset - part.rows.lowerBound, count: slice.count)
    }
  }

  /// The compact form of rows of a column; made where there is none and `makes` says so. nil: they stay plain.
  ///
  /// - Parameter plain: the rows, in which the column is number `index`.
  func form(
    _ column: Int, _ slice: SegmentSlice, _ plain: RecordBatchSlice, at index: Int, kind: ColumnKind, makes: Bool, for entry: Entry
  ) -> RecordBatchSlice? {
    if let known = known(column, slice) { return known }
    guard makes, slice.count >= Self.leastRows, state.withLock({ $0.columns[column]?.isGivenUp == false }) else { return nil }
    let made: RecordBatch?
    do throws(CacheError) { made = try kind.isText ? Self.codes(plain, index) : Self.numbers(plain, index, kind) } catch { made = nil }
    guard let made, keep(made, column, slice, entry) else {
      state.withLock { $0.columns[column]?.isGivenUp = true }
      return nil
    }
    return RecordBatchSlice(made, offset: 0, count: slice.count)
  }

  private static func codes(_ plain: RecordBatchSlice, _ index: Int) throws(CacheError) -> RecordBatch? {
    let rows = try plain.batch.selecting([index]).copied(columns: [], offset: plain.offset, count: plain.count)
    guard let made = try rows.encoded(columns: nil) else { return nil }
    return made.column(0).pointee.dictionary?.pointee.length ?? .max <= Int64(V2DictionaryVector.maximumValues) ? made : nil
  }

  private static func numbers(_ plain: RecordBatchSlice, _ index: Int, _ kind: ColumnKind) throws(CacheError) -> RecordBatch? {
    let decimalBytes: Int? = if case .decimal(let bytes) = kind { bytes } else { nil }
    return try plain.batch.narrowed(column: index, offset: plain.offset, count: plain.count, decimalBytes: decimalBytes)
  }

  /// False where there is no room. Where another scan has made them meanwhile, its codes stay.
  private func keep(_ batch: RecordBatch, _ column: Int, _ slice: SegmentSlice, _ entry: Entry) -> Bool {
    let byteCount = batch.buffers.reduce(256) { $0 + $1.byteCount }
    let part = Part(rows: slice.offset..<(slice.offset + slice.count), batch: batch)
    let isNew: Bool? = state.withLock { state in
      if state.columns[column]?.parts[slice.segmentIndex]?.contains(where: { $0.rows == part.rows }) ?? false { return false }
      guard state.byteCount + byteCount <= limitBytes else { return nil }
      state.byteCount += byteCount
      state.columns[column, default: Column()].parts[slice.segmentIndex, default: []].append(part)
      return true
    }
    guard let isNew else { return false }
    guard isNew, !charge(to: entry) else { return true }
    state.withLock { state in
      state.byteCount -= byteCount
      state.columns[column]?.parts[slice.segmentIndex]?.removeAll { $0.batch === batch }
    }
    return false
  }

  /// Has the entry's account say what is kept; false where there is no room for it. One scan after the other.
  private func charge(to entry: Entry) -> Bool {
    charging.withLock { _ in entry.setMemo(Self.memoName, self, byteCount: state.withLock { $0.byteCount }, holdsRows: false) }
  }
}

/// The columns of one scan that are read in a compact form where there is one.
struct ScanCompaction: Sendable {
  private let forms: CompactColumns
  private let entry: Entry
  /// By their places in the table.
  private let kinds: [Int: ColumnKind]

  /// - Parameter columns: all that the scan looks at. nil where none of them could be compact.
  init?(_ binding: ScanBinding, columns: Set<Int>) {
    guard !binding.compaction.isEmpty, let entry = binding.source as? Entry else { return nil }
    let possible = columns.filter { column in
      let kind = binding.columns[column].kind
      if kind.isPlainText { return binding.compaction.contains(.texts) }
      return kind.narrowTarget != nil && entry.schema.fields[column].isNarrowable && binding.compaction.contains(.numbers)
    }
    guard !possible.isEmpty, let forms = CompactColumns.of(entry) else { return nil }
    let wanted = possible.filter(forms.isWorthwhile)
    guard !wanted.isEmpty else { return nil }
    (self.forms, self.entry) = (forms, entry)
    kinds = Dictionary(uniqueKeysWithValues: wanted.map { ($0, binding.columns[$0].kind) })
  }

  /// The rows with compact columns in place of plain ones; nil where there are none.
  ///
  /// - Parameters:
  ///   - columns: of the table, in the order of the batch.
  ///   - wanted: those that may be compact; nil: all.
  ///   - makes: whether to make what is not there.
  func compact(_ slice: SegmentSlice, _ rows: RecordBatchSlice, columns: [Int], wanted: [Int]? = nil, makes: Bool) -> RecordBatchSlice? {
    var found: [Int: RecordBatchSlice] = [:]
    for (index, column) in columns.enumerated() where rows.batch.schema.fields[index].encodedFormat == nil && wanted?.contains(column) ?? true {
      guard let kind = kinds[column] else { continue }
      found[index] = forms.form(column, slice, rows, at: index, kind: kind, makes: makes, for: entry)
    }
    return found.isEmpty ? nil : RecordBatchSlice(rows.batch.replacing(found, offset: rows.offset, count: rows.count))
  }
}
