import Glibc
import Synchronization

/// Memory that was freed and that the C library keeps for later use, given back to the system in steps: what has left a cache is to be
/// free for others.
public enum FreedMemory {
  private typealias Trim = @convention(c) (Int) -> Int32

  private static let pending = Atomic(0)
  /// glibc's; nil where the process allocates by another library.
  private static let trim: Trim? = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }

  /// So many bytes have been freed. Once in `step` bytes it gives back what is free, which takes milliseconds: to be called with no lock held.
  public static func note(_ byteCount: Int, step: Int) {
    guard byteCount > 0, pending.wrappingAdd(byteCount, ordering: .relaxed).newValue >= step else { return }
    pending.store(0, ordering: .relaxed)
    _ = trim?(0)
  }
}
