import ArrowCache
import Glibc
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
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // As much as a main thread has: DuckDB parses nested expressions recursively.
    pthread_attr_setstacksize(&attributes, 8 << 20)

    // Signals are for threads that act on them. A new thread inherits the mask of whoever makes it.
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { sigdelset(&blocked, fault) }
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    var thread = pthread_t()
    let handle = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, &attributes,
      { handle in
        if let handle { Unmanaged<Worker>.fromOpaque(handle).takeRetainedValue().work() }
        return nil
      }, handle.toOpaque())
    guard code == 0 else {
      handle.release()
      return nil
    }
  }

  private func work() {
    repeat {
      next.wait { $0.take() }?.run()
    } while !runsOnce
  }
}
