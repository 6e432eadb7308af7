import Primitives

/// Memory of what callers keep beside entries: it counts against the memory limit, is kept only where there is room, and goes before
/// any entry does.
final class MemoBudget: Sendable {
  private struct State {
    var memoBytes = 0
    var entryBytes = 0
  }

  private let limitBytes: Int?
  private let state = Locked(State())

  init(limitBytes: Int?) { self.limitBytes = limitBytes }

  var memoBytes: Int { state.withLock { $0.memoBytes } }

  /// Takes bytes, which may be negative; false, and nothing taken, where there is no room for them.
  func take(_ byteCount: Int) -> Bool {
    state.withLock { state in
      if byteCount > 0, let limitBytes, limitBytes - state.entryBytes - state.memoBytes < byteCount { return false }
      state.memoBytes &+= byteCount
      return true
    }
  }

  /// Tells what the entries hold.
  func setEntryBytes(_ byteCount: Int) { state.withLock { $0.entryBytes = byteCount } }
}
