import CArrow
import Glibc
import Primitives

/// The memory of a copied column: buffers on 64 bytes, nodes and lists of pointers; freed together.
final class ColumnMemory {
  static let alignment = 64
  /// What stands for a buffer of no bytes, so that none is NULL.
  nonisolated(unsafe) static let empty: UnsafeRawPointer = {
    let block = UnsafeMutableRawPointer.allocate(byteCount: alignment, alignment: alignment)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: alignment)
    return UnsafeRawPointer(block)
  }()

  private var blocks: [UnsafeMutableRawPointer] = []
  private var kept: [AnyObject] = []

  deinit { for block in blocks { free(block) } }

  /// Keeps an object as long as this memory.
  func keep(_ object: AnyObject) { kept.append(object) }

  /// A buffer of this many bytes, not initialised, with zeroes up to the next 64 bytes.
  func buffer(byteCount: Int) throws(CacheError) -> UnsafeMutableRawPointer {
    let (padded, overflow) = byteCount.addingReportingOverflow(Self.alignment - 1)
    let total = max(Self.alignment, padded & ~(Self.alignment - 1))
    var block: UnsafeMutableRawPointer?
    guard !overflow, byteCount >= 0, posix_memalign(&block, Self.alignment, total) == 0, let block else {
      throw CacheError(.memoryLimit, "needs \(byteCount) bytes for a copy of a column and the system has none: free memory or put less")
    }
    blocks.append(block)
    memset(block + byteCount, 0, total - byteCount)
    return block
  }

  /// Room for `count` values, zeroed.
  func zeroed<Value>(_ type: Value.Type, count: Int) throws(CacheError) -> UnsafeMutablePointer<Value> {
    guard count > 0 else { return try buffer(byteCount: 0).assumingMemoryBound(to: type) }
    guard let block = calloc(count, MemoryLayout<Value>.stride) else {
      throw CacheError(.memoryLimit, "needs \(count) pointers for a copy of a column and the system has no memory: free some or put less")
    }
    blocks.append(block)
    return block.bindMemory(to: type, capacity: count)
  }
}
