import ArrowData
import CacheStore
import Primitives
import Synchronization

/// A statement that an engine has prepared, to be run again and again on its connection.
protocol PreparedStatement: AnyObject {
  func execute() throws(CacheError) -> any QueryResult
}

/// A plan of a session: DuckDB's, and what it reads. Between two runs it holds no entry.
///
/// DuckDB 2.0 runs a prepared statement as an `EXECUTE`, whose rows one thread collects where they have an order. So a plan that reads many rows has to
/// show that it is the faster way there, and a statement that takes long has none.
final class KeptPlan {
  /// What takes longer is planned anew each time: to try would cost more than is ever gained.
  static let mostSeconds = 0.25
  /// The share of a run that planning has to take.
  fileprivate static let leastShare = 0.03
  /// By how much a first run by the plan may be slower, which may be chance.
  private static let firstAllowance = 1.2
  /// One thread is done with fewer before several would be at work.
  static let fewRows = 100_000
  private static let triedRuns = 2

  private let statement: any PreparedStatement
  private let tables: [TableVersion]
  private let generation: UInt64
  private let state: UInt64
  /// What the statement took when it was planned as well; nil: its few rows need no comparison.
  private let plannedSeconds: Double?
  private var leastSeconds = Double.infinity
  private var runCount = 0
  /// Those that DuckDB still has: it may bind the statement anew, each time it runs.
  private var bindings: [WeakBinding]

  private struct WeakBinding { weak var binding: ScanBinding? }

  init(
    _ statement: any PreparedStatement, _ snapshot: QuerySnapshot, tables: [TableVersion], generation: UInt64, state: UInt64, plannedSeconds: Double?
  ) {
    (self.statement, self.tables, self.generation, self.state, self.plannedSeconds) = (statement, tables, generation, state, plannedSeconds)
    bindings = []
    park(snapshot)
  }

  /// Whether it was made for what the names mean now; `snapshot` sees the entries from now on.
  func holds(_ snapshot: QuerySnapshot, generation: UInt64, state: UInt64) -> Bool {
    guard self.generation == generation, self.state == state else { return false }
    return tables.allSatisfy { table in
      if case .entry(let entry) = snapshot.resolve(table.name) { entry.version == table.version } else { false }
    }
  }

  func rows(_ snapshot: QuerySnapshot, _ cancellation: Cancellation?) throws(CacheError) -> CollectedResult {
    defer { park(snapshot) }
    for held in bindings { try held.binding?.resume { (key) throws(CacheError) in try snapshot.entry(key) } }
    return try snapshot.run { () throws(CacheError) in try CollectedResult(try statement.execute(), cancellation: cancellation) }
  }

  /// Whether runs by it, of which this was one, take less than planning anew does.
  func pays(_ seconds: Double) -> Bool {
    guard let plannedSeconds else { return true }
    runCount += 1
    leastSeconds = min(leastSeconds, seconds)
    return leastSeconds < (runCount < Self.triedRuns ? plannedSeconds * Self.firstAllowance : plannedSeconds)
  }

  /// The bindings of before, and those of this run, let go of what they read.
  private func park(_ snapshot: QuerySnapshot) {
    bindings = bindings.filter { $0.binding != nil } + snapshot.bindings.map { WeakBinding(binding: $0) }
    for held in bindings { held.binding?.park() }
  }
}

/// The plans of one session, for its own thread.
struct KeptPlans {
  private static let mostPlans = 16

  private var plans: [[UInt8]: (plan: KeptPlan?, tick: UInt64)] = [:]
  private var tick: UInt64 = 0

  /// nil: nothing is known; `.some(nil)`: the text has no plan that can be used again.
  mutating func find(_ sql: String) -> KeptPlan?? {
    let key = Array(sql.utf8)
    guard let found = plans[key] else { return nil }
    tick += 1
    plans[key] = (found.plan, tick)
    return .some(found.plan)
  }

  mutating func keep(_ plan: KeptPlan?, _ sql: String) {
    if plans.count >= Self.mostPlans, let oldest = plans.min(by: { $0.value.tick < $1.value.tick }) { plans[oldest.key] = nil }
    tick += 1
    plans[Array(sql.utf8)] = (plan, tick)
  }

  mutating func drop(_ sql: String) { plans[Array(sql.utf8)] = nil }
}

