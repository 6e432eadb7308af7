import ArrowData
import CacheStore
import QueryEngine

/// How a cache keeps entries and opens DuckDB. Fixed once the cache is open.
public struct CacheOptions: Sendable {
  /// How entries are kept: the memory limit, where they go beyond it, and what goes first.
  public var store = StoreOptions()

  /// A file for the catalog of the entries, a DuckDB database. Default: `catalog.duckdb` in the storage, where there is one.
  public var catalogPath: String?
  /// DuckDB's shared object. Default: `ARROW_CACHE_LIBDUCKDB` in the environment, then what the loader finds.
  public var duckdbLibraryPath: String?
  /// Threads that queries share. Default: one a core.
  public var threadCount: Int?
  /// What DuckDB may allocate for sorting, joining and grouping, in bytes. Default: 0.3 of the machine or container.
  public var queryMemoryLimitBytes: Int?
  /// Whether the rows that satisfy a filter are remembered once it has been asked twice. Default: true.
  public var remembersFilters = true
  /// DuckDB extensions, by name or file, that are loaded when the cache is opened. Default: none.
  public var duckdbExtensions: [String] = []

  /// Whether results of statements that read entries alone are kept for who asks again. Default: yes.
  public var keepsResults = true
  /// Whether plans of such statements are kept where their results are not. Default: yes.
  public var keepsPlans = true

  public init() {}

  var query: QueryOptions {
    var options = QueryOptions()
    options.libraryPath = duckdbLibraryPath
    options.threadCount = threadCount
    if let queryMemoryLimitBytes { options.memoryLimitBytes = queryMemoryLimitBytes }
    options.extensionPaths = duckdbExtensions
    options.remembersFilters = remembersFilters
    options.keepsResults = keepsResults
    options.keepsPlans = keepsPlans
    return options
  }
}
