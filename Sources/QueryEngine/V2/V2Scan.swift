import ArrowData
import CArrow
import CDuckDB
import Primitives

/// A table function of one name, `arrow_cache_scan(key)`, of DuckDB's second API: reads partitions in parallel and in order.
enum V2Scan {
  static func makeFunction(_ name: String, factory: OpaquePointer?, context: ScanContext) throws(V2Failure) -> OpaquePointer? {
    var function: OpaquePointer?
    try v2Call { v2.pointee.table_function_create(factory, &function, $0) }
    try withV2Text(name) { (name) throws(V2Failure) in
      try v2Call { v2.pointee.table_function_set_name(function, name, $0) }
    }
    var signature: OpaquePointer?
    try v2Call { v2.pointee.table_function_get_signature(function, &signature, $0) }
    let varchar = try V2Type(factory: factory, id: V2TypeID.varchar)
    try withV2Text("name") { (name) throws(V2Failure) in
      try varchar.lend { (varchar) throws(V2Failure) in
        try v2Call { v2.pointee.function_signature_add_parameter(signature, name, varchar, nil, 0, $0) }
      }
    }
    var data = v2Owned(context)
    try v2Call { v2.pointee.table_function_set_user_data(function, &data, $0) }
    try v2Call { v2.pointee.table_function_set_bind_callback(function, bind, $0) }
    try v2Call { v2.pointee.table_function_set_filter_pushdown_callback(function, recordFilters, $0) }
    try v2Call { v2.pointee.table_function_set_init_global_callback(function, start, $0) }
    try v2Call { v2.pointee.table_function_set_init_local_callback(function, startThread, $0) }
    try v2Call { v2.pointee.table_function_set_exec_callback(function, produce, $0) }
    try v2Call { v2.pointee.table_function_set_partition_data_callback(function, reportOrder, $0) }
    try v2Call { v2.pointee.table_function_set_progress_callback(function, reportProgress, $0) }
    try v2Call { v2.pointee.table_function_set_projection_pushdown(function, true, $0) }
    return function
  }

  private static let bind: duckdb_v2_bind = { info, result, context, error in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.function_bind_get_user_data(info, &data, nil)
    guard let scan = borrowed(data, as: ScanContext.self) else { return v2Fail(error, "\(DuckDBMessage.ours)the cache is gone") }
    do throws(V2Failure) {
      var argument: OpaquePointer?
      try v2Call { v2.pointee.function_bind_get_arg_value(info, 0, &argument, $0) }
      let name = try V2Value(adopting: argument).lend { (value) throws(V2Failure) in
        var text = duckdb_v2_text()
        try v2Call { v2.pointee.value_get_varchar(value, &text, $0) }
        return v2String(text)
      }
      let source: any ScanSource
      do throws(CacheError) { source = try scan.source(name) } catch let failure {
        return v2Fail(error, DuckDBMessage.text(failure))
      }
      let names = ScanBinding.columnNames(source.schema)
      var columns: [ScanColumn] = []
      for (index, name) in names.enumerated() {
        let (column, type) = try describe(source.schema, index, name: name, context: context)
        columns.append(column)
        try withV2Text(name) { (name) throws(V2Failure) in
          try type.lend { (type) throws(V2Failure) in
            try v2Call { v2.pointee.table_function_bind_add_result_column(result, name, type, $0) }
          }
        }
      }
      try v2Call { v2.pointee.table_function_bind_set_cardinality(result, UInt64(source.rowCount), true, $0) }
      let reference = scan.bind(name, source, columns)
      if QuerySnapshot.current?.numbered.withLock({ $0.contains { $0 === source } }) ?? false {
        try addNumbers(to: result, context)
        reference.numbersRows = true
      }
      var binding = v2Owned(reference)
      try v2Call { v2.pointee.function_bind_set_bind_data(info, &binding, $0) }
    } catch let failure {
      v2Fail(error, failure.message)
    }
  }

  private static func addNumbers(to result: OpaquePointer?, _ context: OpaquePointer?) throws(V2Failure) {
    var factory: OpaquePointer?
    try v2Call { v2.pointee.context_get_factory(context, &factory, $0) }
    let type = try V2Type(factory: factory, id: V2TypeID.uinteger)
    try withV2Text(LatePlan.numbers) { (name) throws(V2Failure) in
      try type.lend { (type) throws(V2Failure) in
        try v2Call { v2.pointee.table_function_bind_add_result_column(result, name, type, $0) }
      }
    }
  }

