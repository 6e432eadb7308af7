import CPython
import Glibc

private let fastCall: Int32 = 0x0080
private let stableABIVersion: Int32 = 3

/// What Python sees: the first line of each text is the signature that `inspect` reads.
private let functions: [(name: String, parameters: String, summary: String, function: PyCFunctionFast)] = [
  ("register_errors", "types", "Tell the engine which exception stands for which error code.", registerErrors),
  ("open_cache", "options, library", "Open a cache.", openCache),
  ("close_cache", "cache", "Drop every entry and the database; a second call does nothing.", closeCache),
  ("abandon_cache", "cache", "Close a cache that could not be made ready: its storage stays as it is.", abandonCache),
  (
    "put", "cache, key, stream, kind, metadata, ttl, overwrite, auto_partition, copy, build_seconds, expected_bytes",
    "Read an arrow_array_stream capsule to its end and keep it under key.", put
  ),
  ("lookup", "cache, key", "The current version of key, or None; counts a hit or a miss.", lookup),
  ("peek", "cache, key", "As lookup, without counting or touching.", peek),
  ("describe", "entry", "What is known about an entry.", describe),
  ("bounding_box", "entry, column", "The box around the geometries of a column.", boundingBox),
  ("schema", "entry", "An arrow_schema capsule.", schema),
  ("scan", "entry, offset, limit, columns", "An arrow_array_stream capsule over a row range and some columns.", scan),
  ("memo", "entry, name", "The object kept beside the entry under name, or None.", memo),
  ("set_memo", "entry, name, value, byte_count", "Keep value beside the entry, as long as this version lives.", setMemo),
  ("remove", "cache, key", "Drop an entry; False where there was none.", remove),
  ("clear", "cache", "Drop every entry and return how many there were.", clear),
  ("contains", "cache, key", "Whether there is an entry under key.", contains),
  ("keys", "cache", "The keys, in the order in which they were put.", keys),
  ("update_ttl", "cache, key, ttl", "Let an entry expire ttl seconds from now, or never; False where there is none.", updateTTL),
  ("pin", "cache, key", "Keep an entry from being evicted until as many unpins; False where there is none.", pin),
  ("unpin", "cache, key", "Take back one pin.", unpin),
  ("persist", "cache, key, storage_dir, encode", "Write an entry to a folder, durably; False where there is none.", persist),
  ("load", "cache, key, storage_dir, verify, decode", "Bring back what was persisted; False where nothing is there.", load),
  ("flush", "cache", "Wait until every change is in the storage.", flush),
  ("check_storage", "storage_dir, repair", "Compare all that has been persisted to a folder with its checksums.", checkStorageFolder),
  (
    "query", "cache, sql, parameters, streaming, watch",
    "Run SQL and return an arrow_array_stream capsule of the last statement's rows.", query
  ),
  ("explain", "cache, sql, parameters, analyze, watch", "DuckDB's plan of exactly one statement, as text.", explain),
  ("watch", "time_limit, tracks_progress", "A watch for one query: its time limit in seconds, and how far it has come.", watch),
  ("fraction", "watch", "How much of the watched query is done, from 0 to 1.", fraction),
  ("has_timed_out", "watch", "Whether its time limit stopped the watched query.", hasTimedOut),
  ("cancel", "cache, watch", "Stop the watched query.", cancel),
  ("interrupt", "cache", "Stop all queries that run and return how many.", interrupt),
  ("kept_result", "cache, sql, parameters", "The result that query would give, where it has been kept, or None.", keptResult),
  ("result_stream", "result", "An arrow_array_stream capsule over a kept result.", resultStream),
  ("result_memo", "result, name", "The object kept beside the result under name, or None.", resultMemo),
  ("set_result_memo", "result, name, value, byte_count", "Keep value beside the result.", setResultMemo),
  ("status", "cache", "Flat counters.", status),
  ("placement", "cache, key", "Where the rows of an entry are; None where there is none.", placement),
  ("known_second_apis", "", "The DuckDBs whose second API is used.", knownSecondAPIs),
  ("engine_version", "", "The version of the engine.", engineVersion),
]

@c(PyInit__core) public func initializeModule() -> UnsafeMutablePointer<PyObject>? {
  // Never freed: the interpreter keeps what the definition points to.
  let methods = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: functions.count + 1)
  for (index, entry) in functions.enumerated() {
    let parameters = entry.parameters.isEmpty ? "" : "\(entry.parameters), /"
    (methods + index).initialize(
      to: PyMethodDef(
        ml_name: strdup(entry.name), ml_meth: unsafeBitCast(entry.function, to: PyCFunction.self), ml_flags: fastCall,
        ml_doc: strdup("\(entry.name)(\(parameters))\n--\n\n\(entry.summary)")))
  }
  (methods + functions.count).initialize(to: PyMethodDef())
  let definition = UnsafeMutablePointer<PyModuleDef>.allocate(capacity: 1)
  definition.initialize(to: PyModuleDef())
  definition.pointee.m_base.ob_base.ob_refcnt = 1
  definition.pointee.m_name = UnsafePointer(strdup("_core"))
  definition.pointee.m_doc = UnsafePointer(strdup("The engine, written in Swift."))
  definition.pointee.m_size = -1  // its state is the process's: no second interpreter
  definition.pointee.m_methods = methods
  return PyModule_Create2(definition, stableABIVersion)
}
