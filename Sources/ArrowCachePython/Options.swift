import ArrowCache
import CPython

/// The options of a cache from a mapping of configuration keys to values. A key that the engine does not have is an error.
func cacheOptions(_ object: Object) throws(Failure) -> CacheOptions {
  var options = CacheOptions()
  try forEachItem(of: object, "options") { name, value throws(Failure) in
    let given: Object? = isNone(value) ? nil : value
    let place = "options[\"\(name)\"]"
    switch name {
    case "memory_limit": options.memoryLimitBytes = try given.map { value throws(Failure) in try amount(value, place) }
    case "eviction_policy": options.evictionPolicy = try text(value, place)
    case "auto_partition": options.autoPartition = try bool(value, place)
    case "partition_size_rows": options.partitionSizeRows = try amount(value, place)
    case "partition_size_bytes": options.partitionSizeBytes = try amount(value, place)
    // 0 stands for as many threads as there are cores, which is DuckDB's own default.
    case "thread_count": options.threadCount = try given.flatMap { value throws(Failure) in try threadCount(value, place) }
    case "query_memory_limit": options.queryMemoryLimitBytes = try given.map { value throws(Failure) in try amount(value, place) }
    case "temporary_directory": options.temporaryDirectory = try given.map { value throws(Failure) in try text(value, place) }
    case "duckdb_extensions": options.duckdbExtensions = try texts(value, place)
    default: throw .cache(CacheError(.configuration, "\(place) is no option of the engine"))
    }
  }
  return options
}

private func amount(_ object: Object, _ name: String) throws(Failure) -> Int {
  let value = try integer(object, name)
  guard value >= 0 else { throw .cache(CacheError(.configuration, "\(name) is \(value): it must be 0 or more")) }
  return value
}

private func threadCount(_ object: Object, _ name: String) throws(Failure) -> Int? {
  let count = try amount(object, name)
  return count == 0 ? nil : count
}
