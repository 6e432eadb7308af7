import ArrowData
import CArrow
import CDuckDB
import CacheStore
import Primitives

/// A table function of one name, `arrow_cache_scan(key)`, and the names `_cache_<key>` of DuckDB's stable API.
enum V1Scan {
  static func register(_ name: String, on connection: OpaquePointer?, context: V1Context) throws(CacheError) {
    var function = v1.pointee.create_table_function()
    defer { v1.pointee.destroy_table_function(&function) }
    v1.pointee.table_function_set_name(function, name)
    V1Type(id: V1TypeID.varchar).lend { v1.pointee.table_function_add_parameter(function, $0) }
    v1.pointee.table_function_set_extra_info(function, owned(context), releaseOwned)
    v1.pointee.table_function_set_bind(function, bind)
    v1.pointee.table_function_set_init(function, start)
    v1.pointee.table_function_set_local_init(function, startThread)
    v1.pointee.table_function_set_function(function, produce)
    v1.pointee.table_function_supports_projection_pushdown(function, true)
    guard v1.pointee.register_table_function(connection, function) == 0 else {
      throw CacheError(.duckdb, "DuckDB did not take the scan of the cached tables")
    }
  }

  static let replace: duckdb_v1_replacement = { info, name, data in
    guard let names = borrowed(data, as: V1Names.self) else { return }
    switch TableName.resolve(text(name), store: names.store) {
    case .notOurs: return
    case .failure(let message): v1.pointee.replacement_scan_set_error(info, message)
    case .entry(let entry):
      v1.pointee.replacement_scan_set_function_name(info, names.scanFunction)
      let key = entry.key.utf8CString.withUnsafeBufferPointer {
        V1Value(adopting: v1.pointee.create_varchar_length($0.baseAddress, UInt64($0.count - 1)))
      }
      key.lend { v1.pointee.replacement_scan_add_parameter(info, $0) }
    }
  }

  /// A binding with what DuckDB's conversion needs for each converted column.
  private final class Binding: @unchecked Sendable {
    let scan: ScanBinding
    let converters: [Int: V1Converter]

    init(scan: ScanBinding, converters: [Int: V1Converter]) { (self.scan, self.converters) = (scan, converters) }
  }

  private final class Running: Sendable {
    let state: ScanState
    let binding: Binding

    init(state: ScanState, binding: Binding) { (self.state, self.binding) = (state, binding) }
  }

  private static let bind: duckdb_v1_callback = { info in
    guard let context = borrowed(v1.pointee.bind_get_extra_info(info), as: V1Context.self) else { return }
    let argument = V1Value(adopting: v1.pointee.bind_get_parameter(info, 0))
    let characters = argument.lend { v1.pointee.get_varchar($0) }
    let name = text(characters)
    v1.pointee.free(characters)
    let source: any ScanSource
    let connection: V1ConverterConnection
    do throws(CacheError) {
      source = try context.scan.source(name)
      connection = try context.converter(for: source.schema)
    } catch let failure {
      return v1.pointee.bind_set_error(info, DuckDBMessage.text(failure))
    }
    var columns: [ScanColumn] = []
    var converters: [Int: V1Converter] = [:]
    for (index, name) in ScanBinding.columnNames(source.schema).enumerated() {
      let field = source.schema.fields[index]
      let (kind, plain) = ColumnKind.of(field, decodesNumbers: true)
      var type = V1Type(id: plain.map(V1TypeID.of) ?? V1TypeID.varchar)
      var failure: String?
      if plain == nil {
        do throws(CacheError) {
          if let refusal = ColumnKind.refusal(field, isStableAPI: true) { throw CacheError(.query, refusal) }
          let converter = try V1Converter(schema: source.schema, column: index, connection: connection)
          type = try converter.columnType()
          converters[index] = converter
        } catch {
          failure = ScanColumn.failure(name, field, error.description)
        }
      }
      columns.append(ScanColumn(name: name, kind: kind, failure: failure))
      type.lend { v1.pointee.bind_add_result_column(info, name, $0) }
    }
    v1.pointee.bind_set_cardinality(info, UInt64(source.rowCount), true)
    let binding = context.scan.bind(name, source, columns)
    v1.pointee.bind_set_bind_data(info, owned(Binding(scan: binding, converters: converters)), releaseOwned)
  }

  private static let start: duckdb_v1_callback = { info in
    guard let binding = borrowed(v1.pointee.init_get_bind_data(info), as: Binding.self) else { return }
    let columns = (0..<v1.pointee.init_get_column_count(info)).map { Int(exactly: v1.pointee.init_get_column_index(info, $0)) ?? -1 }
    let state = ScanState(binding: binding.scan, wanted: columns)
    if let failure = state.failure { return v1.pointee.init_set_error(info, failure) }
    v1.pointee.init_set_max_threads(info, UInt64(max(1, state.morsels.count)))
    v1.pointee.init_set_init_data(info, owned(Running(state: state, binding: binding)), releaseOwned)
  }

  private static let startThread: duckdb_v1_callback = { info in
    v1.pointee.init_set_init_data(info, owned(ScanWorker()), releaseOwned)
  }

  private static let produce: duckdb_v1_exec = { info, chunk in
    guard let running = borrowed(v1.pointee.function_get_init_data(info), as: Running.self),
      let worker = borrowed(v1.pointee.function_get_local_init_data(info), as: ScanWorker.self)
    else { return }
    do throws(CacheError) {
      guard let rows = try worker.next(running.state) else { return v1.pointee.data_chunk_set_size(chunk, 0) }
      for output in running.state.outputs {
        let vector = v1.pointee.data_chunk_get_vector(chunk, UInt64(output.position))
        if let converter = running.binding.converters[output.column] {
          try converter.fill(vector, column: output.index, rows: rows)
        } else {
          V1Fill.fill(vector, kind: output.kind, column: output.index, rows: rows, worker: worker)
        }
      }
      v1.pointee.data_chunk_set_size(chunk, UInt64(rows.count))
    } catch let failure {
      v1.pointee.function_set_error(info, DuckDBMessage.text(failure))
    }
  }
}
