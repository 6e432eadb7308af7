import CArrow
import CacheStore
import Primitives

/// One open DuckDB database that sees the cache's tables. Two implementations: `V2Database` (DuckDB 2.0: filter pushdown,
/// ordered parallel scans) and `V1Database` (the stable API, DuckDB 1.5).
protocol Database: AnyObject, Sendable {
  var engineName: String { get }
  /// The table function behind the names of the cached tables.
  var scanFunction: String { get }
  /// The one behind the engine's own tables.
  var tableFunction: String { get }
  func connect() throws(CacheError) -> any Connection
}

/// What a database sees beside its own tables.
struct DatabaseContent: Sendable {
  /// The names `_cache_<key>`.
  let store: Store
  let entries: ScanContext
  let tables: ScanContext
}

/// A session on a database. One statement at a time; `interrupt` from any thread.
protocol Connection: AnyObject {
  /// Runs every statement of `sql`, the last with the parameters, and returns the last one's result.
  func execute(_ sql: String, parameters: QueryParameters) throws(CacheError) -> any QueryResult
  /// Prepares the one statement of `sql`, which has no parameters; nil where its plan would be made anew each time.
  func prepare(_ sql: String) throws(CacheError) -> (any PreparedStatement)?
  /// How many statements `sql` holds.
  func statementCount(_ sql: String) throws(CacheError) -> Int
  func interrupt()
  /// How much of the running statement is done, from 0 to 1; nil where DuckDB does not know, or has not been told to track it.
  func progress() -> Double?
}

extension Connection {
  /// Has DuckDB track how far statements have come, and print nothing. Where a setting is refused there is no progress.
  func trackProgress() {
    for setting in ["enable_progress_bar_print = false", "progress_bar_time = 0", "enable_progress_bar = true"] {
      _ = try? execute("SET \(setting)", parameters: .none)
    }
  }
}

/// The rows of one statement, as Arrow. A statement takes its full effect only once it has been read to the end.
protocol QueryResult: AnyObject {
  var kind: StatementKind { get }
  func schema(into schema: UnsafeMutablePointer<ArrowSchema>) throws(CacheError)
  /// False at the end.
  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool
}

extension QueryResult {
  /// Whether rows may be handed out while they are produced: not so for statements that change something.
  var canStream: Bool { kind == .select }
}
