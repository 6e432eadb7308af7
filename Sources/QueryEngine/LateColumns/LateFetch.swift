import ArrowData
import CacheStore
import Primitives

/// Takes columns of chosen rows from an entry.
struct LateFetch {
  let entry: Entry
  let columns: [Int]
  /// Whether DuckDB has made columns beside, whose batches the pieces then follow.
  let hasOthers: Bool
  /// As the result has them.
  let fields: [Field]

  /// The rows whose numbers DuckDB has given, cut so that each piece can be made by itself.
  func pieces(of found: [RecordBatch]) throws(CacheError) -> [LatePiece] {
    var pieces = LatePieces(entry: entry, columns: columns, hasOthers: hasOthers, mostWholeRows: mostWholeRows)
    for batch in found where batch.rowCount > 0 { try pieces.append(batch) }
    return try pieces.finished()
  }

  /// The rows of a piece, from a row on.
  func fetch(_ piece: LatePiece) throws(CacheError) -> (batch: RecordBatch, offset: Int) {
    guard piece.isWhole, let source = piece.sources.first else { return (try RecordBatch(gathering: piece.sources, schema: Schema(fields: fields)), 0) }
    let others = columns.indices.filter { !own.contains($0) }
    if others.isEmpty { return (source.batch, source.offset) }
    let part = RowSource(source.batch.selecting(others), offset: source.offset, count: piece.count)
    let made = try RecordBatch(gathering: [part], schema: Schema(fields: others.map { fields[$0] }))
    let parts = columns.indices.map { index in
      others.firstIndex(of: index).map { (batch: made, column: $0, offset: 0) } ?? (batch: source.batch, column: index, offset: source.offset)
    }
    return (RecordBatch(sideBySide: parts, rowCount: piece.count, schema: Schema(fields: fields)), 0)
  }

  /// Where texts are brought together beside, several threads do so.
  private var mostWholeRows: Int { own.isEmpty ? 0 : own.count == columns.count ? .max : LatePieces.pieceRows }

  /// The columns that the result has as the entry does: texts whose offsets are narrowed are never handed out themselves.
  private var own: Set<Int> { Set(columns.indices.filter { entry.schema.fields[columns[$0]].format == fields[$0].format }) }
}
