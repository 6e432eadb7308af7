import ArrowData
import CacheStore
import Primitives

/// Takes columns of chosen rows from an entry.
struct LateFetch {
  /// Rows that become a batch of the result.
  struct Piece {
    var sources: [RowSource]
    /// What DuckDB has made of them, and where it begins.
    let found: RecordBatch
    let offset: Int
    var count: Int
    /// Whether they are one source, in a row, so large a part of what it lies in that it is handed out itself.
    var isWhole: Bool
  }

  /// What is brought together at once.
  private static let pieceRows = 1 << 17
  /// Smaller runs of rows are brought together.
  private static let leastWholeRows = 1 << 14

  let entry: Entry
  let columns: [Int]
  /// Whether DuckDB has made columns beside, whose batches the pieces then follow.
  let hasOthers: Bool
  /// As the result has them.
  let fields: [Field]

  /// The rows whose numbers DuckDB has given, cut so that each piece can be made by itself.
  func pieces(of found: [RecordBatch]) throws(CacheError) -> [Piece] {
    let starts = entry.segments.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rowCount) }
    // Texts whose offsets are narrowed are never handed out themselves.
    let mayBeWhole = zip(columns, fields).allSatisfy { entry.schema.fields[$0].format == $1.format }
    var pieces: [Piece] = []
    var pending: (first: Int, count: Int)?
    for batch in found where batch.rowCount > 0 {
      let numbers = try Self.numbers(batch)
      let isRun = Self.isRun(numbers)
      let first = Int(numbers[0])
      if isRun, !hasOthers {
        // Runs that go on in the next batch become one.
        if let run = pending, run.first + run.count == first {
          pending = (run.first, run.count + numbers.count)
        } else {
          if let run = pending { try append(run, starts, batch, 0, mayBeWhole, &pieces) }
          pending = (first, numbers.count)
        }
        continue
      }
      if let run = pending { try append(run, starts, batch, 0, mayBeWhole, &pieces) }
      pending = nil
      if isRun {
        try append((first, numbers.count), starts, batch, 0, mayBeWhole, &pieces)
      } else {
        try append(numbers, starts, batch, &pieces)
      }
    }
    if let run = pending, let last = found.last { try append(run, starts, last, 0, mayBeWhole, &pieces) }
    return pieces
  }

  /// The rows of a piece, from a row on.
  func fetch(_ piece: Piece) throws(CacheError) -> (batch: RecordBatch, offset: Int) {
    if piece.isWhole { return (piece.sources[0].batch, piece.sources[0].offset) }
    return (try RecordBatch(gathering: piece.sources, schema: Schema(fields: fields)), 0)
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
  private func append(
    _ run: (first: Int, count: Int), _ starts: [Int], _ found: RecordBatch, _ offset: Int, _ mayBeWhole: Bool, _ pieces: inout [Piece]
  ) throws(CacheError) {
    var (first, left) = run
    var made = offset
    while left > 0 {
      let segment = try self.segment(of: first, starts)
      let count = min(left, starts[segment + 1] - first)
      for slice in try entry.segments[segment].readPlain(offset: first - starts[segment], count: count, columns: columns, isLent: true) {
        let isWhole = mayBeWhole && slice.count >= Self.leastWholeRows && slice.count >= slice.batch.rowCount / 2
        if isWhole {
          let source = RowSource(slice.batch, offset: slice.offset, count: slice.count)
          pieces.append(Piece(sources: [source], found: found, offset: made, count: slice.count, isWhole: true))
          made += slice.count
          continue
        }
        var taken = 0
        while taken < slice.count {
          let part = min(Self.pieceRows, slice.count - taken)
          add(RowSource(slice.batch, offset: slice.offset + taken, count: part), found, made, &pieces)
          (taken, made) = (taken + part, made + part)
        }
      }
      (first, left) = (first + count, left - count)
    }
  }

  /// Rows here and there.
  private func append(
    _ numbers: UnsafeBufferPointer<UInt32>, _ starts: [Int], _ found: RecordBatch, _ pieces: inout [Piece]
  ) throws(CacheError) {
    var index = 0
    while index < numbers.count, let base = numbers.baseAddress {
      // Those that follow in the same segment.
      let segment = try self.segment(of: Int(numbers[index]), starts)
      let range = UInt32(starts[segment])...UInt32(starts[segment + 1] - 1)
      var (end, low, high) = (index, numbers[index], numbers[index])
      while end < numbers.count, range.contains(numbers[end]) {
        (low, high) = (min(low, numbers[end]), max(high, numbers[end]))
        end += 1
      }
      let slices = try entry.segments[segment].readPlain(
        offset: Int(low) - starts[segment], count: Int(high - low) + 1, columns: columns)
      while index < end {
        // And in the same batch of it.
        var first = Int(low)
        guard let slice = slices.first(where: { slice in
          if Int(numbers[index]) < first + slice.count { return true }
          first += slice.count
          return false
        }) else { throw CacheError(.query, "row \(numbers[index]) is none of the entry '\(entry.key)'") }
        let part = first..<first + slice.count
        var next = index
        while next < end, part.contains(Int(numbers[next])), next - index < Self.pieceRows { next += 1 }
        let source = RowSource(slice.batch, offset: slice.offset, count: next - index, picks: base + index, base: UInt32(first))
        add(source, found, index, &pieces)
        index = next
      }
    }
  }

  /// Joins a source to the piece before it where that has room and DuckDB's columns allow it.
  private func add(_ source: RowSource, _ found: RecordBatch, _ offset: Int, _ pieces: inout [Piece]) {
    if var last = pieces.last, !last.isWhole, last.count + source.count <= Self.pieceRows,
      !hasOthers || last.found === found && last.offset + last.count == offset
    {
      last.sources.append(source)
      last.count += source.count
      pieces[pieces.count - 1] = last
    } else {
      pieces.append(Piece(sources: [source], found: found, offset: offset, count: source.count, isWhole: false))
    }
  }

  private func segment(of row: Int, _ starts: [Int]) throws(CacheError) -> Int {
    guard row >= 0, row < starts[starts.count - 1] else { throw CacheError(.query, "row \(row) is none of the entry '\(entry.key)'") }
    var (low, high) = (0, starts.count - 2)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= row { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
