import Primitives

/// Handed to a query so that others can stop it, a time limit can, and so that it can be asked how far it has come. For one query.
public final class Cancellation: @unchecked Sendable {
  enum Reason { case caller, timeLimit }

  private struct State {
    var reason: Reason?
    var interrupt: (() -> Void)?
    var measure: (() -> Double?)?
    var fraction = 0.0
    /// How many calls work on the query at the moment.
    var activeCount = 0
    var spentSeconds = 0.0
  }

  /// How long the query may work on its result, in seconds; nil: as long as it takes. Time between the batches of a stream is not counted.
  public let timeLimitSeconds: Double?
  /// Whether `fraction` will be asked for, which DuckDB has to be told before.
  public let tracksProgress: Bool
  private let state = Locked(State())

  public init(timeLimitSeconds: Double? = nil, tracksProgress: Bool = false) {
    (self.timeLimitSeconds, self.tracksProgress) = (timeLimitSeconds, tracksProgress)
  }

  public var isCancelled: Bool { state.withLock { $0.reason != nil } }
  /// Whether it was the time limit that stopped the query.
  public var hasTimedOut: Bool { state.withLock { $0.reason == .timeLimit } }

  /// How much of the query is done, from 0 to 1: an estimate, which never goes down.
  public var fraction: Double {
    // DuckDB is asked with no lock held; what asks keeps the connection alive.
    let measured = state.withLock { $0.measure }?() ?? 0
    return state.withLock { state in
      if measured > state.fraction { state.fraction = min(1, measured) }
      return state.fraction
    }
  }

  /// Stops the query: at once when it runs, before its start when it does not yet. Any thread, any number of times.
  public func cancel() { stop(.caller) }

  /// Returns whether a call works on the query.
  @discardableResult
  func stop(_ reason: Reason) -> Bool {
    // DuckDB's interrupt only sets a flag, so it may be called under the lock; the lock keeps the connection alive meanwhile.
    state.withLock { state in
      state.reason = state.reason ?? reason
      state.interrupt?()
      return state.activeCount > 0
    }
  }

  func attach(interrupt: @escaping () -> Void, measure: @escaping () -> Double?) throws(CacheError) {
    let isCancelled = state.withLock { state in
      (state.interrupt, state.measure) = (interrupt, measure)
      return state.reason != nil
    }
    if isCancelled { throw CacheError(.interrupted, "the query was interrupted before it started") }
  }

  func detach() {
    // What they hold goes with no lock held.
    let held = state.withLock { state in
      defer { (state.interrupt, state.measure) = (nil, nil) }
      return (state.interrupt, state.measure)
    }
    withExtendedLifetime(held) {}
  }

  func begin() { state.withLock { $0.activeCount += 1 } }

  func end(after seconds: Double) {
    state.withLock { state in
      state.activeCount -= 1
      state.spentSeconds += seconds
    }
  }

  /// nil without a limit.
  var remainingSeconds: Double? {
    timeLimitSeconds.map { limit in max(0, limit - state.withLock { $0.spentSeconds }) }
  }
}
