import ArrowData
import CArrow
import CacheStore
import Primitives
import Synchronization

/// SQL over the cached tables: a DuckDB database in memory in which every entry of a store is the table `_cache_<key>`.
///
/// Any number of threads may run queries at once; each thread has a connection of its own, so temporary tables, settings and
/// transactions stay with a thread. Tables and views that a user creates are seen by all threads and live as long as the engine.
public final class QueryEngine: @unchecked Sendable {
  let store: Store
  private let library: DuckDBLibrary
  let options: QueryOptions
  private let pool: Locked<SessionPool>
  private let queries = Atomic<Int>(0)
  /// Whether no statement can have changed how rows are ordered: DuckDB's settings cannot be seen without asking it each time.
  let ordersAsUsual = Atomic<Bool>(true)
  private let stopper = QueryStopper()
  private let live = Locked<[ObjectIdentifier: Cancellation]>([:])
  let keeping: ResultKeeping
  /// What scans have read and left out so far.
  public let scanCounters = ScanCounters()

  /// Loads DuckDB and opens the database. Throws `.duckdb` where DuckDB is missing or too old.
  public init(store: Store, options: QueryOptions = QueryOptions()) throws(CacheError) {
    library = try DuckDBLibrary.load(path: options.libraryPath)
    (self.store, self.options) = (store, options)
    keeping = ResultKeeping(store: store, options: options)
    pool = Locked(try QueryEngine.open(library, store, scanCounters, options))
  }

  /// The DuckDBs, as they call themselves, whose second API is used; others are used through the stable one, without skipping.
  public static var knownSecondAPIs: [String] { V2Edition.allCases.map(\.rawValue) }

  /// As DuckDB says it: "v2.0.0".
  public var duckdbVersion: String { library.version }
  /// "v2": DuckDB's second API, with partition skipping. "v1": the stable one.
  public var engineName: String { pool.withLock { $0 }.database.engineName }
  /// Statements run so far.
  public var queryCount: Int { queries.load(ordering: .relaxed) }

  /// Runs the statements of `sql` and fills `stream` with the rows of the last one.
  ///
  /// Blocks until the last statement has been started (streaming) or has ended. Every reference to an entry within the call sees
  /// one version. Throws `.query` with DuckDB's own message, `.interrupted`, `.timeout`, `.closed`, or `.duckdb` where DuckDB itself broke.
  ///
  /// - Parameters:
  ///   - parameters: the last statement's.
  ///   - streaming: whether rows may be produced while the stream is read; only a SELECT is. The stream then holds a connection.
  public func run(
    _ sql: String, parameters: QueryParameters = .none, cancellation: Cancellation? = nil, streaming: Bool = false,
    into stream: UnsafeMutablePointer<ArrowArrayStream>
  ) throws(CacheError) {
    if !streaming, cancellation?.isCancelled != true, let kept = keptResult(sql, parameters: parameters) { return kept.export(into: stream) }
    exportStream(try counted(sql, parameters: parameters, cancellation: cancellation, streaming: streaming), to: stream)
  }

  /// DuckDB's plan of exactly one statement, as text.
  ///
  /// - Parameter analyze: whether to run the statement and tell the times and rows of each step.
  public func explain(
    _ sql: String, parameters: QueryParameters = .none, analyze: Bool = false, cancellation: Cancellation? = nil
  ) throws(CacheError) -> String {
    let count = try withSession { (session, _) throws(CacheError) in try session.connection.statementCount(checked(sql)) }
    guard count == 1 else { throw CacheError(.query, "explain takes one statement, the SQL text holds \(count)") }
    let trace = StatementTrace()
    let explained = analyze ? "EXPLAIN ANALYZE " : "EXPLAIN "
    let plan: any BatchSource
    do throws(CacheError) {
      plan = try counted(explained + sql, parameters: parameters, cancellation: cancellation, streaming: false, trace: trace)
    } catch {
      throw CacheError(error.code, DuckDBMessage.without(explained, error.message), cause: error.cause, systemError: error.systemError)
    }
    let text = try PlanText.read(plan)
    let report = analyze ? ScanReport.text(trace.snapshot?.scans ?? [], skips: engineName != "v1") : ""
    let reuse = try reuse(of: sql, parameters)
    return try text + report + (reuse.isEmpty ? lateReport(of: sql, parameters) : reuse)
  }

  /// What DuckDB itself has allocated, in bytes; nil where it does not say.
  public func duckdbMemoryBytes() -> Int? {
    currentPool.notes.number(of: "SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()")
  }

