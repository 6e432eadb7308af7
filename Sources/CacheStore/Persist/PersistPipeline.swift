import Glibc
import Primitives

/// Files that are written and made durable, several at a time: what has been written is settled at once by threads that wait for nothing else, so
/// that the disk is at work while the next files are made.
///
/// The caller's thread writes too, and it alone asks whether to cancel. The first failure ends all of it.
final class PersistPipeline: @unchecked Sendable {
  private struct State {
    var nextIndex = 0
    /// Files that are being written.
    var writing = 0
    /// Places for writers besides the caller.
    var seats: Int
    /// Files that have been written and are not being settled.
    var written: [Int] = []
    var failure: CacheError?
  }

  /// Syncs at the same time: file systems settle several for the price of one.
  private static let settlerCount = 8
  private static let pollMillis = 10

  private let count: Int
  private let threadCount: Int
  private let interruption: CacheError
  private let isCancelled: (@Sendable () -> Bool)?
  private let caller = pthread_self()
  private let state: Locked<State>

  /// - Parameters:
  ///   - writerCount: threads that write, the caller's among them.
  ///   - interruption: thrown once `isCancelled` says so.
  init(count: Int, writerCount: Int, interruption: CacheError, isCancelled: (@Sendable () -> Bool)?) {
    (self.count, self.interruption, self.isCancelled) = (count, interruption, isCancelled)
    state = Locked(State(seats: max(1, writerCount) - 1))
    threadCount = min(count, max(1, writerCount) + Self.settlerCount)
  }

  /// Writes every file, by its number, and settles those for which `write` returns true.
  func run(
    write: (Int) throws(CacheError) -> Bool, settle: (Int) throws(CacheError) -> Void
  ) throws(CacheError) {
    try parallel(count: threadCount, threads: threadCount) { _, _ throws(CacheError) in
      if takesSeat() {
        while let index = nextToWrite() {
          let isWritten = noting { () throws(CacheError) in try write(index) } ?? false
          state.signal { state in
            state.writing -= 1
            if isWritten { state.written.append(index) }
          }
        }
      }
      while let index = nextToSettle() { noting { () throws(CacheError) in try settle(index) } }
    }
    // The others may have been done before the caller's thread had its turn.
    if isStopped, let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Whether to stop: for who writes, between two steps.
  var isStopped: Bool {
    if pthread_equal(pthread_self(), caller) != 0, isCancelled?() ?? false { note(interruption) }
    return state.withLock { $0.failure != nil }
  }

  private func takesSeat() -> Bool {
    if pthread_equal(pthread_self(), caller) != 0 { return true }
    return state.withLock { state in
      guard state.seats > 0 else { return false }
      state.seats -= 1
      return true
    }
  }

  private func nextToWrite() -> Int? {
    if isStopped { return nil }
    return state.withLock { state in
      guard state.failure == nil, state.nextIndex < count else { return nil }
      state.nextIndex += 1
      state.writing += 1
      return state.nextIndex - 1
    }
  }

  /// Waits until a file has been written; nil once all are settled or being settled, or something has failed.
  private func nextToSettle() -> Int? {
    let polls = isCancelled != nil && pthread_equal(pthread_self(), caller) != 0
    while !isStopped {
      let found = state.wait(waitMillis: polls ? Self.pollMillis : nil) { state -> Int?? in
        if state.failure != nil { return .some(nil) }
        if !state.written.isEmpty { return state.written.removeFirst() }
        return state.writing == 0 && state.nextIndex == count ? .some(nil) : nil
      }
      if let found { return found }
    }
    return nil
  }

  @discardableResult
  private func noting<Result>(_ body: () throws(CacheError) -> Result) -> Result? {
    do throws(CacheError) {
      return try body()
    } catch {
      note(error)
      return nil
    }
  }

  private func note(_ error: CacheError) { state.signal { state in state.failure = state.failure ?? error } }
}