extension QueryEngine {
  /// How often a kept plan has been used.
  public var planHits: Int { keeping.planHits.load(ordering: .relaxed) }

  /// The rows of a statement without parameters by a plan that was kept; nil where there is none that still holds.
  func planned(
    _ sql: String, _ parameters: QueryParameters, _ session: Session, _ snapshot: QuerySnapshot, _ cancellation: Cancellation?
  ) throws(CacheError) -> CollectedResult? {
    guard keeping.keepsPlans, case .none = parameters, case .some(.some(let plan)) = session.plans.find(sql) else { return nil }
    guard holds(plan, session, snapshot) else {
      session.plans.drop(sql)
      return nil
    }
    do throws(CacheError) {
      let started = SteadyClock.seconds()
      let rows = try plan.rows(snapshot, cancellation)
      let pays = plan.pays(SteadyClock.seconds() - started)
      if !snapshot.hasBound { keeping.planHits.wrappingAdd(1, ordering: .relaxed) }
      // Where the plan was bound, DuckDB has planned it anew, and would each time.
      if snapshot.hasBound || !pays { session.plans.keep(nil, sql) }
      return rows
    } catch {
      // The statement reads only: it is run once more, as if there had been no plan.
      session.plans.drop(sql)
      guard error.code == .query, cancellation?.isCancelled != true else { throw error }
      return nil
    }
  }

  private func holds(_ plan: KeptPlan, _ session: Session, _ snapshot: QuerySnapshot) -> Bool {
    plan.holds(snapshot, generation: keeping.generation.load(ordering: .acquiring), state: session.state.load(ordering: .acquiring))
  }

  /// What of an earlier run the statement would use now; empty: nothing. Counts as no hit.
  func reuse(of sql: String, _ parameters: QueryParameters) throws(CacheError) -> String {
    if let cache = keeping.cache {
      let key = ResultKey(sql: sql, parameters: parameters, session: currentPool.idleState())
      if cache.holds(key, generation: keeping.generation.load(ordering: .acquiring)) {
        return "\nThe result is kept: query() gives it without running the statement.\n"
      }
    }
    guard keeping.keepsPlans, case .none = parameters else { return "" }
    return try withSession { (session, _) throws(CacheError) in
      guard case .some(.some(let plan)) = session.plans.find(sql), holds(plan, session, QuerySnapshot(store: store)) else { return "" }
      return "\nThe plan is kept: query() on this thread does not plan the statement anew.\n"
    }
  }

  /// Prepares a statement that has been run and may come again.
  ///
  /// - Parameter seconds: what it took.
  func keepPlan(_ sql: String, _ facts: StatementFacts, _ trace: StatementTrace, generation: UInt64, seconds: Double) {
    guard keeping.keepsPlans, let session = trace.session, let snapshot = trace.snapshot else { return }
    let isJudged = engineName == "v2" && snapshot.scans.reduce(0) { $0 + $1.counters.rowsScanned } >= KeptPlan.fewRows
    guard !isJudged || seconds < KeptPlan.mostSeconds else { return }
    _ = currentPool.revisit(session) {
      keepPlan(sql, facts, session, state: trace.state, generation: generation, plannedSeconds: isJudged ? seconds : nil)
    }
  }

  private func keepPlan(_ sql: String, _ facts: StatementFacts, _ session: Session, state: UInt64, generation: UInt64, plannedSeconds: Double?) {
    guard session.plans.find(sql) == nil else { return }
    let hint = ScanHint(sql, .none, ordersAsUsual: ordersAsUsual.load(ordering: .relaxed))
    let snapshot = QuerySnapshot(store: store, hint: hint)
    var plan: KeptPlan?
    do throws(CacheError) {
      let started = SteadyClock.seconds()
      let statement = try snapshot.run { () throws(CacheError) in try session.connection.prepare(sql) }
      let isWorthwhile = plannedSeconds.map { SteadyClock.seconds() - started >= $0 * KeptPlan.leastShare } ?? true
      if isWorthwhile, let statement, let tables = snapshot.versions(of: facts.tables), try PlanOperators.areRepeatable(sql, on: session.connection, store) {
        plan = KeptPlan(statement, snapshot, tables: tables, generation: generation, state: state, plannedSeconds: plannedSeconds)
      }
    } catch {}
    session.plans.keep(plan, sql)
  }
}
