import Primitives

/// Counts what has been handed out to a consumer and what of it has been released.
final class ReleaseCounter: Sendable {
  private let counts = Locked((made: 0, released: 0))
  /// Called with every release, on the thread that releases.
  private let onRelease: (@Sendable () -> Void)?

  init(onRelease: (@Sendable () -> Void)? = nil) { self.onRelease = onRelease }

  func make() { counts.withLock { $0.made += 1 } }

  func release() {
    counts.withLock { $0.released += 1 }
    onRelease?()
  }

  var madeCount: Int { counts.withLock { $0.made } }
  /// 0 once everything has been released exactly once.
  var live: Int { counts.withLock { $0.made - $0.released } }
}
