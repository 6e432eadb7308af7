import CacheStore
import Primitives
import QueryEngine
import Synchronization

/// A cache for tables: Arrow record batches under keys, in memory within a limit, and SQL over them.
///
/// ```swift
/// let cache = try ArrowCache()
/// try cache.put("flights", stream: &flights)
/// var delays = ArrowArrayStream()
/// try cache.query("SELECT carrier, avg(dep_delay) FROM _cache_flights GROUP BY carrier", into: &delays)
/// ```
///
/// Every call may come from any thread, and blocks until it is done. Calls on different entries, and queries, run side by side. Errors
/// are `CacheError`s; a call that fails leaves the cache as it was. In SQL an entry is called `_cache_` and its key.
///
/// After `fork` the child cannot use the cache: every call throws `.fork`. Data moves by the Arrow C stream interface, in both directions
/// without a copy: a stream that is handed in has been moved when the call returns, also when it throws, and one that is handed out
/// keeps what it reads alive by itself, whatever becomes of the entry and the cache.
public final class ArrowCache: @unchecked Sendable {
  /// Of the library.
  public static let version = "0.3.0"
  /// The DuckDBs ("v2.0.0") that SQL skips rows with; later ones answer the same through DuckDB's stable API.
  public static var knownSecondAPIs: [String] { QueryEngine.knownSecondAPIs }

  /// The process that the cache was made in, the only one that can use it.
  public let processID = ProcessIdentity.current
  let store: Store
  let engine: QueryEngine
  private let openedAt: Double
  let lifetime = Lifetime()
  /// nil: nobody has asked for one.
  private let catalog: CatalogWriter?
  private let keepsCatalog: Bool
  /// Queries that a kept result has answered.
  let answered = Atomic<Int>(0)

  /// Opens a cache with a database of its own.
  ///
  /// Throws `.storage` where another cache has the storage or the catalog, `.configuration` where an option is out of range and `.duckdb` where DuckDB is not found or is too old.
  public init(options: CacheOptions = CacheOptions()) throws(CacheError) {
    openedAt = SystemClock().now()
    store = try Store(options: options.store)
    var query = options.query
    if options.store.spillsToDisk {
      query.temporaryFolder = { [store] () throws(CacheError) in try store.temporaryFolder() }
      query.temporaryLimitBytes = { [store] in store.temporaryLimitBytes }
    }
    query.internalTables = InternalTable.all(of: store)
    do throws(CacheError) {
      engine = try QueryEngine(store: store, options: query)
      (catalog, keepsCatalog) = try Self.openCatalog(of: store, options)
    } catch {
      store.abandonStorage()
      throw error
    }
  }

  private static func openCatalog(of store: Store, _ options: CacheOptions) throws(CacheError) -> (CatalogWriter?, isKept: Bool) {
    if options.store.readsStorageOnly, options.catalogPath != nil {
      throw CacheError(.configuration, "metadata_db_path and read_only are both given: a cache that only reads keeps no catalog; leave one out")
    }
    let inStorage = store.catalogPath
    let chosen = try options.catalogPath.map { path throws(CacheError) in try absolutePath(path) }
    // A catalog in a storage goes with that.
    let isShared = chosen != nil && chosen != inStorage
    guard let path = chosen ?? inStorage else { return (nil, false) }
    let catalog = try CatalogWriter(path, of: store, libraryPath: options.duckdbLibraryPath, isShared: isShared)
    if isShared { store.removeCatalog() }
    return (catalog, isShared || !options.store.deletesFilesOnClose)
  }

  deinit { close() }

  /// Drops every entry and the database. What cannot be written to the storage is lost then: `flush` says so before. Queries that run are interrupted and waited for. A second call does nothing, nor does one in a
  /// forked child. Streams and entries that were handed out stay readable; every other call throws `.closed` from now on.
  ///
  /// Called from within one of the cache's own queries, it returns at once, and the cache is dropped when the last of them has ended.
  public func close() {
    guard processID == ProcessIdentity.current else { return }
    lifetime.close { [engine, store, catalog, keepsCatalog] in
      engine.close()
      catalog?.close(writes: keepsCatalog)
      store.close()
    }
  }

  /// Closes it for who could not make it ready: what was in its storage stays, whatever `deletesFilesOnClose` says.
  public func abandon() {
    guard processID == ProcessIdentity.current else { return }
    store.abandonStorage()
    close()
  }

  /// Whether it reads the storage of another cache: every call that changes entries throws `.readOnly`.
  public var isReadOnly: Bool { store.options.readsStorageOnly }

  /// Throws `.fork` in another process than the cache's and `.closed` after `close`.
  func checkUsable() throws(CacheError) {
    guard processID == ProcessIdentity.current else { throw Self.forkError(processID: processID) }
    guard !lifetime.isClosed else { throw Self.closedError }
  }

  /// Runs `body` so that `close` interrupts it and waits for it.
  func running<Result>(
    _ cancellation: Cancellation, _ body: () throws(CacheError) -> Result
  ) throws(CacheError) -> Result {
    guard processID == ProcessIdentity.current else { throw Self.forkError(processID: processID) }
    guard let number = lifetime.begin(cancellation) else { throw Self.closedError }
    defer { lifetime.end(number) }
    do { return try body() } catch {
      if error.code == .interrupted, lifetime.isClosed {
        throw CacheError(.closed, "the cache was closed while the query ran", cause: error.cause)
      }
      throw error
    }
  }

  /// What the cache holds and has done so far. Throws `.closed` after `close`.
  public func status() throws(CacheError) -> CacheStatus {
    try checkUsable()
    try store.followAll()
    let failures = catalog?.failures
    return CacheStatus(
      store: store.status(), queryCount: lifetime.startedCount + answered.load(ordering: .relaxed), scans: engine.scanCounters,
      duckdbVersion: engine.duckdbVersion, duckdbEngine: engine.engineName, duckdbMemoryBytes: engine.duckdbMemoryBytes(),
      results: engine.resultCounters, planHits: engine.planHits, catalogFailures: failures?.count ?? 0,
      lastCatalogFailure: failures?.last?.description, uptimeSeconds: SystemClock().now() - openedAt)
  }

  private static let closedError = CacheError(.closed, "the cache is closed: open a new one")

  /// For what belongs to a cache of another process.
  public static func forkError(processID: Int32) -> CacheError {
    CacheError(
      .fork, "the cache was made in another process (\(processID); this is \(ProcessIdentity.current)): open a new cache in this process")
  }
}
