import Glibc

/// Where the engine gets the time from; tests put a clock of their own in its place.
public protocol Clock: Sendable {
  /// Seconds since 1970.
  func now() -> Double
}

public struct SystemClock: Clock {
  public init() {}

  public func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// For durations.
public enum SteadyClock {
  /// Seconds since an instant that stays the same as long as the machine runs.
  public static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// A clock that stands still until it is moved.
public final class ManualClock: Clock {
  private let seconds: Locked<Double>

  public init(_ seconds: Double = 1_700_000_000) { self.seconds = Locked(seconds) }
  public func now() -> Double { seconds.withLock { $0 } }
  public func advance(by step: Double) { seconds.withLock { $0 += step } }
}
