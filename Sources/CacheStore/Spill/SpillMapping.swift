import ArrowData
import Primitives

/// A spilled file while it is mapped: its batches, and who reads them.
///
/// Pages of the file that were read count as the process's memory as long as they are mapped, so each piece's are given back with its
/// last reader. They stay in the page cache, from where they come again at the cost of a page fault.
final class SpillMapping: Sendable {
  private struct Key: Hashable {
    let piece: Int
    let columns: [Int]?
  }

  private struct Known {
    weak var batch: RecordBatch?
  }

  private struct State {
    /// Readers, for each piece.
    var readers: [Int]
    var readerCount = 0
    /// Uncompressed columns that have been read, those of a piece after those of the one before: nodes that point into the mapping.
    var columns: [RecordBatch?]
    /// Decompressed columns that someone reads at the moment.
    var decompressed: [Key: Known] = [:]
  }

  let number: Int
  let file: IPCFile
  /// Whether reading takes memory that stays with the file.
  let keepsMemory: Bool
  private let files: any FileSystem
  private let isCompressed: Bool
  private let state: Locked<State>

  init(_ file: IPCFile, number: Int, isCompressed: Bool, files: any FileSystem) {
    (self.file, self.number, self.isCompressed, self.files) = (file, number, isCompressed, files)
    keepsMemory = isCompressed && file.schema.fields.contains(where: \.hasDictionary)
    let columnCount = isCompressed ? 0 : file.batchCount * file.schema.fields.count
    state = Locked(
      State(readers: [Int](repeating: 0, count: file.batchCount), columns: [RecordBatch?](repeating: nil, count: columnCount)))
  }

  /// These columns of a piece of so many rows; its readers keep `owner` and the mapping.
  func batch(_ piece: Int, rowCount: Int, columns: [Int]?, owner: SegmentFile) throws(CacheError) -> RecordBatch {
    guard isCompressed else {
      let lease = Lease(self, piece, owner)
      let columns = columns ?? Array(file.schema.fields.indices)
      return try RecordBatch(
        joining: mapped(piece, rowCount, columns), rowCount: rowCount, schema: file.schema.selecting(columns), keeping: lease)
    }
    let key = Key(piece: piece, columns: columns)
    if let known = state.withLock({ $0.decompressed[key]?.batch }) { return known }
    let lease = Lease(self, piece, owner)
    let batch = try checked(try file.batch(piece, columns: columns), rowCount).keeping(lease)
    release(piece, columns: columns, rows: 0..<1, of: 1)
    // Let go of after the lock: the end of a batch is the end of a lease, which needs it.
    var seen: [RecordBatch] = []
    return state.withLock { state in
      if let earlier = state.decompressed[key]?.batch { return earlier }
      if state.decompressed.count >= 64 {
        state.decompressed = state.decompressed.filter { known in
          guard let batch = known.value.batch else { return false }
          seen.append(batch)
          return true
        }
      }
      state.decompressed[key] = Known(batch: batch)
      return batch
    }
  }

  /// Columns of an uncompressed piece, a batch for each.
  private func mapped(_ piece: Int, _ rowCount: Int, _ columns: [Int]) throws(CacheError) -> [RecordBatch] {
    let first = piece * file.schema.fields.count
    let known = state.withLock { state in columns.map { state.columns[first + $0] } }
    let missing = columns.indices.filter { known[$0] == nil }
    guard !missing.isEmpty else { return known.compactMap { $0 } }
    let read = try checked(try file.batch(piece, columns: missing.map { columns[$0] }), rowCount)
    var all = known
    for (position, index) in missing.enumerated() { all[index] = read.selecting([position]) }
    state.withLock { state in
      for index in missing where state.columns[first + columns[index]] == nil { state.columns[first + columns[index]] = all[index] }
    }
    return all.compactMap { $0 }
  }

  private func checked(_ batch: RecordBatch, _ rowCount: Int) throws(CacheError) -> RecordBatch {
    guard batch.rowCount == rowCount else {
      throw CacheError(.storage, "cannot read '\(file.path)': it has \(batch.rowCount) rows in a batch of \(rowCount): put the entry anew")
    }
    return batch
  }

  /// Gives back the pages with these columns of some of a piece's rows; for values that are not laid out by rows, a share of them.
  func release(_ piece: Int, columns: [Int]?, rows: Range<Int>, of rowCount: Int) {
    advise(.dontNeed, piece, columns, rows, of: rowCount)
  }

  /// Has the system start reading these pages from the disk: without that they come one by one.
  func prefetch(_ piece: Int, columns: [Int]?, rows: Range<Int>, of rowCount: Int) {
    advise(.willNeed, piece, columns, rows, of: rowCount)
  }

  private func advise(_ advice: FileAdvice, _ piece: Int, _ columns: [Int]?, _ rows: Range<Int>, of rowCount: Int) {
    attempt { () throws(CacheError) in
      var current = 0..<0
      for range in try file.ranges(piece, columns: columns) {
        let part = Self.share(rows, of: rowCount, in: range)
        // Buffers follow each other at 64 bytes: one call for several.
        if part.lowerBound >= current.lowerBound, part.lowerBound - current.upperBound < 4096 {
          current = current.lowerBound..<max(current.upperBound, part.upperBound)
        } else {
          advise(advice, current)
          current = part
        }
      }
      advise(advice, current)
    }
  }

  private static func share(_ rows: Range<Int>, of rowCount: Int, in range: Range<Int>) -> Range<Int> {
    guard rows.lowerBound > 0 || rows.upperBound < rowCount else { return range }
    func place(_ row: Int) -> Int { range.lowerBound + Int(Double(range.count) * (Double(row) / Double(max(1, rowCount)))) }
    let start = place(rows.lowerBound)
    return start..<max(start, min(place(rows.upperBound), range.upperBound))
  }

  private func advise(_ advice: FileAdvice, _ range: Range<Int>) {
    if !range.isEmpty { files.advise(advice, file.mapping, offset: range.lowerBound, byteCount: range.count) }
  }

  fileprivate func begin(_ piece: Int) {
    state.withLock { state in
      state.readers[piece] += 1
      state.readerCount += 1
    }
  }

  fileprivate func end(_ piece: Int) {
    let (isLastOfPiece, isLast) = state.withLock { state in
      state.readers[piece] -= 1
      state.readerCount -= 1
      return (state.readers[piece] == 0, state.readerCount == 0)
    }
    if isLast {
      advise(.dontNeed, 0..<file.mapping.bytes.count)
    } else if isLastOfPiece {
      release(piece, columns: nil, rows: 0..<1, of: 1)
    }
  }
}

extension Field {
  fileprivate var hasDictionary: Bool { dictionary != nil || children.contains(where: \.hasDictionary) }
}

/// A reader of a piece: keeps the file from being unmapped and from being removed.
private final class Lease {
  private let mapping: SpillMapping
  private let piece: Int
  private let file: SegmentFile

  init(_ mapping: SpillMapping, _ piece: Int, _ file: SegmentFile) {
    (self.mapping, self.piece, self.file) = (mapping, piece, file)
    mapping.begin(piece)
  }

  deinit { mapping.end(piece) }
}
