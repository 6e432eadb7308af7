import Glibc

/// State behind a pthread mutex and a condition variable.
///
/// Not `Synchronization.Mutex`: that one gives false reports under ThreadSanitizer and has no condition variable.
/// Never call out of the engine (I/O, DuckDB, an Arrow `release`) inside a body.
public final class Locked<State>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  public init(_ state: State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  public func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Changes the state and wakes every waiter.
  public func signal<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
    return body(&state)
  }

  /// Blocks until `body` returns a value, asking again after every `signal`; nil once `waitMillis` have passed.
  public func wait<Result>(waitMillis: Int? = nil, until body: (inout State) -> Result?) -> Result? {
    var deadline = timespec()
    if let waitMillis {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      let nanos = deadline.tv_nsec + (waitMillis % 1000) * 1_000_000
      deadline.tv_sec += waitMillis / 1000 + nanos / 1_000_000_000
      deadline.tv_nsec = nanos % 1_000_000_000
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      if waitMillis == nil {
        pthread_cond_wait(condition, mutex)
      } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        return body(&state)
      }
    }
  }
}
