import Glibc
import Synchronization

/// A thread of the process, told from all others before and after it: the system's own numbers are used again. A thread's session goes by it.
public final class ThreadIdentity: Sendable {
  private let isOver = Atomic(false)

  /// Whether the thread is no more.
  public var hasEnded: Bool { isOver.load(ordering: .acquiring) }

  /// Runs `body` as if another thread did, which waits for it.
  public static func run(as identity: ThreadIdentity, _ body: () -> Void) {
    let own = pthread_getspecific(slot)
    pthread_setspecific(slot, Unmanaged.passUnretained(identity).toOpaque())
    defer { pthread_setspecific(slot, own) }
    withExtendedLifetime(identity, body)
  }

  public static var current: ThreadIdentity {
    if let known = pthread_getspecific(slot) { return Unmanaged<ThreadIdentity>.fromOpaque(known).takeUnretainedValue() }
    let identity = ThreadIdentity()
    pthread_setspecific(slot, Unmanaged.passRetained(identity).toOpaque())
    return identity
  }

  private static let slot: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { held in
      guard let held else { return }
      let identity = Unmanaged<ThreadIdentity>.fromOpaque(held).takeRetainedValue()
      identity.isOver.store(true, ordering: .releasing)
    }
    return key
  }()
}
