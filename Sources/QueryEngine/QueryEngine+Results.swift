import ArrowData
import CArrow
import CacheStore
import Primitives
import Synchronization

/// What keeps an engine's results: the results themselves, what is known of texts, and how often the meaning of SQL has changed.
final class ResultKeeping: Sendable {
  /// nil: results are not kept.
  let cache: ResultCache?
  /// Grows whenever a statement may have changed what another one means.
  let generation = Atomic<UInt64>(1)
  /// The state of a session that has changed something of its own; 0: none has.
  let lastState = Atomic<UInt64>(0)
  /// Whether SQL may have made functions.
  let hasUserFunctions = Atomic(false)
  /// Whether SQL may have made views, one of which could stand before an entry of its name, or given columns of results other types.
  let hasOtherColumns = Atomic(false)

  let keepsPlans: Bool
  let planHits = Atomic(0)

  init(store: Store, options: QueryOptions) {
    cache = options.keepsResults ? ResultCache(store: store) : nil
    keepsPlans = options.keepsPlans
  }
}

/// What running a text has shown about it.
final class StatementTrace {
  private(set) var session: Session?
  private(set) var snapshot: QuerySnapshot?
  var kind: StatementKind?
  /// Whether its rows are an entry's own buffers, which are counted as such.
  var isEntrysOwn = false
  /// Whether they hold an entry's buffers, so that keeping them would count what is counted as the entry's.
  var holdsEntry = false
  /// Whether only some of the columns went through DuckDB, where a plan of the whole would be slower.
  var isLate = false
  /// The session's before the statement.
  private(set) var state: UInt64 = 0

  func begin(_ session: Session, _ snapshot: QuerySnapshot) {
    (self.session, self.snapshot, kind) = (session, snapshot, nil)
    (holdsEntry, isLate) = (false, false)
    state = session.state.load(ordering: .acquiring)
  }
}

extension QueryEngine {
  /// Below this, looking into a new text would cost as much as running it.
  private static let leastSeconds = 0.0005

  /// What the calling thread's statement would give, where that has been kept: without a call of DuckDB.
  public func keptResult(_ sql: String, parameters: QueryParameters) -> KeptResult? {
    guard let cache = keeping.cache else { return nil }
    let session = currentPool.idleState()
    return cache.find(ResultKey(sql: sql, parameters: parameters, session: session), generation: keeping.generation.load(ordering: .acquiring))
  }

  /// How often results have been there. nil: they are not kept.
  public var resultCounters: ResultCounters? { keeping.cache?.counters }

  /// Runs `sql` and counts its rows in the ledger; keeps them for the next who asks where that is safe.
  func counted(
    _ sql: String, parameters: QueryParameters, cancellation: Cancellation?, streaming: Bool, trace: StatementTrace = StatementTrace()
  ) throws(CacheError) -> any BatchSource {
    let generation = keeping.generation.load(ordering: .acquiring)
    let started = SteadyClock.seconds()
    let rows: any BatchSource
    do throws(CacheError) {
      rows = try self.rows(of: sql, parameters: parameters, cancellation: cancellation, streaming: streaming, trace: trace)
    } catch {
      noteEffect(sql, trace)
      throw error
    }
    noteEffect(sql, trace)
    if trace.isEntrysOwn { return rows }
    if let live = rows as? LiveResult { return CountedStream(live, store: store) }
    let counted = try CountedRows(rows, store: store)
    if trace.kind == .select { keep(counted, sql, parameters, trace, generation: generation, seconds: SteadyClock.seconds() - started) }
    return counted
  }

  /// Notes that what other texts mean may have changed, before the call that has run this one returns.
  private func noteEffect(_ sql: String, _ trace: StatementTrace) {
    guard let session = trace.session else { return }
    let isAlone = { self.currentPool.revisit(session) { (try? session.connection.statementCount(sql)) == 1 } ?? false }
    guard StatementEffect.mayChangeMeaning(sql, kind: trace.kind, isAlone: isAlone) else { return }
    session.state.store(keeping.lastState.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .releasing)
    if StatementEffect.mayDefineFunctions(sql) { keeping.hasUserFunctions.store(true, ordering: .relaxed) }
    currentPool.notes.forgetFunctions()
    keeping.generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
    _ = keeping.cache?.takeResults()
    if StatementEffect.holds(sql, [InternalTable.schemaName]) { restoreTables() }
  }

  private func keep(
    _ rows: CountedRows, _ sql: String, _ parameters: QueryParameters, _ trace: StatementTrace, generation: UInt64, seconds: Double
  ) {
    guard keeping.cache != nil || keeping.keepsPlans else { return }
    keeping.cache?.countMiss()
    let notes = currentPool.notes
    let runCount = notes.countRun(sql)
    let isKept = !trace.holdsEntry && keeping.cache?.takes(rows.byteCount) ?? false
    guard isKept ? runCount > 1 || seconds >= Self.leastSeconds : runCount > 1, TableName.isNamed(in: sql), let facts = notes.facts(sql),
      let tables = trace.snapshot?.versions(of: facts.tables), isSteady(facts, trace, notes, asks: runCount > 1)
    else { return }
    guard isKept, let cache = keeping.cache else {
      if case .none = parameters, !trace.isLate { keepPlan(sql, facts, trace, generation: generation, seconds: seconds) }
      return
    }
    let result = KeptResult(rows, tables: tables, generation: generation, seconds: seconds, memos: store.memoShelf())
    cache.keep(result, for: ResultKey(sql: sql, parameters: parameters, session: trace.state))
  }

  /// Whether all functions give the same when they are called again. `asks`: whether DuckDB may be asked for those that are not known.
  private func isSteady(_ facts: StatementFacts, _ trace: StatementTrace, _ notes: StatementNotes, asks: Bool) -> Bool {
    if keeping.hasUserFunctions.load(ordering: .relaxed), !facts.functions.isEmpty {
      let generation = keeping.generation.load(ordering: .acquiring)
      guard asks, let session = trace.session, let names = currentPool.revisit(session, { session.functionNames(generation: generation) }) ?? nil else {
        return false
      }
      let known = FunctionNames.common.union(names.consistent)
      return facts.functions.isSubset(of: known) && facts.functions.isDisjoint(with: names.ofUsers)
    }
    let others = facts.functions.subtracting(FunctionNames.common)
    if others.isEmpty { return true }
    guard asks, let names = notes.functionNames() else { return false }
    return others.isSubset(of: names.consistent)
  }
}
