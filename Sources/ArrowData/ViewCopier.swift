import CArrow
import Primitives

/// Copies an array of string or binary views. A view is 16 bytes: the length, then either up to 12 bytes of the value, or its
/// first four bytes, the number of a data buffer and an offset in it.
///
/// Where the values of the range are less than all data buffers, they are moved together; else the buffers are copied as they are.
struct ViewCopier {
  private static let inlineBytes = 12

  private let array: ArrowArray
  private let from: Int
  private let count: Int
  private let copier: ArrayCopier
  private let isCompacted: Bool
  /// Sizes of the copy's data buffers.
  private let sizes: [Int]

  var dataCount: Int { sizes.count }

  /// No data buffer becomes larger than `bufferLimit`: offsets in views have 32 bits.
  init(
    _ array: ArrowArray, from: Int, count: Int, copier: ArrayCopier, bufferLimit: Int = Int(Int32.max)
  ) throws(CacheError) {
    (self.array, self.from, self.count, self.copier) = (array, from, count, copier)
    let whole = (0..<array.variadicCount).map { array.variadicSize($0) }
    var compacted: [Int] = []
    var current = 0
    var total = 0
    try Self.eachLong(array, from: from, count: count, copier: copier) { _, _, length in
      if current + length > bufferLimit {
        compacted.append(current)
        current = 0
      }
      current += length
      total = total.addingSaturated(length)
    }
    if current > 0 { compacted.append(current) }
    isCompacted = total < whole.reduce(0) { $0.addingSaturated($1) }
    sizes = isCompacted ? compacted : whole
  }

  func finish(into node: ArrowArray) throws(CacheError) {
    let views = try copier.bytes(array.buffer(1), from: from * 16, byteCount: count * 16)
    node.buffers?[1] = views
    var blocks: [UnsafeMutableRawPointer] = []
    for (index, size) in sizes.enumerated() {
      let block = try copier.memory.buffer(byteCount: size)
      node.buffers?[2 + index] = UnsafeRawPointer(block)
      blocks.append(block)
      if !isCompacted, size > 0, let source = array.buffer(2 + index) { block.copyMemory(from: source, byteCount: size) }
    }
    node.buffers?[2 + sizes.count] = try copier.block(byteCount: sizes.count * 8) { target in
      for (index, size) in sizes.enumerated() { target.storeBytes(of: Int64(size), toByteOffset: index * 8, as: Int64.self) }
    }
    guard count > 0 else { return }
    let target = UnsafeMutableRawPointer(mutating: views)
    clearNulls(target)
    guard isCompacted else { return }
    var buffer = 0
    var position = 0
    try Self.eachLong(array, from: from, count: count, copier: copier) { index, bytes, length in
      if position + length > sizes[buffer] {
        buffer += 1
        position = 0
      }
      (blocks[buffer] + position).copyMemory(from: bytes, byteCount: length)
      target.storeBytes(of: Int32(truncatingIfNeeded: buffer), toByteOffset: (index - from) * 16 + 8, as: Int32.self)
      target.storeBytes(of: Int32(truncatingIfNeeded: position), toByteOffset: (index - from) * 16 + 12, as: Int32.self)
      position += length
    }
  }

  /// Views of nulls may hold anything: make them empty, so that none refers to a buffer that the copy does not have.
  private func clearNulls(_ target: UnsafeMutableRawPointer) {
    guard array.null_count != 0, let validity = array.buffer(0) else { return }
    for index in 0..<count where !Self.isValid(validity, from + index) {
      (target + index * 16).initializeMemory(as: UInt8.self, repeating: 0, count: 16)
    }
  }

  private static func isValid(_ validity: UnsafeRawPointer, _ index: Int) -> Bool {
    validity.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(index & 7) & 1 == 1
  }

  /// Calls `body` with index, bytes and length of each value that lies in a data buffer, after checking that it does.
  private static func eachLong(
    _ array: ArrowArray, from: Int, count: Int, copier: ArrayCopier, _ body: (Int, UnsafeRawPointer, Int) -> Void
  ) throws(CacheError) {
    guard count > 0, let views = array.buffer(1) else { return }
    let validity = array.null_count == 0 ? nil : array.buffer(0)
    for index in from..<(from + count) {
      let length = Int(views.loadUnaligned(fromByteOffset: index * 16, as: Int32.self))
      if (0...inlineBytes).contains(length) { continue }
      if let validity, !isValid(validity, index) { continue }
      let buffer = Int(views.loadUnaligned(fromByteOffset: index * 16 + 8, as: Int32.self))
      let offset = Int(views.loadUnaligned(fromByteOffset: index * 16 + 12, as: Int32.self))
      guard length > 0, buffer >= 0, buffer < array.variadicCount, offset >= 0, offset + length <= array.variadicSize(buffer),
        let data = array.buffer(2 + buffer)
      else { throw copier.broken("has a view of \(length) bytes from \(offset) of data buffer \(buffer)") }
      body(index, data + offset, length)
    }
  }
}
