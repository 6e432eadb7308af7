import Glibc
import Synchronization

/// Which process this is, without a system call: what a cache looks at in every call.
public enum ProcessIdentity {
  /// As `getpid()` says it, also after `fork`.
  public static var current: Int32 { remembered.load(ordering: .relaxed) }

  private static let remembered: Atomic<Int32> = {
    pthread_atfork(nil, nil) { ProcessIdentity.remembered.store(getpid(), ordering: .relaxed) }
    return Atomic(getpid())
  }()
}
