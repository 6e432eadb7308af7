import CArrow
import Glibc
import Primitives

/// The memory of copied columns: buffers on 64 bytes, nodes and lists of pointers; freed together.
///
/// Buffers are carved out of one block of the expected size, since few large blocks, on huge pages where the system has them,
/// cost a third of the page faults of many small ones; what does not fit gets a block of its own.
final class CopyMemory: ColumnOwner {
  static let alignment = 64
  /// What stands for a buffer of no bytes, so that none is NULL.
  nonisolated(unsafe) static let empty: UnsafeRawPointer = {
    let block = UnsafeMutableRawPointer.allocate(byteCount: alignment, alignment: alignment)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: alignment)
    return UnsafeRawPointer(block)
  }()

  private let expectedBytes: Int
  private let wantsHugePages: Bool
  private var current: (start: UnsafeMutableRawPointer, byteCount: Int)?
  private var used = 0
  private var blocks: [Block] = []
  private var small: [UnsafeMutableRawPointer] = []
  private var kept: [AnyObject] = []

  /// - Parameter wantsHugePages: not for what goes again soon: the system may have to move others' memory to make them.
  init(expectedBytes: Int, wantsHugePages: Bool = true) { (self.expectedBytes, self.wantsHugePages) = (max(0, expectedBytes), wantsHugePages) }

  deinit { for block in small { free(block) } }

  /// Keeps an object as long as this memory.
  func keep(_ object: AnyObject) { kept.append(object) }

  /// A buffer of this many bytes, not initialised, with zeroes up to the next 64 bytes.
  func buffer(byteCount: Int) throws(CacheError) -> UnsafeMutableRawPointer {
    let (rounded, overflow) = byteCount.addingReportingOverflow(Self.alignment - 1)
    guard !overflow, byteCount >= 0 else { throw Block.refused(byteCount) }
    let padded = max(Self.alignment, rounded & ~(Self.alignment - 1))
    let start = try carve(padded)
    memset(start + byteCount, 0, padded - byteCount)
    return start
  }

  private func carve(_ byteCount: Int) throws(CacheError) -> UnsafeMutableRawPointer {
    if blocks.isEmpty, expectedBytes >= byteCount {
      let block = try Block(byteCount: expectedBytes, wantsHugePages: wantsHugePages)
      blocks.append(block)
      current = (block.start, expectedBytes)
    }
    if let current, current.byteCount - used >= byteCount {
      defer { used += byteCount }
      return current.start + used
    }
    let block = try Block(byteCount: byteCount, wantsHugePages: wantsHugePages)
    blocks.append(block)
    return block.start
  }

  /// Room for `count` values, zeroed.
  func zeroed<Value>(_ type: Value.Type, count: Int) throws(CacheError) -> UnsafeMutablePointer<Value> {
    guard let block = calloc(max(1, count), MemoryLayout<Value>.stride) else { throw Block.refused(count * MemoryLayout<Value>.stride) }
    small.append(block)
    return block.bindMemory(to: type, capacity: count)
  }
}

/// One allocation. Large ones are mappings of their own, so that the system has them back as soon as they are freed.
private final class Block {
  private static let hugePage = 2 << 20
  private static let leastMapped = 1 << 20

  let start: UnsafeMutableRawPointer
  /// nil: on the heap.
  private let mappedBytes: Int?

  static func refused(_ byteCount: Int) -> CacheError {
    CacheError(.memoryLimit, "needs \(byteCount) bytes for a copy and the system has none: free memory or put less")
  }

  init(byteCount: Int, wantsHugePages: Bool) throws(CacheError) {
    guard byteCount < Int.max / 2 else { throw Self.refused(byteCount) }
    if byteCount >= Self.leastMapped {
      mappedBytes = byteCount
      start = try Self.map(byteCount, isHuge: wantsHugePages)
    } else {
      mappedBytes = nil
      var block: UnsafeMutableRawPointer?
      guard posix_memalign(&block, CopyMemory.alignment, byteCount) == 0, let block else { throw Self.refused(byteCount) }
      start = block
    }
  }

  deinit {
    if let mappedBytes { munmap(start, mappedBytes) } else { free(start) }
  }

  /// Maps memory that starts on a huge page.
  private static func map(_ byteCount: Int, isHuge: Bool) throws(CacheError) -> UnsafeMutableRawPointer {
    let pageMask = Int(getpagesize()) - 1
    let total = (byteCount + hugePage + pageMask) & ~pageMask
    guard let mapping = mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), mapping != MAP_FAILED else {
      throw refused(byteCount)
    }
    let address = Int(bitPattern: mapping)
    let head = ((address + hugePage - 1) & ~(hugePage - 1)) - address
    let used = (byteCount + pageMask) & ~pageMask
    if head > 0 { munmap(mapping, head) }
    if total > head + used { munmap(mapping + head + used, total - head - used) }
    if isHuge { madvise(mapping + head, used, MADV_HUGEPAGE) }
    return mapping + head
  }
}
