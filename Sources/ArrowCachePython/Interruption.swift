import ArrowCache
import CPython

// How Ctrl-C and other signals reach a call that takes long. Python runs its handlers on its main thread alone, which is the
// process's where Python is the program; elsewhere calls are not interrupted by signals.

func isMainThread() -> Bool { PyThread_get_thread_native_id() == UInt(ProcessIdentity.current) }

/// How long a signal may wait, in milliseconds.
let signalWaitMillis = 10

/// Runs `body` on a worker thread while this one, Python's main thread with the interpreter's lock, looks for signals. A handler that raises
/// (Ctrl-C) cancels: its exception is returned once `body` has ended. False where there is no thread to be had: nothing has been run.
private func watched(_ cancellation: Cancellation, _ raised: inout RaisedException?, _ body: @escaping () -> Void) -> Bool {
  // The worker's statements are this thread's: they share its session.
  let identity = ThreadIdentity.current
  let job = Job { ThreadIdentity.run(as: identity, body) }
  guard let worker = Worker.start(job) else { return false }
  defer { worker.release() }
  while !unlocked({ job.wait(waitMillis: signalWaitMillis) }) {
    guard PyErr_CheckSignals() != 0 else { continue }
    raised = .fetch()
    // Again and again: a statement that is just about to start does not notice.
    unlocked { repeat { cancellation.cancel() } while !job.wait(waitMillis: signalWaitMillis) }
    return true
  }
  return true
}

/// Runs a query so that a signal stops it. What a query that was stopped had made all the same is left to `discard`.
func interruptible<Result>(
  _ cancellation: Cancellation, discard: (Result) -> Void = { _ in },
  _ body: @escaping () throws(CacheError) -> Result
) throws(Failure) -> Result {
  guard isMainThread() else { return try engine(body) }
  var outcome: Swift.Result<Result, CacheError>?
  var raised: RaisedException?
  guard watched(cancellation, &raised, { outcome = resultOf(body) }), let outcome else { return try engine(body) }
  if let raised {
    if case .success(let result) = outcome { unlocked { discard(result) } }
    raised.restore()
    throw .raised
  }
  do { return try outcome.get() } catch { throw .cache(error) }
}

/// How a streaming result is read so that a signal stops it. Whoever reads it (pyarrow) gets an error, and Python raises the handler's
/// exception at its next step.
func interruptiblePull(_ cancellation: Cancellation) -> StreamRelay.Pull {
  { next in
    guard isMainThread(), Py_IsInitialized() != 0 else { return next() }
    // The reader may or may not hold the interpreter's lock.
    let state = PyGILState_Ensure()
    defer { PyGILState_Release(state) }
    var status: Int32?
    var raised: RaisedException?
    guard watched(cancellation, &raised, { status = next() }), let status else { return unlocked(next) }
    raised?.raiseSoon()
    return status
  }
}

func resultOf<Result>(_ body: () throws(CacheError) -> Result) -> Swift.Result<Result, CacheError> {
  do { return .success(try body()) } catch { return .failure(error) }
}
