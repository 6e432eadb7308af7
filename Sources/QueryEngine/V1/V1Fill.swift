import ArrowData
import CArrow
import CDuckDB
import CacheStore
import Primitives

/// Fills a flat vector of an output chunk.
enum V1Fill {
  static func fill(_ vector: OpaquePointer?, kind usual: ColumnKind, column: Int, rows: ScanWorker.Rows, worker: ScanWorker) {
    guard let target = v1.pointee.vector_get_data(vector) else { return }
    let source = VectorFill(rows.batch.column(column), row: rows.offset, count: rows.count)
    if let validity = source.validity {
      v1.pointee.vector_ensure_validity_writable(vector)
      if let words = v1.pointee.vector_get_validity(vector) { source.copyValidity(validity, to: words) }
    }
    let markNull: (Int) -> Void = { row in
      v1.pointee.vector_ensure_validity_writable(vector)
      v1.pointee.vector_get_validity(vector)?[row >> 6] &= ~(1 << UInt64(row & 63))
    }
    switch ColumnKind.of(column, in: rows.batch, usual: usual) {
    case .fixed(let width): source.fill(fixed: width, to: target)
    case .bits: source.fillBits(to: target)
    case .halfFloat: source.fillHalfFloats(to: target)
    case .text32: source.fillText(offsets: Int32.self, to: target)
    case .text64: source.fillText(offsets: Int64.self, to: target)
    case .textView: source.fillViews(to: target)
    case .dictionaryText(let indexBytes, let offsetBytes):
      let headers = worker.headers(of: column, in: rows.batch, offsetBytes: offsetBytes)
      source.fillDictionaryText(indexBytes: indexBytes, offsetBytes: offsetBytes, headers: headers, to: target, markNull: markNull)
    case .dictionaryFixed(let indexBytes, let width): source.fillDictionary(indexBytes: indexBytes, fixed: width, to: target, markNull: markNull)
    case .converted: break  // has a V1Converter
    }
  }
}

/// DuckDB's own conversion of one column from Arrow. Its schema is read only, so threads share it.
final class V1Converter: @unchecked Sendable {
  private let tableSchema: Schema
  private let column: Int
  private let connection: V1ConverterConnection
  private var schema: OpaquePointer?

  init(schema tableSchema: Schema, column: Int, connection: V1ConverterConnection) throws(CacheError) {
    (self.tableSchema, self.column, self.connection) = (tableSchema, column, connection)
    var arrowSchema = ArrowSchema()
    tableSchema.export(columns: [column], to: &arrowSchema)
    defer { arrowSchema.release?(&arrowSchema) }
    try v1Check(v1.pointee.schema_from_arrow(connection.handle, &arrowSchema, &schema))
  }

  deinit { v1.pointee.destroy_arrow_converted_schema(&schema) }

  /// The type DuckDB gives the column: the API says it only of converted data, so no rows are converted.
  func columnType() throws(CacheError) -> V1Type {
    try convert(RecordBatch(emptyOf: tableSchema), offset: 0, count: 0) { V1Type(adopting: v1.pointee.vector_get_column_type($0)) }
  }

  func fill(_ vector: OpaquePointer?, rows: ScanWorker.Rows) throws(CacheError) {
    // DuckDB 1.5.5 reads null indices as the first value.
    let field = tableSchema.fields[column]
    if field.dictionary != nil, rows.batch.column(column).pointee.null_count != 0 {
      throw CacheError(.query, ScanColumn.failure(field.name, field, "it loses null indices"))
    }
    try convert(rows.batch, offset: rows.offset, count: rows.count) { v1.pointee.vector_reference_vector(vector, $0) }
  }

  private func convert<Result>(_ batch: RecordBatch, offset: Int, count: Int, _ body: (OpaquePointer?) -> Result) throws(CacheError) -> Result {
    var array = ArrowArray()
    try ConvertedSlice.export(batch, column: column, offset: offset, count: count, to: &array)
    defer { array.release?(&array) }
    var chunk: OpaquePointer?
    try v1Check(v1.pointee.data_chunk_from_arrow(connection.handle, &array, schema, &chunk))
    defer { v1.pointee.destroy_data_chunk(&chunk) }
    return body(v1.pointee.data_chunk_get_vector(chunk, 0))
  }
}
