import ArrowCache
import Primitives

/// A piece of work for another thread, and whether it is done.
final class Job: @unchecked Sendable {
  private let body: () -> Void
  private let isDone = Locked(false)

  init(_ body: @escaping () -> Void) { self.body = body }

  fileprivate func run() {
    body()
    isDone.signal { $0 = true }
  }

  /// Blocks until the work is done; false once `waitMillis` have passed.
  func wait(waitMillis: Int? = nil) -> Bool { isDone.wait(waitMillis: waitMillis) { $0 ? true : nil } ?? false }
}

/// A thread that runs jobs. Used by Python's main thread alone, with the interpreter's lock held.
final class Worker: @unchecked Sendable {
  private let next = Locked<Job?>(nil)
  private let runsOnce: Bool
  private let processID = ProcessIdentity.current
  private var isBusy = false

  // Guarded by the interpreter's lock.
  nonisolated(unsafe) private static var parked: Worker?

  /// Starts `job` on the parked thread, or on a fresh one while that is busy: a signal handler may query while a query is waited for.
  /// Nil where the system gives no thread. Call `release` when the job is done.
  static func start(_ job: Job) -> Worker? {
    // A forked child has not inherited the thread.
    if parked == nil || parked?.processID != ProcessIdentity.current { parked = Worker(runsOnce: false) }
    guard let parked, let worker = parked.isBusy ? Worker(runsOnce: true) : parked else { return nil }
    worker.isBusy = true
    worker.next.signal { $0 = job }
    return worker
  }

  func release() { isBusy = false }

  private init?(runsOnce: Bool) {
    self.runsOnce = runsOnce
    // As much as a main thread has: DuckDB parses nested expressions recursively.
    guard let thread = EngineThread(stackBytes: 8 << 20, { [self] in work() }) else { return nil }
    thread.detach()
  }

  private func work() {
    repeat {
      next.wait { $0.take() }?.run()
    } while !runsOnce
  }
}
