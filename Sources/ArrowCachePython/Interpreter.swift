import CPython
import Primitives

/// A Python object as CPython's functions take and give it. Borrowed unless the place says otherwise.
typealias Object = UnsafeMutablePointer<PyObject>

/// A reference that this code owns: given back when it goes out of scope, unless it is handed on with `take`.
struct Owned: ~Copyable {
  let object: Object

  /// What a CPython function returned: nil means that it has set Python's error indicator.
  init(_ object: Object?) throws(Failure) {
    guard let object else { throw .raised }
    self.object = object
  }

  deinit { Py_DecRef(object) }

  consuming func take() -> Object {
    let object = object
    discard self
    return object
  }
}

/// Runs `body` without the interpreter's lock, so that other Python threads go on and releases of foreign buffers can take it.
func unlocked<Result, Problem: Error>(_ body: () throws(Problem) -> Result) throws(Problem) -> Result {
  let thread = PyEval_SaveThread()
  defer { PyEval_RestoreThread(thread) }
  return try body()
}

/// Runs a call of the engine without the interpreter's lock.
func engine<Result>(_ body: () throws(CacheError) -> Result) throws(Failure) -> Result {
  do { return try unlocked(body) } catch { throw .cache(error) }
}

/// Runs a call of the engine with the interpreter's lock held, for calls that take no longer than giving the lock away would.
///
/// Such a call may wait for a lock of the engine. That cannot deadlock: no body under a lock of the engine calls out of it (the rule of
/// `Locked`), so whoever holds that lock never waits for the interpreter's. Giving the interpreter's lock away costs up to its switch
/// interval (5 ms) each time while another thread is busy in Python.
func briefly<Result>(_ body: () throws(CacheError) -> Result) throws(Failure) -> Result {
  do { return try body() } catch { throw .cache(error) }
}

/// A Python exception that has been taken out of the error indicator, to be put back later.
struct RaisedException {
  private var type: Object?
  private var value: Object?
  private var traceback: Object?

  static func fetch() -> RaisedException {
    var raised = RaisedException()
    PyErr_Fetch(&raised.type, &raised.value, &raised.traceback)
    return raised
  }

  /// Sets the error indicator. Once only: the references go with it.
  func restore() { PyErr_Restore(type, value, traceback) }

  /// Has the main thread raise the exception as soon as it runs Python code. Once only.
  func raiseSoon() {
    let exception = UnsafeMutablePointer<RaisedException>.allocate(capacity: 1)
    exception.initialize(to: self)
    let code = Py_AddPendingCall(
      { exception in
        guard let exception = exception?.assumingMemoryBound(to: RaisedException.self) else { return 0 }
        exception.pointee.restore()
        exception.deallocate()
        return -1
      }, exception)
    if code != 0 { exception.deallocate() }  // there are too many already that wait
  }
}