  /// Stops a query that runs now, from any thread. Returns at once; the query ends soon.
  public func stop(_ cancellation: Cancellation) throws(CacheError) { try stopper.stop(cancellation) }

  /// Those of streams that are produced as they are read and have not been read to their end.
  public var liveStreams: [Cancellation] { live.withLock { Array($0.values) } }

  /// Interrupts running queries, waits for them, and closes the database. Streams handed out stay readable.
  public func close() {
    pool.withLock { $0 }.close()
    _ = keeping.cache?.takeResults()
  }

  var currentPool: SessionPool { pool.withLock { $0 } }

  private func checked(_ sql: String) throws(CacheError) -> String {
    guard !sql.utf8.contains(0) else { throw CacheError(.argument, "the SQL text holds a NUL character: DuckDB would stop reading there") }
    return sql
  }

  func rows(
    of sql: String, parameters: QueryParameters, cancellation: Cancellation?, streaming: Bool, trace: StatementTrace? = nil
  ) throws(CacheError) -> any BatchSource {
    let sql = try checked(sql)
    do throws(CacheError) {
      return try stopper.run(cancellation) { () throws(CacheError) in try attemptTwice(sql, parameters, cancellation, streaming, trace) }
    } catch {
      throw CachedTableMessage.completed(error, sql, store)
    }
  }

  private func attemptTwice(
    _ sql: String, _ parameters: QueryParameters, _ cancellation: Cancellation?, _ streaming: Bool, _ trace: StatementTrace?
  ) throws(CacheError) -> any BatchSource {
    do throws(CacheError) {
      return try attempt(sql, parameters, cancellation, streaming, trace)
    } catch {
      // DuckDB 1.5 at times says "interrupted", which nobody asked for, in place of a statement's own error; what failed has changed nothing.
      guard error.code == .interrupted, cancellation?.isCancelled != true, !pool.withLock({ $0 }).isClosed,
        try withSession({ (session, _) throws(CacheError) in try session.connection.statementCount(sql) }) == 1
      else { throw error }
      return try attempt(sql, parameters, cancellation, streaming, trace)
    }
  }

