import Glibc

/// Runs `body` on a thread of its own, which gets no signals and that nobody waits for. False where the system gives no thread.
public func startBackgroundThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  // A new thread inherits the mask of whoever makes it.
  var all = sigset_t()
  var before = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

  let work = Unmanaged.passRetained(BackgroundWork(body))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, &attributes,
    { work in
      if let work { Unmanaged<BackgroundWork>.fromOpaque(work).takeRetainedValue().body() }
      return nil
    }, work.toOpaque())
  if status != 0 { work.release() }
  return status == 0
}

private final class BackgroundWork: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
