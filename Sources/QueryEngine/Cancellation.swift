import Primitives

/// Handed to a query so that another thread can stop it.
public final class Cancellation: @unchecked Sendable {
  private struct State {
    var isCancelled = false
    var interrupt: (() -> Void)?
  }

  private let state = Locked(State())

  public init() {}

  public var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Stops the query: at once when it runs, before its start when it does not yet. Any thread, any number of times.
  public func cancel() {
    // DuckDB's interrupt only sets a flag, so it may be called under the lock; the lock keeps the connection alive meanwhile.
    state.withLock { state in
      state.isCancelled = true
      state.interrupt?()
    }
  }

  func attach(_ interrupt: @escaping () -> Void) throws(CacheError) {
    let cancelled = state.withLock { state in
      state.interrupt = interrupt
      return state.isCancelled
    }
    if cancelled { throw CacheError(.interrupted, "the query was interrupted before it started") }
  }

  func detach() { state.withLock { $0.interrupt = nil } }
}
