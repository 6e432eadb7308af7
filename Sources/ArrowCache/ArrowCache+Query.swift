import CArrow
import Primitives
import QueryEngine

extension ArrowCache {
  /// Runs SQL and fills `stream` with the rows of its last statement.
  ///
  /// The whole result has been produced when the call returns; with `streaming` it is produced while the stream is read, which holds a
  /// connection until the stream ends or is released. `cancellation` stops the query from another thread.
  ///
  /// Throws `.query` with DuckDB's words, `.interrupted`, `.timeout` at the time limit of `cancellation`, `.closed`.
  public func query(
    _ sql: String, parameters: QueryParameters = .none, cancellation: Cancellation = Cancellation(), streaming: Bool = false,
    into stream: UnsafeMutablePointer<ArrowArrayStream>
  ) throws(CacheError) {
    try running(cancellation) { () throws(CacheError) in
      try engine.run(sql, parameters: parameters, cancellation: cancellation, streaming: streaming, into: stream)
    }
    StreamRelay(around: stream)
  }

  /// What `query` would give for a statement of this thread, where it has been kept; nil where it has not. Calls no DuckDB.
  public func keptResult(_ sql: String, parameters: QueryParameters = .none) throws(CacheError) -> KeptResult? {
    try checkUsable()
    guard let result = engine.keptResult(sql, parameters: parameters) else { return nil }
    answered.wrappingAdd(1, ordering: .relaxed)
    return result
  }

  /// DuckDB's plan of one statement, as text; with `analyze` the statement runs, and the plan says what that took.
  ///
  /// Throws as `query` does.
  public func explain(
    _ sql: String, parameters: QueryParameters = .none, analyze: Bool = false, cancellation: Cancellation = Cancellation()
  ) throws(CacheError) -> String {
    try running(cancellation) { () throws(CacheError) in
      try engine.explain(sql, parameters: parameters, analyze: analyze, cancellation: cancellation)
    }
  }

  /// Stops a query of this cache from any thread. Returns at once; the query ends soon, and nothing happens where it does not run.
  public func stop(_ cancellation: Cancellation) throws(CacheError) {
    try checkUsable()
    try engine.stop(cancellation)
  }

  /// Stops all queries that run at the moment, from any thread, and returns how many. Streams that have not been produced yet to their end
  /// are such too: their next batch is an error.
  public func interrupt() throws(CacheError) -> Int {
    try checkUsable()
    var running: [ObjectIdentifier: Cancellation] = [:]
    for cancellation in lifetime.running + engine.liveStreams { running[ObjectIdentifier(cancellation)] = cancellation }
    for cancellation in running.values { try engine.stop(cancellation) }
    return running.count
  }
}
