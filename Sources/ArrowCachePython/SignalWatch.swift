import ArrowCache
import CPython
import Primitives

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

  /// The same, for what asks whether to go on. Other threads than the one that runs are told so.
  var isCancelled: (@Sendable () -> Bool)? {
    guard isActive else { return nil }
    nonisolated(unsafe) let watch = self
    return {
      guard isMainThread() else { return false }
      do throws(CacheError) {
        try watch.check()
        return false
      } catch {
        return true
      }
    }
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

  private static func monotonicMillis() -> Int { Int(SteadyClock.seconds() * 1000) }
}

/// Whether Ctrl-C ended a Python producer: all that comes through an Arrow stream is the text of the exception.
private func isKeyboardInterrupt(_ error: CacheError) -> Bool {
  guard error.code == .stream, let words = error.cause else { return false }
  return words.split(separator: "\n").last == "KeyboardInterrupt"
}
