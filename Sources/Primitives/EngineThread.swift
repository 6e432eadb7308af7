import Glibc

/// A thread of the engine's own. It gets no signals from outside: these are for the threads of the program, which know what to do with them.
public struct EngineThread: @unchecked Sendable {
  private let thread: pthread_t

  /// Starts `body`, to be joined or detached once; nil where the system gives no thread. `stackBytes` nil: as the system has it.
  public init?(stackBytes: Int? = nil, _ body: @escaping () -> Void) {
    final class Work {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
    // A new thread inherits the mask of whoever makes it.
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { sigdelset(&blocked, fault) }
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    guard status == 0 else {
      work.release()
      return nil
    }
    self.thread = thread
  }

  /// Waits for its end, unless it is the one that asks.
  public func join() { if pthread_equal(thread, pthread_self()) != 0 { detach() } else { pthread_join(thread, nil) } }

  /// Nobody waits for its end.
  public func detach() { pthread_detach(thread) }
}
