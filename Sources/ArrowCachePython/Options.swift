import ArrowCache
import CPython

/// The options of a cache from a mapping of configuration keys to values. A key that the engine does not have is an error.
func cacheOptions(_ object: Object) throws(Failure) -> CacheOptions {
  var options = CacheOptions()
  try forEachItem(of: object, "options") { name, value throws(Failure) in
    let given: Object? = isNone(value) ? nil : value
    let place = "options[\"\(name)\"]"
    switch name {
    case "memory_limit": options.store.memoryLimitBytes = try given.map { value throws(Failure) in try amount(value, place) }
    case "memory_spill_threshold": options.store.spillThreshold = try double(value, place)
    case "spill_to_disk": options.store.spillsToDisk = try bool(value, place)
    case "spill_directory": options.store.spillDirectory = try text(value, place)
    case "storage_path": options.store.storagePath = try given.map { value throws(Failure) in try text(value, place) }
    case "read_only": options.store.readsStorageOnly = try bool(value, place)
    case "metadata_db_path": options.catalogPath = try given.map { value throws(Failure) in try text(value, place) }
    case "durability": options.store.durability = try durability(value, place)
    case "delete_files_on_close": options.store.deletesFilesOnClose = try bool(value, place)
    case "disk_limit": options.store.diskLimitBytes = try given.map { value throws(Failure) in try amount(value, place) }
    case "compression_type": options.store.compression = try compression(value, place)
    case "compression_level": options.store.compressionLevel = try amount(value, place)
    case "eviction_policy": options.store.evictionPolicy = try text(value, place)
    case "policy_args": options.store.policyArguments = try numbers(value, place)
    case "check_interval": options.store.checkInterval = try double(value, place)
    case "dictionary_encoding":
      options.store.dictionaryEncoding = try given.map { value throws(Failure) in try bool(value, place) ? .always : .never } ?? .whenMemoryIsShort
    case "auto_partition": options.store.autoPartition = try bool(value, place)
    case "partition_size_rows": options.store.partitionSizeRows = try amount(value, place)
    case "partition_size_bytes": options.store.partitionSizeBytes = try amount(value, place)
    // 0 stands for as many threads as there are cores, which is DuckDB's own default.
    case "thread_count": options.threadCount = try given.flatMap { value throws(Failure) in try threadCount(value, place) }
    case "query_memory_limit": options.queryMemoryLimitBytes = try given.map { value throws(Failure) in try amount(value, place) }
    case "remember_filters": options.remembersFilters = try bool(value, place)
    case "cache_query_plans": options.keepsPlans = try bool(value, place)
    case "cache_query_results": options.keepsResults = try bool(value, place)
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

private func compression(_ object: Object, _ name: String) throws(Failure) -> IPCCompression {
  switch try text(object, name) {
  case "none": return .none
  case "lz4": return .lz4
  case "zstd": return .zstd
  case let other: throw .cache(CacheError(.configuration, "\(name) is '\(other)': use one of none, lz4, zstd"))
  }
}

private func durability(_ object: Object, _ name: String) throws(Failure) -> Durability {
  let word = try text(object, name)
  guard let durability = Durability(rawValue: word) else {
    throw .cache(CacheError(.configuration, "\(name) is '\(word)': use one of full, relaxed"))
  }
  return durability
}

private func numbers(_ object: Object, _ name: String) throws(Failure) -> [String: Double] {
  var numbers: [String: Double] = [:]
  try forEachItem(of: object, name) { key, value throws(Failure) in numbers[key] = try double(value, "\(name)[\"\(key)\"]") }
  return numbers
}
