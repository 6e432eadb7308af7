import Primitives

/// How a `QueryEngine` opens DuckDB.
public struct QueryOptions: Sendable {
  /// DuckDB's shared object; see `DuckDBLibrary.load`. Default: the environment, then the loader.
  public var libraryPath: String?
  /// Threads that queries share. Default: DuckDB's own (one a core).
  public var threadCount: Int?
  /// What DuckDB may allocate for sorting, joining and grouping, in bytes. Default: 0.3 of the machine or container.
  public var memoryLimitBytes = Int(Double(MachineMemory.byteCount) * 0.3)
  /// Where DuckDB puts what does not fit into that: a folder that may not be there yet, in one that is. Asked before the first
  /// statement, and again as long as it throws: statements then have memory alone. Default: nowhere.
  public var temporaryFolder: (@Sendable () throws(CacheError) -> String)?
  /// How many bytes of temporary files there may be now, asked before each statement; nil: what the disk has. Default: nil.
  public var temporaryLimitBytes: (@Sendable () -> Int?)?
  /// Extension files or names to `LOAD` when the database is opened. Default: none.
  public var extensionPaths: [String] = []
  /// Tables of the engine's own, in the schema `arrow_cache`. Default: none.
  public var internalTables: [InternalTable] = []
  /// Whether the rows that satisfy a filter are remembered once it has been asked twice; the memory is the store's, and goes before any
  /// entry does. Default: true.
  public var remembersFilters = true

  /// Whether results of statements that read cached tables alone are kept for who asks again, within an eighth of the memory limit.
  public var keepsResults = true
  /// Whether plans of such statements are kept where their results are not. A plan is a session's own.
  public var keepsPlans = true

  /// Keep to DuckDB's stable C API where the second one is there too: slower, without skipping. Default: false.
  public var usesStableAPI = false

  public init() {}
}
