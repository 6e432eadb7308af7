import ArrowCache
import CPython
import Glibc

// How Ctrl-C and other signals reach a call that takes long. Python runs its handlers on its main thread alone, which is the
// process's where Python is the program; elsewhere calls are not interrupted by signals.

func isMainThread() -> Bool { PyThread_get_thread_native_id() == UInt(ProcessIdentity.current) }

/// How long a signal may wait, in milliseconds.
private let signalWaitMillis = 10

/// Runs `body` on a worker thread while this one, Python's main thread with the interpreter's lock, looks for signals. A handler that raises
/// (Ctrl-C) cancels: its exception is returned once `body` has ended. False where there is no thread to be had: nothing has been run.
private func watched(_ cancellation: Cancellation, _ raised: inout RaisedException?, _ body: @escaping () -> Void) -> Bool {
  let job = Job(body)
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
    return raised == nil ? status : ECANCELED
  }
}

private func resultOf<Result>(_ body: () throws(CacheError) -> Result) -> Swift.Result<Result, CacheError> {
  do { return .success(try body()) } catch { return .failure(error) }
}

/// Looks for signals while a call of the engine runs on the main thread itself: where data is pulled from Python's own producers, some of
/// which (an SQLite cursor, anything thread-local) work on the thread alone that made them.
final class SignalWatch {
  private var thread: UnsafeMutableRawPointer?
  private var raised: RaisedException?
  private var nextMillis = 0
  private let isActive = isMainThread()

  /// Runs `body` without the interpreter's lock. An exception that a signal handler raised meanwhile comes before what `body` throws.
  func run<Result>(_ body: () throws(CacheError) -> Result) throws(Failure) -> Result {
    nextMillis = Self.monotonicMillis() + signalWaitMillis
    thread = PyEval_SaveThread()
    let outcome = resultOf(body)
    PyEval_RestoreThread(thread)
    if let raised {
      raised.restore()
      throw .raised
    }
    do { return try outcome.get() } catch {
      // The stream may have been one of ours, which a signal has ended.
      if isActive, Py_MakePendingCalls() != 0 { throw .raised }
      throw isKeyboardInterrupt(error) ? .keyboardInterrupt : .cache(error)
    }
  }

  /// To be called between the steps of what runs; nil on other threads, which never get signals.
  var checkpoint: (() throws(CacheError) -> Void)? {
    isActive ? { [unowned self] () throws(CacheError) in try check() } : nil
  }

  /// Inside of `run`: throws when a signal handler raised. Costs a look at the clock unless some time has passed.
  private func check() throws(CacheError) {
    guard Self.monotonicMillis() >= nextMillis else { return }
    PyEval_RestoreThread(thread)
    defer { thread = PyEval_SaveThread() }
    if PyErr_CheckSignals() != 0 {
      raised = .fetch()
      throw CacheError(.interrupted, "a signal stopped the call")
    }
    nextMillis = Self.monotonicMillis() + signalWaitMillis
  }

  private static func monotonicMillis() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}

/// Whether Ctrl-C ended a Python producer: all that comes through an Arrow stream is the text of the exception.
private func isKeyboardInterrupt(_ error: CacheError) -> Bool {
  guard error.code == .stream, let words = error.cause else { return false }
  return words.split(separator: "\n").last == "KeyboardInterrupt"
}
