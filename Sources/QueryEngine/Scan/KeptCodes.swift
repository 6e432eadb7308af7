import ArrowData
import CacheStore
import Primitives

/// Indices and dictionaries of an entry's text columns with few values, made beside the plain ones by scans that read a column again, so
/// that DuckDB groups by them without a hash for each row.
///
/// Kept as the entry's memo: the memory counts against the limit, goes before any entry does, and with the version.
final class KeptCodes: @unchecked Sendable {
  static let memoName = "dictionary codes"
  /// How often a column is read before its codes are made.
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
  static func of(_ entry: Entry) -> KeptCodes? {
    if let known = entry.memo(memoName) as? KeptCodes { return known }
    let made = KeptCodes(limitBytes: entry.sizeBytes / 4)
    return entry.setMemo(memoName, made, byteCount: 0, holdsRows: false) ? made : nil
  }

  /// Counts one more scan that reads a column; whether its codes are of use.
  func isWorthwhile(_ column: Int) -> Bool {
    state.withLock { state in
      state.columns[column, default: Column()].readCount += 1
      return state.columns[column].map { !$0.isGivenUp && $0.readCount >= Self.leastReads } ?? false
    }
  }

  /// The codes of rows of a column, where there are some.
  private func known(_ column: Int, _ slice: SegmentSlice) -> RecordBatchSlice? {
    state.withLock { state in
      guard let part = state.columns[column]?.parts[slice.segmentIndex]?.first(where: {
        $0.rows.lowerBound <= slice.offset && slice.offset + slice.count <= $0.rows.upperBound
      }) else { return nil }
      return RecordBatchSlice(part.batch, offset: slice.offset - part.rows.lowerBound, count: slice.count)
    }
  }

  /// The codes of rows of a column; made where there are none and `makes` says so. nil: they stay plain.
  ///
  /// - Parameter plain: the rows, in which the column is number `index`.
  func codes(_ column: Int, _ slice: SegmentSlice, _ plain: RecordBatchSlice, at index: Int, makes: Bool, for entry: Entry) -> RecordBatchSlice? {
    if let known = known(column, slice) { return known }
    guard makes, slice.count >= Self.leastRows, state.withLock({ $0.columns[column]?.isGivenUp == false }) else { return nil }
    let made: RecordBatch?
    do throws(CacheError) {
      let rows = try plain.batch.selecting([index]).copied(columns: [], offset: plain.offset, count: plain.count)
      made = try rows.encoded(columns: nil)
    } catch { made = nil }
    let valueCount = made?.column(0).pointee.dictionary?.pointee.length ?? .max
    guard let made, valueCount <= Int64(V2DictionaryVector.maximumValues), keep(made, column, slice, entry) else {
      state.withLock { $0.columns[column]?.isGivenUp = true }
      return nil
    }
    return RecordBatchSlice(made, offset: 0, count: slice.count)
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

/// The text columns of one scan that are handed to DuckDB as codes where there are some.
struct ScanCodes: Sendable {
  private let codes: KeptCodes
  private let entry: Entry
  /// Place in what is read, and in the table.
  private let columns: [(index: Int, column: Int)]

  /// nil where no column could be.
  init?(_ binding: ScanBinding, columns: [Int]) {
    guard binding.makesCodes, let entry = binding.source as? Entry else { return nil }
    let texts = columns.enumerated().filter { [.text32, .text64, .textView].contains(binding.columns[$0.element].kind) }
    guard !texts.isEmpty, let codes = KeptCodes.of(entry) else { return nil }
    let wanted = texts.filter { codes.isWorthwhile($0.element) }
    guard !wanted.isEmpty else { return nil }
    (self.codes, self.entry, self.columns) = (codes, entry, wanted.map { (index: $0.offset, column: $0.element) })
  }

  /// The rows with codes in place of texts; nil where there are none.
  ///
  /// - Parameter wantedCount: how many of them are: codes are not made for a few.
  func coded(_ slice: SegmentSlice, _ rows: RecordBatchSlice, wantedCount: Int) -> RecordBatchSlice? {
    var found: [Int: RecordBatchSlice] = [:]
    for (index, column) in columns where rows.batch.schema.fields[index].encodedFormat == nil {
      found[index] = codes.codes(column, slice, rows, at: index, makes: wantedCount == slice.count, for: entry)
    }
    return found.isEmpty ? nil : RecordBatchSlice(rows.batch.replacing(found, offset: rows.offset, count: rows.count))
  }
}
