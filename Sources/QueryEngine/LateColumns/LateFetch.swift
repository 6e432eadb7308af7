import ArrowData
import CacheStore
import Primitives

/// Takes columns of chosen rows from an entry.
struct LateFetch {
  private let entry: Entry
  private let columns: [Int]
  private let hasOthers: Bool
  private let fields: [Field]
  /// Those of the columns that the result has in another type than the entry: texts whose offsets are narrowed, which are never handed out themselves.
  private let narrowed: [Int]

  /// - Parameters:
  ///   - hasOthers: whether DuckDB has made columns beside, whose batches the pieces then follow.
  ///   - fields: as the result has the columns.
  init(entry: Entry, columns: [Int], hasOthers: Bool, fields: [Field]) {
    (self.entry, self.columns, self.hasOthers, self.fields) = (entry, columns, hasOthers, fields)
    narrowed = columns.indices.filter { entry.schema.fields[columns[$0]].format != fields[$0].format }
  }

  /// The rows whose numbers DuckDB has given, cut so that each piece can be made by itself.
  func pieces(of found: [RecordBatch]) throws(CacheError) -> [LatePiece] {
    // Where texts are brought together beside, several threads do so.
    let mostWholeRows = narrowed.isEmpty ? Int.max : narrowed.count < columns.count ? LatePieces.pieceRows : 0
    var pieces = LatePieces(entry: entry, columns: columns, hasOthers: hasOthers, mostWholeRows: mostWholeRows)
    for batch in found where batch.rowCount > 0 { try pieces.append(batch) }
    return try pieces.finished()
  }

  /// The rows of a piece, from a row on.
  func fetch(_ piece: LatePiece) throws(CacheError) -> (batch: RecordBatch, offset: Int) {
    guard piece.isWhole, let source = piece.sources.first else { return (try RecordBatch(gathering: piece.sources, schema: Schema(fields: fields)), 0) }
    if narrowed.isEmpty { return (source.batch, source.offset) }
    let part = RowSource(source.batch.selecting(narrowed), offset: source.offset, count: piece.count)
    let made = try RecordBatch(gathering: [part], schema: Schema(fields: narrowed.map { fields[$0] }))
    let parts = columns.indices.map { index in
      narrowed.firstIndex(of: index).map { (batch: made, column: $0, offset: 0) } ?? (batch: source.batch, column: index, offset: source.offset)
    }
    return (RecordBatch(sideBySide: parts, rowCount: piece.count, schema: Schema(fields: fields)), 0)
  }
}