  private func attempt(
    _ sql: String, _ parameters: QueryParameters, _ cancellation: Cancellation?, _ streaming: Bool, _ trace: StatementTrace?
  ) throws(CacheError) -> any BatchSource {
    queries.wrappingAdd(1, ordering: .relaxed)
    if StatementEffect.mayChangeColumns(sql) { keeping.hasOtherColumns.store(true, ordering: .relaxed) }
    if TopStatement.mayChangeOrder(sql) { ordersAsUsual.store(false, ordering: .relaxed) }
    // The stable API tells names without their schema: there a view's own reference to an entry could be taken for the text's.
    let saysNames = engineName != "v1" || !keeping.hasOtherColumns.load(ordering: .relaxed)
    let hint = saysNames ? ScanHint(sql, parameters, ordersAsUsual: ordersAsUsual.load(ordering: .relaxed)) : nil
    let snapshot = QuerySnapshot(store: store, hint: hint)
    let pool = pool.withLock { $0 }
    pool.space.prepare(pool.database)
    return try withSession(of: pool) { (session, detach) throws(CacheError) in
      let connection = session.connection
      trace?.begin(session, snapshot)
      try cancellation?.attach(interrupt: { connection.interrupt() }, measure: { connection.progress().flatMap { $0 > 0 ? $0 : nil } ?? snapshot.scannedFraction })
      // A live result is still produced, and can be stopped, after this returns.
      var isLive = false
      defer { if !isLive { cancellation?.detach() } }
      if cancellation?.tracksProgress == true { connection.trackProgress() }
      session.buffer.prepare(sql, isCollected: !streaming, on: connection, engine: pool.database.engineName)
      let isWhole = !streaming && WholeTable.isMeant(by: sql, parameters, on: connection, of: pool.database, store)
      if !streaming, let trace, let count = try knownCount(sql, parameters, session, hint, trace, cancellation) { return count }
      if !streaming, trace != nil, let rows = try planned(sql, parameters, session, snapshot, cancellation) {
        trace?.kind = .select
        return rows
      }
      if !streaming, !isWhole, let trace, let late = try lateRows(sql, parameters, session, pool.database, trace, cancellation) { return late }
      trace?.begin(session, snapshot)
      let wasBare = session.isBare
      session.isBare = false
      session.prepared.renew(sql, snapshot)
      var isStreamed = false
      defer { session.prepared.note(sql, snapshot, isOver: !isStreamed) }
      let result: any QueryResult
      do throws(CacheError) {
        result = try snapshot.run { () throws(CacheError) in
          try FileLikeKeys.prepare(sql, on: connection, scanFunction: pool.database.scanFunction, store: store)
          return try connection.execute(sql, parameters: parameters)
        }
      } catch {
        session.isBare = wasBare && !StatementEffect.mayChangeMeaning(sql, kind: nil, isAlone: { false })
        throw error
      }
      trace?.kind = result.kind
      session.isBare = wasBare && [.select, .explanation].contains(result.kind) && !StatementEffect.mayChangeMeaning(sql, kind: result.kind, isAlone: { false })
      if isWhole, let rows = try WholeTable.rows(inPlaceOf: result, snapshot, cancellation: cancellation) {
        trace?.isEntrysOwn = true
        return rows
      }
      guard streaming, result.canStream else {
        return try snapshot.run { () throws(CacheError) in try CollectedResult(result, cancellation: cancellation) }
      }
      let schema = try snapshot.run { () throws(CacheError) in try importSchema(of: result) }
      (isLive, isStreamed) = (true, true)
      let giveBack = detach()
      if let cancellation { live.withLock { $0[ObjectIdentifier(cancellation)] = cancellation } }
      let rows = LiveResult(
        result, schema: schema, snapshot: snapshot, space: pool.space, cancellation: cancellation, stopper: stopper,
        charge: { [store] in store.charged($0).batch }
      ) { [weak self] isBroken in
        if let cancellation { self?.live.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(cancellation)) } }
        cancellation?.detach()
        giveBack(isBroken)
      }
      session.live = rows
      return rows
    }
  }

  /// Runs `body` with a session, and gives it back afterwards: unless the body detached it, which it then does itself.
  func withSession<Result>(
    of pool: SessionPool? = nil, _ body: (Session, _ detach: () -> (_ isBroken: Bool) -> Void) throws(CacheError) -> Result
  ) throws(CacheError) -> Result {
    let pool = pool ?? self.pool.withLock { $0 }
    if let live = pool.streamingSession()?.live, !live.settle(limitBytes: options.memoryLimitBytes) {
      throw CacheError(
        .query,
        """
        a reader of this thread is open, with more than \(options.memoryLimitBytes) bytes (query_memory_limit) yet to be read, and has the temporary tables, \
        settings and transaction of the thread: read it to its end, drop it, or ask on another thread
        """)
    }
    let session = try pool.take()
    var isDetached = false
    do throws(CacheError) {
      let result = try body(session) {
        isDetached = true
        pool.detach(session)
        return { pool.give(back: session, isBroken: $0) }
      }
      if !isDetached { pool.give(back: session, isBroken: false) }
      return result
    } catch {
      if !isDetached { pool.give(back: session, isBroken: error.code == .duckdb) }
      guard error.code == .duckdb || error.message.contains("database has been invalidated") else { throw pool.space.explained(error) }
      throw replaceDatabase(pool, after: error)
    }
  }

  /// DuckDB declares a database unusable after an internal error of its own; a fresh one takes its place.
  private func replaceDatabase(_ broken: SessionPool, after failure: CacheError) -> CacheError {
    let fresh: SessionPool
    do throws(CacheError) { fresh = try QueryEngine.open(library, store, scanCounters, options, number: broken.space.number + 1) } catch { return error }
    pool.withLock { pool in
      if pool === broken { pool = fresh }
    }
    keeping.generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
    return CacheError(
      .duckdb,
      "DuckDB failed internally and was restarted: the cached entries are all there; tables, views, macros and settings made by SQL are gone; avoid the statement or report it to DuckDB",
      cause: failure.description)
  }
}

/// The text of EXPLAIN's result: its second column.
private enum PlanText {
  static func read(_ source: any BatchSource) throws(CacheError) -> String {
    var plan = ""
    var array = ArrowArray()
    while try source.next(into: &array) {
      let batch = try RecordBatch(importing: &array, schema: source.schema)
      guard batch.columnCount == 2, source.schema.fields[1].format == "u" else {
        throw CacheError(.query, "DuckDB explained the statement in a form that is not known")
      }
      let column = batch.column(1).pointee
      guard let offsets = column.buffers[1]?.assumingMemoryBound(to: Int32.self), let bytes = column.buffers[2] else { continue }
      for row in Int(column.offset)..<Int(column.offset) + batch.rowCount {
        let value = UnsafeRawBufferPointer(start: bytes + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))
        plan += String(decoding: value, as: UTF8.self)
        if !plan.hasSuffix("\n") { plan += "\n" }
      }
    }
    return plan
  }
}
