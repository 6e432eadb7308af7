/// How a `QueryEngine` opens DuckDB.
public struct QueryOptions: Sendable {
  /// DuckDB's shared object; see `DuckDBLibrary.load`. Default: the environment, then the loader.
  public var libraryPath: String?
  /// Threads that queries share. Default: DuckDB's own (one a core).
  public var threadCount: Int?
  /// What DuckDB may allocate for sorting, joining and grouping, in bytes. Default: DuckDB's own (80 % of the machine).
  public var memoryLimitBytes: Int?
  /// Where DuckDB puts temporary files when it runs out of that. Default: DuckDB's own.
  public var temporaryDirectory: String?
  /// Extension files or names to `LOAD` when the database is opened. Default: none.
  public var extensionPaths: [String] = []

  /// Keep to DuckDB's stable C API where the second one is there too: slower, without skipping. Default: false.
  public var usesStableAPI = false

  public init() {}
}
