import Glibc
import Primitives
import QueryEngine

/// Which queries of a cache run, and whether it is open: lets `close` interrupt them, wait for them, and come after them.
final class Lifetime: Sendable {
  private struct State {
    var isClosed = false
    var startedCount = 0
    var running: [Int: (thread: pthread_t, cancellation: Cancellation)] = [:]
    /// What is left to do when the last query has ended.
    var tearDown: (() -> Void)?
    var isTornDown = false
  }

  private let state = Locked(State())

  var isClosed: Bool { state.withLock { $0.isClosed } }
  var running: [Cancellation] { state.withLock { $0.running.values.map(\.cancellation) } }
  var startedCount: Int { state.withLock { $0.startedCount } }

  /// A number to `end` with; nil once the cache is closed.
  func begin(_ cancellation: Cancellation) -> Int? {
    state.withLock { (state: inout State) -> Int? in
      guard !state.isClosed else { return nil }
      state.startedCount += 1
      state.running[state.startedCount] = (pthread_self(), cancellation)
      return state.startedCount
    }
  }

  func end(_ number: Int) {
    let tearDown = state.withLock { (state: inout State) -> (() -> Void)? in
      state.running[number] = nil
      guard state.running.isEmpty else { return nil }
      return state.tearDown.take()
    }
    if let tearDown { finish(tearDown) }
  }

  /// Blocks until `tearDown` has run, once and after every query; only asks for it where this thread is in a query itself.
  func close(_ tearDown: @escaping () -> Void) {
    let (cancellations, now, isInside) = state.withLock { state in
      let isFirst = !state.isClosed
      state.isClosed = true
      let isInside = state.running.values.contains { $0.thread == pthread_self() }
      guard isFirst else { return ([Cancellation](), false, isInside) }
      if !state.running.isEmpty { state.tearDown = tearDown }
      return (state.running.values.map(\.cancellation), state.running.isEmpty, isInside)
    }
    cancellations.forEach { $0.cancel() }
    if now { return finish(tearDown) }
    // Again and again: a statement that is just about to start does not notice.
    while !isInside, state.wait(waitMillis: 10, until: { $0.isTornDown ? true : nil }) == nil {
      cancellations.forEach { $0.cancel() }
    }
  }

  private func finish(_ tearDown: () -> Void) {
    tearDown()
    state.signal { $0.isTornDown = true }
  }
}
