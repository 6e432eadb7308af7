import ArrowData
import CacheStore
import Primitives

/// Takes columns of the rows of joined entries.
struct LateJoin {
  /// Rows that become a batch of the result: a part of what DuckDB has found.
  struct Piece {
    let found: RecordBatch
    let offset: Int
    let count: Int
    /// Where the rows of the first table lie, where they follow each other.
    let run: RecordBatchSlice?
    /// Whether that is so large a part of what it lies in that it is handed out itself.
    var isWhole = false
  }

  /// What is brought together at once.
  private static let pieceRows = 1 << 17
  /// Smaller runs of rows are brought together.
  private static let leastWholeRows = 1 << 14

  private let rows: [NumberedRows]
  private let schemas: [Schema]
  private let mayBeWhole: Bool
  /// By thread.
  private let rooms: [TakingRoom]

  /// nil: there are more batches than are told apart.
  init?(_ tables: [LatePlan.Table], threads: Int) throws(CacheError) {
    var rows: [NumberedRows] = []
    for table in tables {
      var slices: [RecordBatchSlice] = []
      for segment in table.entry.segments { slices += try segment.readPlain(offset: 0, count: segment.rowCount, columns: table.columns, isLent: true) }
      guard let numbered = NumberedRows(slices) else { return nil }
      rows.append(numbered)
    }
    self.rows = rows
    rooms = (0..<max(1, threads)).map { _ in TakingRoom(rowCount: Self.pieceRows) }
    schemas = tables.map { Schema(fields: $0.fields) }
    // Texts whose offsets are narrowed are never handed out themselves.
    mayBeWhole = zip(tables[0].columns, tables[0].fields).allSatisfy { tables[0].entry.schema.fields[$0].format == $1.format }
  }

  /// The rows whose numbers DuckDB has given, cut so that each piece can be made by itself.
  func pieces(of found: [RecordBatch]) throws(CacheError) -> [Piece] {
    var pieces: [Piece] = []
    var rowsInRuns: [ObjectIdentifier: Int] = [:]
    for batch in found where batch.rowCount > 0 {
      let numbers = try self.numbers(batch, table: 0, offset: 0, count: batch.rowCount)
      var (start, index) = (0, 0)
      while mayBeWhole, !numbers.hasNulls, index < batch.rowCount {
        guard let (slice, row) = rows[0].find(numbers[index]) else { break }
        let lying = rows[0].slices[slice]
        let count = numbers.run(from: index, to: min(batch.rowCount, index + lying.count - row))
        if count >= Self.leastWholeRows {
          cut(batch, start, index, &pieces)
          pieces.append(Piece(found: batch, offset: index, count: count, run: RecordBatchSlice(lying.batch, offset: lying.offset + row, count: count)))
          rowsInRuns[ObjectIdentifier(lying.batch), default: 0] += count
          start = index + count
        }
        index += count
      }
      cut(batch, start, batch.rowCount, &pieces)
    }
    for index in pieces.indices {
      guard let batch = pieces[index].run?.batch else { continue }
      pieces[index].isWhole = (rowsInRuns[ObjectIdentifier(batch)] ?? 0) >= batch.rowCount / 2
    }
    return pieces
  }

  private func cut(_ found: RecordBatch, _ start: Int, _ end: Int, _ pieces: inout [Piece]) {
    for first in stride(from: start, to: end, by: Self.pieceRows) {
      pieces.append(Piece(found: found, offset: first, count: min(Self.pieceRows, end - first), run: nil))
    }
  }

  /// The rows of a piece, by table, from a row on.
  func fetch(_ piece: Piece, thread: Int) throws(CacheError) -> [(batch: RecordBatch, offset: Int)] {
    var fetched: [(batch: RecordBatch, offset: Int)] = []
    for table in rows.indices {
      if table == 0, let run = piece.run {
        if piece.isWhole {
          fetched.append((run.batch, run.offset))
        } else {
          fetched.append((try RecordBatch(gathering: [RowSource(run.batch, offset: run.offset, count: run.count)], schema: schemas[0]), 0))
        }
        continue
      }
      let numbers = try self.numbers(piece.found, table: table, offset: piece.offset, count: piece.count)
      fetched.append((try RecordBatch(taking: numbers, of: rows[table], schema: schemas[table], in: rooms[thread]), 0))
    }
    return fetched
  }

  private func numbers(_ found: RecordBatch, table: Int, offset: Int, count: Int) throws(CacheError) -> RowNumbers {
    guard let numbers = RowNumbers(found, column: table, offset: offset, count: count) else {
      throw CacheError(.query, "DuckDB lost the numbers of rows")
    }
    return numbers
  }
}
