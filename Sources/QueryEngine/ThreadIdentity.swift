import Glibc
import Synchronization

/// A number that no two threads of the process ever share; the system's own are used again for later threads. A thread's session goes by it.
public enum ThreadIdentity {
  /// Runs `body` as if another thread did, which waits for it.
  public static func run(as identity: UInt64, _ body: () -> Void) {
    let own = current
    pthread_setspecific(slot, UnsafeRawPointer(bitPattern: UInt(identity)))
    defer { pthread_setspecific(slot, UnsafeRawPointer(bitPattern: UInt(own))) }
    body()
  }

  public static var current: UInt64 {
    if let known = pthread_getspecific(slot) { return UInt64(UInt(bitPattern: known)) }
    let identity = last.wrappingAdd(1, ordering: .relaxed).newValue
    pthread_setspecific(slot, UnsafeRawPointer(bitPattern: UInt(identity)))
    return identity
  }

  private static let last = Atomic<UInt64>(0)
  private static let slot: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()
}
