import CacheStore
import QueryEngine

/// How a cache keeps entries and opens DuckDB. Fixed once the cache is open.
public struct CacheOptions: Sendable {
  /// Most bytes that entries may hold together; nil: no limit.
  public var memoryLimitBytes: Int?
  /// Which entry goes first when the limit is reached: "lru", "lfu", "fifo", "size" or "ttl".
  public var evictionPolicy: String
  /// Whether entries are cut into partitions where a put does not say. Default: true.
  public var autoPartition: Bool
  /// Most rows of a partition.
  public var partitionSizeRows: Int
  /// Most bytes of a partition, about.
  public var partitionSizeBytes: Int

  /// DuckDB's shared object. Default: `ARROW_CACHE_LIBDUCKDB` in the environment, then what the loader finds.
  public var duckdbLibraryPath: String?
  /// Threads that queries share. Default: one a core.
  public var threadCount: Int?
  /// What DuckDB may allocate for sorting, joining and grouping, in bytes. Default: 0.3 of the machine or container.
  public var queryMemoryLimitBytes: Int?
  /// Where DuckDB puts temporary files beyond that, a folder that is there. Default: nowhere.
  public var temporaryDirectory: String?
  /// DuckDB extensions, by name or file, that are loaded when the cache is opened. Default: none.
  public var duckdbExtensions: [String] = []

  public init() {
    let defaults = StoreOptions()
    memoryLimitBytes = defaults.memoryLimitBytes
    evictionPolicy = defaults.evictionPolicy
    autoPartition = defaults.autoPartition
    partitionSizeRows = defaults.partitionSizeRows
    partitionSizeBytes = defaults.partitionSizeBytes
  }

  var store: StoreOptions {
    var options = StoreOptions()
    options.memoryLimitBytes = memoryLimitBytes
    options.evictionPolicy = evictionPolicy
    options.autoPartition = autoPartition
    options.partitionSizeRows = partitionSizeRows
    options.partitionSizeBytes = partitionSizeBytes
    return options
  }

  var query: QueryOptions {
    var options = QueryOptions()
    options.libraryPath = duckdbLibraryPath
    options.threadCount = threadCount
    if let queryMemoryLimitBytes { options.memoryLimitBytes = queryMemoryLimitBytes }
    if let temporaryDirectory, !temporaryDirectory.isEmpty { options.temporaryFolder = { temporaryDirectory } }
    options.extensionPaths = duckdbExtensions
    return options
  }
}
