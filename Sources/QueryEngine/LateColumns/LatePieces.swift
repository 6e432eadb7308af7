import ArrowData
import CacheStore
import Primitives

/// Rows that become a batch of the result.
struct LatePiece {
  var sources: [RowSource]
  /// What DuckDB has made of them, and where it begins.
  let found: RecordBatch
  let offset: Int
  var count: Int
  /// Whether they are one source, in a row, that is handed out itself.
  var isWhole: Bool
}

/// Cuts the rows of an entry whose numbers DuckDB gives into pieces.
struct LatePieces {
  /// What is brought together at once.
  static let pieceRows = 1 << 17
  /// Smaller runs of rows are brought together.
  private static let leastWholeRows = 1 << 14

  private let entry: Entry
  private let columns: [Int]
  private let hasOthers: Bool
  private let mostWholeRows: Int
  /// The first row of each segment, and in the end of all rows.
  private let starts: [Int]
  /// What has been read of the entry, by segment: once, so that batches can be told apart.
  private var read: [Int: [RecordBatchSlice]] = [:]
  /// A run of rows that may go on in the next batch.
  private var run: (first: Int, count: Int, found: RecordBatch)?
  private var pieces: [LatePiece] = []

  /// - Parameters:
  ///   - hasOthers: whether DuckDB has made columns beside, whose batches the pieces then follow.
  ///   - mostWholeRows: of a piece that is handed out as the entry's own memory; 0: none is.
  init(entry: Entry, columns: [Int], hasOthers: Bool, mostWholeRows: Int) {
    (self.entry, self.columns, self.hasOthers, self.mostWholeRows) = (entry, columns, hasOthers, mostWholeRows)
    starts = entry.segments.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rowCount) }
  }

  /// - Parameter batch: of what DuckDB gives, with the numbers in its first column, which must outlive the pieces.
  mutating func append(_ batch: RecordBatch) throws(CacheError) {
    let numbers = try Self.numbers(batch)
    let first = Int(numbers[0])
    let isRun = Self.isRun(numbers)
    if isRun, !hasOthers, let before = run, before.first + before.count == first {
      run = (before.first, before.count + numbers.count, before.found)
      return
    }
    try finishRun()
    if !isRun {
      try append(numbers, batch)
    } else if hasOthers {
      try append(rows: first..<first + numbers.count, batch)
    } else {
      run = (first, numbers.count, batch)
    }
  }

  /// The pieces, once all has been appended.
  mutating func finished() throws(CacheError) -> [LatePiece] {
    try finishRun()
    return handingOutMost(pieces)
  }

  private mutating func finishRun() throws(CacheError) {
    guard let last = run else { return }
    run = nil
    try append(rows: last.first..<last.first + last.count, last.found)
  }

  /// Hands out only batches that most is wanted of: their memory stays as long as any of it. Of others the rows are copied, part by part.
  private func handingOutMost(_ pieces: [LatePiece]) -> [LatePiece] {
    var counts: [ObjectIdentifier: Int] = [:]
    for piece in pieces where piece.isWhole { counts[ObjectIdentifier(piece.sources[0].batch), default: 0] += piece.count }
    return pieces.flatMap { piece -> [LatePiece] in
      let source = piece.sources[0]
      guard piece.isWhole, (counts[ObjectIdentifier(source.batch)] ?? 0) < source.batch.rowCount / 2 else { return [piece] }
      return stride(from: 0, to: piece.count, by: Self.pieceRows).map { first in
        let count = min(Self.pieceRows, piece.count - first)
        let part = RowSource(source.batch, offset: source.offset + first, count: count)
        return LatePiece(sources: [part], found: piece.found, offset: piece.offset + first, count: count, isWhole: false)
      }
    }
  }

  private static func numbers(_ batch: RecordBatch) throws(CacheError) -> UnsafeBufferPointer<UInt32> {
    let column = batch.column(0).pointee
    guard column.null_count == 0, let data = column.buffers?[1] else { throw CacheError(.query, "DuckDB lost the numbers of rows") }
    return UnsafeBufferPointer(start: data.assumingMemoryBound(to: UInt32.self) + Int(column.offset), count: batch.rowCount)
  }

  /// Whether each number is the one after that before it.
  private static func isRun(_ numbers: UnsafeBufferPointer<UInt32>) -> Bool {
    let first = numbers[0]
    guard numbers[numbers.count - 1] == first &+ UInt32(truncatingIfNeeded: numbers.count - 1) else { return false }
    var difference: UInt32 = 0
    for index in 0..<numbers.count { difference |= numbers[index] &- first &- UInt32(truncatingIfNeeded: index) }
    return difference == 0
  }

  /// Rows in a row.
  private mutating func append(rows: Range<Int>, _ found: RecordBatch) throws(CacheError) {
    var (first, made) = (rows.lowerBound, 0)
    while first < rows.upperBound {
      let place = try place(of: first)
      let count = min(place.slice.count - place.row, rows.upperBound - first)
      let isWhole = mostWholeRows > 0 && count >= Self.leastWholeRows
      let most = isWhole ? mostWholeRows : Self.pieceRows
      for part in stride(from: 0, to: count, by: most) {
        let source = RowSource(place.slice.batch, offset: place.slice.offset + place.row + part, count: min(most, count - part))
        if isWhole {
          pieces.append(LatePiece(sources: [source], found: found, offset: made + part, count: source.count, isWhole: true))
        } else {
          add(source, found, made + part)
        }
      }
      (first, made) = (first + count, made + count)
    }
  }

  /// Rows here and there.
  private mutating func append(_ numbers: UnsafeBufferPointer<UInt32>, _ found: RecordBatch) throws(CacheError) {
    var index = 0
    while index < numbers.count, let base = numbers.baseAddress {
      // Those that follow in the same batch.
      let place = try place(of: Int(numbers[index]))
      let first = Int(numbers[index]) - place.row
      let range = first..<first + place.slice.count
      var end = index + 1
      while end < numbers.count, range.contains(Int(numbers[end])), end - index < Self.pieceRows { end += 1 }
      add(RowSource(place.slice.batch, offset: place.slice.offset, count: end - index, picks: base + index, base: UInt32(first)), found, index)
      index = end
    }
  }

  /// Joins a source to the piece before it where that has room and DuckDB's columns allow it.
  private mutating func add(_ source: RowSource, _ found: RecordBatch, _ offset: Int) {
    if var last = pieces.last, !last.isWhole, last.count + source.count <= Self.pieceRows,
      !hasOthers || last.found === found && last.offset + last.count == offset
    {
      last.sources.append(source)
      last.count += source.count
      pieces[pieces.count - 1] = last
    } else {
      pieces.append(LatePiece(sources: [source], found: found, offset: offset, count: source.count, isWhole: false))
    }
  }

  /// The batch in which a row of the entry lies, and where in it.
  private mutating func place(of number: Int) throws(CacheError) -> (slice: RecordBatchSlice, row: Int) {
    guard number >= 0, number < starts[starts.count - 1] else { throw CacheError(.query, "row \(number) is none of the entry '\(entry.key)'") }
    var (segment, high) = (0, starts.count - 2)
    while segment < high {
      let middle = (segment + high + 1) / 2
      if starts[middle] <= number { segment = middle } else { high = middle - 1 }
    }
    var row = number - starts[segment]
    for slice in try slices(of: segment) {
      if row < slice.count { return (slice, row) }
      row -= slice.count
    }
    throw CacheError(.query, "row \(number) is none of the entry '\(entry.key)'")
  }

  private mutating func slices(of segment: Int) throws(CacheError) -> [RecordBatchSlice] {
    if let known = read[segment] { return known }
    let rows = entry.segments[segment]
    let slices = try rows.readPlain(offset: 0, count: rows.rowCount, columns: columns, isLent: true)
    read[segment] = slices
    return slices
  }
}
