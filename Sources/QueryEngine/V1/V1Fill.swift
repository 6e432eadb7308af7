import ArrowData
import CArrow
import CDuckDB
import CacheStore
import Primitives

/// Fills a flat vector of an output chunk.
enum V1Fill {
  static func fill(_ vector: OpaquePointer?, kind usual: ColumnKind, column: Int, rows: ScanWorker.Rows, worker: ScanWorker) {
    guard let batch = rows.batch, let target = v1.pointee.vector_get_data(vector) else { return }
    let source = VectorFill(batch.column(column), row: rows.offset, count: rows.count)
    if let validity = source.validity {
      v1.pointee.vector_ensure_validity_writable(vector)
      if let words = v1.pointee.vector_get_validity(vector) { source.copyValidity(validity, to: words) }
    }
    let markNull: (Int) -> Void = { row in
      v1.pointee.vector_ensure_validity_writable(vector)
      v1.pointee.vector_get_validity(vector)?[row >> 6] &= ~(1 << UInt64(row & 63))
    }
    let heap = rows.isTransient ? heap(of: vector, target) : nil
    switch ColumnKind.of(column, in: batch, usual: usual) {
    case .fixed(let width): source.fill(fixed: width, to: target)
    case .narrow(let bytes, let width, let base): source.fill(narrow: bytes, base: base, width: width, to: target)
    case .bits: source.fillBits(to: target)
    case .halfFloat: source.fillHalfFloats(to: target)
    case .text32: source.fillText(offsets: Int32.self, to: target, heap: heap)
    case .text64: source.fillText(offsets: Int64.self, to: target, heap: heap)
    case .textView:
      source.fillViews(to: target)
      heap?.adopt(target, count: rows.count)
    case .dictionaryText(let indexBytes, let offsetBytes):
      let headers = worker.headers(of: column, in: batch, offsetBytes: offsetBytes)
      source.fillDictionaryText(indexBytes: indexBytes, offsetBytes: offsetBytes, headers: headers, to: target, markNull: markNull)
      heap?.adopt(target, count: rows.count)
    case .dictionaryFixed(let indexBytes, let width): source.fillDictionary(indexBytes: indexBytes, fixed: width, to: target, markNull: markNull)
    case .decimal, .structure, .converted: break  // has a V1Converter
    }
  }

  /// The memory of the vector's own. The API only fills it by assigning a string to a row, whose header says where it went.
  private static func heap(of vector: OpaquePointer?, _ headers: UnsafeMutableRawPointer) -> StringHeap<Never> {
    StringHeap { source, byteCount in
      let header = (headers.load(as: UInt64.self), (headers + 8).load(as: UInt64.self))
      defer { headers.storeBytes(of: header, as: (UInt64, UInt64).self) }
      v1.pointee.unsafe_vector_assign_string_element_len(vector, 0, source.assumingMemoryBound(to: CChar.self), UInt64(byteCount))
      return (headers + 8).load(as: UnsafeMutableRawPointer.self)
    }
  }
}

/// DuckDB's own conversion of one column from Arrow. Its schema is read only, so threads share it.
final class V1Converter: @unchecked Sendable {
  /// Of the one column.
  private let schema: Schema
  private let connection: V1ConverterConnection
  private var converted: OpaquePointer?

  init(schema table: Schema, column: Int, connection: V1ConverterConnection) throws(CacheError) {
    (schema, self.connection) = (table.selecting([column]), connection)
    var arrowSchema = ArrowSchema()
    schema.export(to: &arrowSchema)
    defer { arrowSchema.release?(&arrowSchema) }
    try v1Check(v1.pointee.schema_from_arrow(connection.handle, &arrowSchema, &converted))
  }

  deinit { v1.pointee.destroy_arrow_converted_schema(&converted) }

  /// The type DuckDB gives the column: the API says it only of converted data, so no rows are converted.
  func columnType() throws(CacheError) -> V1Type {
    try convert(RecordBatch(emptyOf: schema), column: 0, offset: 0, count: 0) { V1Type(adopting: v1.pointee.vector_get_column_type($0)) }
  }

  /// - Parameter column: in the batch.
  func fill(_ vector: OpaquePointer?, column: Int, rows: ScanWorker.Rows) throws(CacheError) {
    guard let batch = rows.batch else { return }
    // DuckDB 1.5.5 reads null indices as the first value.
    if let field = schema.fields.first, field.dictionary != nil, batch.column(column).pointee.null_count != 0 {
      throw CacheError(.query, ScanColumn.failure(field.name, field, "it loses null indices"))
    }
    try convert(batch, column: column, offset: rows.offset, count: rows.count) { v1.pointee.vector_reference_vector(vector, $0) }
  }

  private func convert<Result>(
    _ batch: RecordBatch, column: Int, offset: Int, count: Int, _ body: (OpaquePointer?) -> Result
  ) throws(CacheError) -> Result {
    var array = ArrowArray()
    try ConvertedSlice.export(batch, column: column, offset: offset, count: count, to: &array)
    defer { array.release?(&array) }
    var chunk: OpaquePointer?
    try v1Check(v1.pointee.data_chunk_from_arrow(connection.handle, &array, converted, &chunk))
    defer { v1.pointee.destroy_data_chunk(&chunk) }
    return body(v1.pointee.data_chunk_get_vector(chunk, 0))
  }
}
