/// Calls `body` once for each index below `count`, on up to `threads` threads, the caller's among them, and returns when all calls
/// have; an error keeps calls that have not begun from beginning, and is thrown then.
///
/// `body` gets the number of its thread, below `threads`, and the index: what it keeps for each thread it need not lock.
/// Threads that the system refuses are done without.
public func parallel(
  count: Int, threads: Int, _ body: (_ thread: Int, _ index: Int) throws(CacheError) -> Void
) throws(CacheError) {
  guard threads > 1, count > 1 else {
    for index in 0..<max(0, count) { try body(0, index) }
    return
  }
  let failure = withoutActuallyEscaping(body) { body in
    let work = ParallelWork(count: count, body)
    let helpers = (1..<min(threads, count)).compactMap { _ in EngineThread { work.run() } }
    work.run()
    for helper in helpers { helper.join() }
    return work.failure
  }
  if let failure { throw failure }
}

private final class ParallelWork: @unchecked Sendable {
  private struct State {
    var nextIndex = 0
    var nextThread = 0
    var failure: CacheError?
  }

  private let count: Int
  private let body: (Int, Int) throws(CacheError) -> Void
  private let state = Locked(State())

  init(count: Int, _ body: @escaping (Int, Int) throws(CacheError) -> Void) { (self.count, self.body) = (count, body) }

  var failure: CacheError? { state.withLock { $0.failure } }

  func run() {
    let thread = state.withLock { state in
      defer { state.nextThread += 1 }
      return state.nextThread
    }
    while let index = takeIndex() {
      do throws(CacheError) {
        try body(thread, index)
      } catch {
        state.withLock { state in if state.failure == nil { state.failure = error } }
      }
    }
  }

  private func takeIndex() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.nextIndex < count else { return nil }
      defer { state.nextIndex += 1 }
      return state.nextIndex
    }
  }
}
