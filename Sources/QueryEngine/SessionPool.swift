import Primitives
import Synchronization

/// A connection and the thread it serves: SET, temporary tables and open transactions stay with a thread, as they would with a
/// connection of its own.
final class Session: @unchecked Sendable {
  let connection: any Connection
  let thread: ThreadIdentity
  /// 0 as long as no statement has changed what others on it mean; no two that have are alike.
  let state = Atomic<UInt64>(0)
  /// Whether it is as a new one would be: no statement but single SELECTs has run on it. Changed while it is not idle.
  var isBare = true
  /// For the session's own thread.
  var plans = KeptPlans()
  /// What statements that SQL has prepared read. For the session's own thread.
  var prepared = PreparedBindings()
  /// For the session's own thread.
  var buffer = ResultBuffer()
  /// For the session's own thread.
  var notLate = TextSet()
  /// What it produces while that is read. For the session's own thread.
  weak var live: LiveResult?
  private var functions: (generation: UInt64, names: FunctionNames)?

  init(connection: any Connection) { (self.connection, thread) = (connection, ThreadIdentity.current) }

  /// The functions that its statements see; nil where it does not say. For the session's own thread.
  func functionNames(generation: UInt64) -> FunctionNames? {
    if let functions, functions.generation == generation { return functions.names }
    do throws(CacheError) {
      let names = try FunctionNames.read(connection)
      functions = (generation, names)
      return names
    } catch {
      return nil
    }
  }
}

/// The idle sessions of a database, and those at work.
final class SessionPool: @unchecked Sendable {
  private static let idleLimit = 16

  private struct State {
    var idle: [Session] = []
    var running: [ObjectIdentifier: Session] = [:]
    /// Those whose results are being read.
    var streaming: [ObjectIdentifier: Session] = [:]
    var isClosed = false
  }

  let database: any Database
  let space: TemporarySpace
  let notes: StatementNotes
  private let state = Locked(State())

  init(database: any Database, space: TemporarySpace) {
    (self.database, self.space, notes) = (database, space, StatementNotes(database: database))
  }

  /// `Session.state` of the session that `take` would give.
  func idleState() -> UInt64 {
    let thread = ThreadIdentity.current
    return state.withLock { state in
      let session = state.idle.last { $0.thread === thread } ?? state.streaming.values.first { $0.thread === thread && !$0.isBare }
      return session?.state.load(ordering: .acquiring) ?? 0
    }
  }

  var idleCount: Int { state.withLock { $0.idle.count } }
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// The calling thread's session where a reader has it, and temporary tables, a transaction or settings are missed elsewhere.
  func streamingSession() -> Session? {
    let thread = ThreadIdentity.current
    return state.withLock { state in state.streaming.values.first { $0.thread === thread && !$0.isBare } }
  }

  /// The calling thread's idle session, or a new one.
  func take() throws(CacheError) -> Session {
    let thread = ThreadIdentity.current
    let known = try state.withLock { (state) throws(CacheError) -> Session? in
      if state.isClosed { throw closedError() }
      guard let index = state.idle.lastIndex(where: { $0.thread === thread }) else { return nil }
      let session = state.idle.remove(at: index)
      state.running[ObjectIdentifier(session)] = session
      return session
    }
    if let known { return known }
    let session = Session(connection: try database.connect())
    try state.withLock { (state) throws(CacheError) in
      if state.isClosed { throw closedError() }
      state.running[ObjectIdentifier(session)] = session
    }
    return session
  }

  /// Runs `body` with a session that has been given back; nil where it is at work again for its thread, or closed.
  func revisit<Result>(_ session: Session, _ body: () -> Result) -> Result? {
    let isIdle = state.withLock { state in
      guard !state.isClosed, let index = state.idle.lastIndex(where: { $0 === session }) else { return false }
      state.idle.remove(at: index)
      state.running[ObjectIdentifier(session)] = session
      return true
    }
    guard isIdle else { return nil }
    defer { give(back: session, isBroken: false) }
    return body()
  }

  /// Gives a session back; of more than the limit of idle ones those are closed that nobody misses: of a thread that is no more, or as new as another
  /// would be. Temporary tables, settings and transactions stay with their threads.
  func give(back session: Session, isBroken: Bool) {
    let surplus = state.signal { state -> [Session] in
      state.running[ObjectIdentifier(session)] = nil
      state.streaming[ObjectIdentifier(session)] = nil
      guard !isBroken, !state.isClosed else { return [session] }
      state.idle.append(session)
      var surplus: [Session] = []
      while state.idle.count > SessionPool.idleLimit,
        let index = state.idle.firstIndex(where: \.thread.hasEnded) ?? state.idle.firstIndex(where: \.isBare)
      {
        surplus.append(state.idle.remove(at: index))
      }
      return surplus
    }
    withExtendedLifetime(surplus) {}  // closed here, with no lock held
  }

  /// A session that is streaming a result leaves the pool: `close` does not wait for it.
  func detach(_ session: Session) {
    state.signal { state in
      state.running[ObjectIdentifier(session)] = nil
      state.streaming[ObjectIdentifier(session)] = session
    }
  }

  /// Interrupts what runs, waits for it to end, and closes the idle sessions. Streams that were handed out stay readable.
  func close() {
    let idle = state.withLock { state in
      state.isClosed = true
      let idle = state.idle
      state.idle = []
      state.streaming = [:]
      return idle
    }
    withExtendedLifetime(idle) {}
    while true {
      let running = state.withLock { Array($0.running.values) }
      if running.isEmpty { return }
      // Repeated: a statement that is just about to start does not notice the first.
      running.forEach { $0.connection.interrupt() }
      if state.wait(waitMillis: 10, until: { $0.running.isEmpty ? true : nil }) == true { return }
    }
  }
}

func closedError() -> CacheError { CacheError(.closed, "the cache is closed: open a new one") }
