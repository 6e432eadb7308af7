import Primitives

/// Stops queries when their time is up, on a thread of its own: started for the first query that has a limit, ended when none has had one
/// for a while.
final class QueryStopper: Sendable {
  private struct Watched {
    let cancellation: Cancellation
    let reason: Cancellation.Reason
    var due: Double
  }

  private struct State {
    var watched: [ObjectIdentifier: Watched] = [:]
    var hasThread = false
    /// When the thread looks next.
    var wakesAt = 0.0
  }

  /// A statement that is just about to start does not notice an interrupt: it is repeated until the query has ended.
  private static let repeatSeconds = 0.01
  private static let idleSeconds = 1.0
  private static let longestSeconds = 1e6
  private let state = Locked(State())

  /// Runs `body`, a part of the query's work, within what is left of its time.
  func run<Result>(_ cancellation: Cancellation?, _ body: () throws(CacheError) -> Result) throws(CacheError) -> Result {
    guard let cancellation else { return try body() }
    cancellation.begin()
    let start = SteadyClock.seconds()
    defer {
      cancellation.end(after: SteadyClock.seconds() - start)
      state.withLock { state in _ = state.watched.removeValue(forKey: ObjectIdentifier(cancellation)) }
    }
    if let seconds = cancellation.remainingSeconds { try stop(cancellation, .timeLimit, after: seconds) }
    do { return try body() } catch {
      guard error.code == .interrupted, cancellation.hasTimedOut, let limit = cancellation.timeLimitSeconds else { throw error }
      throw CacheError(
        .timeout,
        "the query was stopped at its time limit of \(limit) s: raise timeout (query_timeout in the configuration), or have the query read or return less")
    }
  }

  /// Stops a query that runs now. Returns at once.
  func stop(_ cancellation: Cancellation) throws(CacheError) {
    if cancellation.stop(.caller) { try stop(cancellation, .caller, after: Self.repeatSeconds) }
  }

  private func stop(_ cancellation: Cancellation, _ reason: Cancellation.Reason, after seconds: Double) throws(CacheError) {
    let due = SteadyClock.seconds() + min(seconds, Self.longestSeconds)
    let (starts, wakes) = state.withLock { state in
      state.watched[ObjectIdentifier(cancellation)] = Watched(cancellation: cancellation, reason: reason, due: due)
      defer { state.hasThread = true }
      return (!state.hasThread, due < state.wakesAt)
    }
    if starts {
      if let thread = EngineThread({ [self] in work() }) { return thread.detach() }
      state.withLock { state in
        state.hasThread = false
        state.watched[ObjectIdentifier(cancellation)] = nil
      }
      throw CacheError(.query, "the system gives no thread that could watch the time limit: end other threads, or run the query without a limit")
    }
    if wakes { state.signal { _ in } }
  }

  private func work() {
    repeat {
      let now = SteadyClock.seconds()
      for watched in state.withLock({ state in state.watched.values.filter { $0.due <= now } }) {
        let isActive = watched.cancellation.stop(watched.reason)
        state.withLock { state in
          let id = ObjectIdentifier(watched.cancellation)
          // Its next batch may be asked for by now, with a limit of its own.
          guard state.watched[id]?.due == watched.due else { return }
          if isActive { state.watched[id]?.due = now + Self.repeatSeconds } else { state.watched[id] = nil }
        }
      }
    } while rest()
  }

  /// Blocks until there is something to do; false once there has been nothing for a while.
  private func rest() -> Bool {
    let now = SteadyClock.seconds()
    let (pause, isIdle) = state.withLock { state in
      let due = state.watched.values.lazy.map(\.due).min()
      state.wakesAt = min(due ?? .infinity, now + (due == nil ? Self.idleSeconds : Self.longestSeconds))
      return (state.wakesAt - now, due == nil)
    }
    let isWoken = state.wait(waitMillis: max(0, Int(pause * 1000) + 1)) { state in
      state.watched.values.contains { $0.due < state.wakesAt } ? true : nil
    }
    return state.withLock { state in
      if isWoken == nil, isIdle, state.watched.isEmpty { state.hasThread = false }
      return state.hasThread
    }
  }
}