  private static func describe(
    _ schema: Schema, _ index: Int, name: String, context: OpaquePointer?
  ) throws(V2Failure) -> (ScanColumn, V2Type) {
    var factory: OpaquePointer?
    try v2Call { v2.pointee.context_get_factory(context, &factory, $0) }
    let (kind, type) = ColumnKind.of(schema.fields[index], decodesNumbers: false)
    if let type {
      return (ScanColumn(name: name, kind: kind, failure: nil), try V2Type(factory: factory, id: V2TypeID.of(type)))
    }
    do throws(V2Failure) {
      if let refusal = ColumnKind.refusal(schema.fields[index], isStableAPI: false) { throw V2Failure(code: V2Failure.inputInvalid, message: refusal) }
      let importer = try V2Importer(schema: schema, column: index, context: context)
      let structure = ColumnKind.structure(schema.fields[index])
      return (ScanColumn(name: name, kind: structure ?? kind, failure: nil), try importer.columnType())
    } catch {
      let reason = ScanColumn.failure(name, schema.fields[index], error.message)
      return (ScanColumn(name: name, kind: kind, failure: reason), try V2Type(factory: factory, id: V2TypeID.varchar))
    }
  }

  private static let recordFilters: duckdb_v2_callback = { info, context, _ in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.table_function_filter_pushdown_get_bind_data(info, &data, nil)
    guard let binding = borrowed(data, as: ScanBinding.self) else { return }
    // Recorded, never accepted: DuckDB still applies every filter.
    binding.predicates = V2Filters.predicates(info, schema: binding.source.schema, context: context)
  }

  private static let start: duckdb_v2_callback = { info, _, error in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.table_function_init_global_get_bind_data(info, &data, nil)
    guard let binding = borrowed(data, as: ScanBinding.self) else { return }
    var count: UInt64 = 0
    _ = v2.pointee.table_function_init_global_get_column_count(info, &count, nil)
    let columns = (0..<count).map { position in
      var column: UInt64 = .max
      _ = v2.pointee.table_function_init_global_get_column_index(info, position, &column, nil)
      return Int(exactly: column) ?? -1
    }
    let state = ScanState(binding: binding, wanted: columns)
    if let failure = state.failure { return v2Fail(error, failure) }
    _ = v2.pointee.table_function_init_global_set_max_threads(info, UInt64(max(1, state.morsels.count)), nil)
    var owned = v2Owned(state)
    _ = v2.pointee.table_function_init_global_set_global_state(info, &owned, nil)
  }

  private static let startThread: duckdb_v2_callback = { info, _, _ in
    var owned = v2Owned(ScanWorker())
    _ = v2.pointee.table_function_init_local_set_local_state(info, &owned, nil)
  }

  private static let produce: duckdb_v2_callback = { info, context, error in
    var globalData: UnsafeMutableRawPointer?
    var localData: UnsafeMutableRawPointer?
    var chunk: OpaquePointer?
    var firstVector: OpaquePointer?
    _ = v2.pointee.table_function_exec_get_global_state(info, &globalData, nil)
    _ = v2.pointee.table_function_exec_get_local_state(info, &localData, nil)
    _ = v2.pointee.table_function_exec_get_output_chunk(info, &chunk, nil)
    _ = v2.pointee.data_chunk_get_vector(chunk, 0, &firstVector, nil)
    guard let state = borrowed(globalData, as: ScanState.self), let worker = borrowed(localData, as: ScanWorker.self) else { return }
    let next: ScanWorker.Rows?
    do throws(CacheError) { next = try worker.next(state) } catch let failure { return v2Fail(error, DuckDBMessage.text(failure)) }
    guard let rows = next else {
      _ = v2.pointee.vector_set_size(firstVector, 0, nil)
      return
    }
    do throws(V2Failure) {
      for output in state.outputs {
        var vector: OpaquePointer?
        try v2Call { v2.pointee.data_chunk_get_vector(chunk, UInt64(output.position), &vector, $0) }
        try V2Fill.fill(vector, column: output.index, kind: output.kind, rows: rows, worker: worker, context: context)
      }
      if let position = state.numbersPosition {
        var (vector, target): (OpaquePointer?, UnsafeMutableRawPointer?)
        try v2Call { v2.pointee.data_chunk_get_vector(chunk, UInt64(position), &vector, $0) }
        try v2Call { v2.pointee.vector_get_data_mutable(vector, &target, $0) }
        if let target { rows.writeNumbers(to: target.assumingMemoryBound(to: UInt32.self)) }
      }
      try v2Call { v2.pointee.vector_set_size(firstVector, UInt64(rows.count), $0) }
    } catch let failure {
      v2Fail(error, failure.message)
    }
  }

  private static let reportOrder: duckdb_v2_callback = { info, _, _ in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.table_function_partition_data_get_local_state(info, &data, nil)
    guard let worker = borrowed(data, as: ScanWorker.self) else { return }
    _ = v2.pointee.table_function_partition_data_set_batch_index(info, UInt64(worker.morselIndex), nil)
  }

  private static let reportProgress: duckdb_v2_callback = { info, _, _ in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.table_function_progress_get_global_state(info, &data, nil)
    guard let state = borrowed(data, as: ScanState.self) else { return }
    _ = v2.pointee.table_function_progress_set_progress(info, state.progress, nil)
  }
}
