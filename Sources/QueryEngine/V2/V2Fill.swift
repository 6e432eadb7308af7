import ArrowData
import CArrow
import CDuckDB
import Glibc
import Primitives

/// Fills a vector of an output chunk of DuckDB 2.0.
enum V2Fill {
  static func fill(
    _ vector: OpaquePointer?, column: Int, kind usual: ColumnKind, rows: ScanWorker.Rows, worker: ScanWorker, context: OpaquePointer?
  ) throws(V2Failure) {
    guard let batch = rows.batch else { return }
    let kind = worker.kind(of: column, in: batch, usual: usual)
    let source =
      rows.picks.map { worker.picked.gather(batch.column(column), row: rows.offset, picks: $0, kind: kind) }
      ?? VectorFill(batch.column(column), row: rows.offset, count: rows.count)
    if case .dictionaryText(let indexBytes, let offsetBytes) = kind,
      let dictionary = try worker.dictionaryVector(of: column, in: batch, offsetBytes: offsetBytes, isTransient: rows.isTransient)
    {
      try dictionary.fill(vector, source, indexBytes: indexBytes)
      return source.prefetch(fixed: indexBytes, count: rows.upcomingCount)
    }
    if kind == .converted {
      let importer: V2Importer
      if let known = worker.converters[column] as? V2Importer, known.field == batch.schema.fields[column] {
        importer = known
      } else {
        importer = try V2Importer(schema: batch.schema, column: column, context: context)
        worker.converters[column] = importer
      }
      return try importer.fill(vector, batch, offset: rows.offset, count: rows.count)
    }
    if case .structure(let kinds) = kind {
      return try V2StructFill(isTransient: rows.isTransient, column: batch.schema.fields[column].name).fill(vector, source, kinds, within: nil)
    }
    if let validity = source.validity, let words = try self.validity(of: vector) { source.copyValidity(validity, to: words) }
    if case .dictionaryText(let indexBytes, let offsetBytes) = kind {
      let headers = worker.headers(of: column, in: batch, offsetBytes: offsetBytes)
      return try fill(vector, source, indexBytes, offsetBytes, headers, isTransient: rows.isTransient)
    }
    try fill(vector, source, kind, isTransient: rows.isTransient, column: batch.schema.fields[column].name)
    switch kind {
    case .fixed(let width), .narrow(let width, _, _): source.prefetch(fixed: width, count: rows.upcomingCount)
    default: break
    }
  }

  /// Values of a kind that needs no state, validity apart.
  ///
  /// - Parameter column: what the table calls it.
  static func fill(
    _ vector: OpaquePointer?, _ source: VectorFill, _ kind: ColumnKind, isTransient: Bool, column: @autoclosure () -> String
  ) throws(V2Failure) {
    guard let target = try data(of: vector) else { return }
    let heap = isTransient ? heap(of: vector) : nil
    switch kind {
    case .fixed(let width): source.fill(fixed: width, to: target)
    case .narrow(let bytes, let width, let base): source.fill(narrow: bytes, base: base, width: width, to: target)
    case .bits: source.fillBits(to: target)
    case .halfFloat: source.fillHalfFloats(to: target)
    case .decimal(let bytes):
      guard source.fillDecimals(bytes: bytes, to: target) else {
        let message = "column '\(column())' has a decimal of more digits than its type says: cast it to a wider type"
        throw V2Failure(code: V2Failure.inputInvalid, message: message)
      }
    case .text32: try source.fillText(offsets: Int32.self, to: target, heap: heap)
    case .text64: try source.fillText(offsets: Int64.self, to: target, heap: heap)
    case .textView:
      source.fillViews(to: target)
      try heap?.adopt(target, count: source.count)
    case .dictionaryText, .dictionaryFixed, .structure, .converted: break
    }
  }

  private static func fill(
    _ vector: OpaquePointer?, _ source: VectorFill, _ indexBytes: Int, _ offsetBytes: Int, _ headers: DictionaryHeaders?, isTransient: Bool
  ) throws(V2Failure) {
    guard let target = try data(of: vector) else { return }
    var failure: V2Failure?
    source.fillDictionaryText(indexBytes: indexBytes, offsetBytes: offsetBytes, headers: headers, to: target) { row in
      do throws(V2Failure) { try validity(of: vector)?[row >> 6] &= ~(1 << UInt64(row & 63)) } catch { failure = error }
    }
    if let failure { throw failure }
    if isTransient { try heap(of: vector).adopt(target, count: source.count) }
  }

