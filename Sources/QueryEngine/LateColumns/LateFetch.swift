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
    // Texts whose offsets are narrowed are never handed out themselves.
    let mayBeWhole = zip(columns, fields).allSatisfy { entry.schema.fields[$0].format == $1.format }
    var pieces = LatePieces(entry: entry, columns: columns, hasOthers: hasOthers, mayBeWhole: mayBeWhole)
    for batch in found where batch.rowCount > 0 { try pieces.append(batch) }
    return try pieces.finished()
  }

  /// The rows of a piece, from a row on.
  func fetch(_ piece: LatePiece) throws(CacheError) -> (batch: RecordBatch, offset: Int) {
    if piece.isWhole { return (piece.sources[0].batch, piece.sources[0].offset) }
    return (try RecordBatch(gathering: piece.sources, schema: Schema(fields: fields)), 0)
  }
}
