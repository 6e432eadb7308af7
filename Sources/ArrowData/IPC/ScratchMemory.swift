import Glibc
import Primitives

/// Memory that grows with what is wanted of it and does not keep what was in it, on 64 bytes. For one thread at a time.
final class ScratchMemory {
  private var start: UnsafeMutableRawPointer?
  private var byteCount = 0

  deinit { free(start) }

  func room(byteCount wanted: Int) throws(CacheError) -> UnsafeMutableRawPointer {
    if let start, wanted <= byteCount { return start }
    free(start)
    start = nil
    var memory: UnsafeMutableRawPointer?
    guard wanted < Int.max / 2, posix_memalign(&memory, CopyMemory.alignment, max(wanted, CopyMemory.alignment)) == 0, let memory else {
      byteCount = 0
      throw CacheError(.memoryLimit, "needs \(wanted) bytes for a moment and the system has none: free memory or write smaller partitions")
    }
    (start, byteCount) = (memory, wanted)
    return memory
  }
}