  private static func data(of vector: OpaquePointer?) throws(V2Failure) -> UnsafeMutableRawPointer? {
    var target: UnsafeMutableRawPointer?
    try v2Call { v2.pointee.vector_get_data_mutable(vector, &target, $0) }
    return target
  }

  /// A bit for each row, which only a vector that has nulls needs.
  static func validity(of vector: OpaquePointer?) throws(V2Failure) -> UnsafeMutablePointer<UInt64>? {
    var words: UnsafeMutablePointer<UInt64>?
    try v2Call { v2.pointee.vector_flat_get_validity_mutable(vector, &words, $0) }
    return words
  }

  /// The memory of the vector's own, which lives as long as what it holds.
  static func heap(of vector: OpaquePointer?) -> StringHeap<V2Failure> {
    StringHeap { (source, byteCount) throws(V2Failure) in
      var arena: OpaquePointer?
      var memory: UnsafeMutablePointer<UInt8>?
      try v2Call { v2.pointee.vector_get_arena(vector, &arena, $0) }
      try v2Call { v2.pointee.arena_allocate(arena, UInt64(byteCount), &memory, $0) }
      guard let memory else { throw V2Failure(code: V2Failure.inputInvalid, message: "DuckDB gave no memory for \(byteCount) bytes of text") }
      memcpy(memory, source, byteCount)
      return UnsafeMutableRawPointer(memory)
    }
  }
}

/// DuckDB's own conversion of one column from Arrow, for one thread. Must not outlive the context it was made in.
final class V2Importer {
  private let column: Int
  let field: Field
  private var handle: OpaquePointer?

  init(schema: Schema, column: Int, context: OpaquePointer?) throws(V2Failure) {
    self.column = column
    field = schema.fields[column]
    var arrowSchema = ArrowSchema()
    schema.export(columns: [column], to: &arrowSchema)
    defer { arrowSchema.release?(&arrowSchema) }
    // 0: what is appended comes out as one chunk.
    try v2Call { v2.pointee.arrow_importer_create(context, &arrowSchema, 0, &handle, $0) }
  }

  deinit { _ = v2.pointee.arrow_importer_destroy(&handle) }

  func columnType() throws(V2Failure) -> V2Type {
    var schema: OpaquePointer?
    try v2Call { v2.pointee.arrow_importer_get_schema(handle, &schema, $0) }
    defer { _ = v2.pointee.schema_destroy(&schema) }
    var name = duckdb_v2_text()
    var type: OpaquePointer?
    try v2Call { v2.pointee.schema_get_field(schema, 0, &name, &type, $0) }
    return try V2Type(copying: type)
  }

  func fill(_ vector: OpaquePointer?, _ batch: RecordBatch, offset: Int, count: Int) throws(V2Failure) {
    var array = ArrowArray()
    do throws(CacheError) {
      try ConvertedSlice.export(batch, column: column, offset: offset, count: count, to: &array)
    } catch {
      throw V2Failure(code: V2Failure.inputInvalid, message: error.description)
    }
    // Consumed: the chunk refers to the Arrow buffers and keeps the batch.
    defer { array.release?(&array) }
    try v2Call { v2.pointee.arrow_importer_append(handle, &array, true, true, $0) }
    var chunk: OpaquePointer?
    try v2Call { v2.pointee.arrow_importer_next_chunk(handle, &chunk, $0) }
    defer { _ = v2.pointee.data_chunk_destroy(&chunk) }
    var source: OpaquePointer?
    try v2Call { v2.pointee.data_chunk_get_vector(chunk, 0, &source, $0) }
    try v2Call { v2.pointee.vector_reference(vector, source, $0) }
    // The importer is at its end once it says so; the next append needs that.
    var rest: OpaquePointer?
    try v2Call { v2.pointee.arrow_importer_next_chunk(handle, &rest, $0) }
    if rest != nil { _ = v2.pointee.data_chunk_destroy(&rest) }
  }
}
