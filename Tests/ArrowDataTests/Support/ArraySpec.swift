import ArrowData
import CArrow
import Glibc

/// An array to be, buffer by buffer, as a producer may hand it over: right or wrong.
struct ArraySpec {
  var length: Int64
  var nullCount: Int64 = 0
  var offset: Int64 = 0
  /// nil: a NULL buffer.
  var buffers: [[UInt8]?]
  var children: [ArraySpec] = []
  /// A single element, or none.
  var dictionary: [ArraySpec] = []
  /// What to claim in place of the number of buffers and children.
  var claimedBuffers: Int64?
  var claimedChildren: Int64?
  var hasNullLists = false
  var isReleased = false

  /// Rows of these columns.
  static func table(_ columns: [ArraySpec], length: Int, offset: Int = 0) -> ArraySpec {
    ArraySpec(length: Int64(length), offset: Int64(offset), buffers: [nil], children: columns)
  }

  /// Fills `target`. Every node has memory of its own and counts its release.
  func export(_ counter: ReleaseCounter, to target: UnsafeMutablePointer<ArrowArray>) {
    let box = NodeMemory(counter)
    var node = ArrowArray()
    (node.length, node.null_count, node.offset) = (length, nullCount, offset)
    node.n_buffers = claimedBuffers ?? Int64(buffers.count)
    node.n_children = claimedChildren ?? Int64(children.count)
    if !hasNullLists {
      let pointers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: buffers.count + 1)
      for (index, buffer) in buffers.enumerated() { pointers[index] = buffer.map { box.copy($0) } }
      box.adopt(pointers)
      node.buffers = pointers
      let nodes = UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>.allocate(capacity: children.count + 1)
      for (index, child) in children.enumerated() {
        let below = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
        child.export(counter, to: below)
        nodes[index] = below
      }
      box.adopt(nodes)
      node.children = nodes
    }
    if let values = dictionary.first {
      let below = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
      values.export(counter, to: below)
      node.dictionary = below
    }
    box.children = children.count
    node.private_data = Unmanaged.passRetained(box).toOpaque()
    node.release = releaseNode
    target.initialize(to: node)
    if isReleased { releaseNode(target) }
  }
}

/// The memory of one node; poisoned when it is released, so that a reader that comes too late sees wrong values.
private final class NodeMemory {
  let counter: ReleaseCounter
  var children = 0
  private var blocks: [(UnsafeMutableRawPointer, Int)] = []
  private var lists: [UnsafeMutableRawPointer] = []

  init(_ counter: ReleaseCounter) {
    self.counter = counter
    counter.make()
  }

  deinit {
    for (block, count) in blocks {
      memset(block, 0xdb, count)
      free(block)
    }
    for list in lists { free(list) }
    counter.release()
  }

  /// Exactly as many bytes as there are, so that a sanitizer sees a read beyond them; never on 64 bytes.
  func copy(_ bytes: [UInt8]) -> UnsafeRawPointer {
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, 64, bytes.count + 8) == 0, let block else { fatalError("no memory for a test") }
    bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(block + 8, base, $0.count) } }
    blocks.append((block, bytes.count + 8))
    return UnsafeRawPointer(block + 8)
  }

  func adopt(_ list: UnsafeMutableRawPointer) { lists.append(list) }
}

private func releaseNode(_ array: UnsafeMutablePointer<ArrowArray>?) {
  guard let array, array.pointee.release != nil, let data = array.pointee.private_data else { return }
  let box = Unmanaged<NodeMemory>.fromOpaque(data)
  for index in 0..<box.takeUnretainedValue().children {
    guard let child = array.pointee.children?[index] else { continue }
    child.pointee.release?(child)
    child.deallocate()
  }
  if let values = array.pointee.dictionary {
    values.pointee.release?(values)
    values.deallocate()
  }
  array.pointee.release = nil
  box.release()
}

/// Little-endian bytes of numbers.
func bytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) } }
}

func bytes(_ numbers: [Double]) -> [UInt8] { bytes(numbers.map(\.bitPattern)) }
func bytes(_ numbers: [Float]) -> [UInt8] { bytes(numbers.map(\.bitPattern)) }

/// Bits, the lowest first.
func bytes(_ bits: [Bool]) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
  for (index, bit) in bits.enumerated() where bit { result[index / 8] |= 1 << UInt8(index % 8) }
  return result
}

/// A column of numbers, nil for null, after `offset` values that do not belong to it.
func column<Number: FixedWidthInteger>(_ values: [Number?], offset: Int = 0) -> ArraySpec {
  let junk = [Number](repeating: .max, count: offset)
  let hasNulls = values.contains { $0 == nil }
  return ArraySpec(
    length: Int64(values.count), nullCount: Int64(values.count { $0 == nil }), offset: Int64(offset),
    buffers: [
      hasNulls ? bytes([Bool](repeating: false, count: offset) + values.map { $0 != nil }) : nil, bytes(junk + values.map { $0 ?? .min }),
    ])
}

/// A column of texts (32-bit offsets).
func column(_ values: [String?]) -> ArraySpec {
  var offsets: [Int32] = [0]
  var data: [UInt8] = []
  for value in values {
    data += value.map { Array($0.utf8) } ?? []
    offsets.append(Int32(data.count))
  }
  let hasNulls = values.contains { $0 == nil }
  return ArraySpec(
    length: Int64(values.count), nullCount: Int64(values.count { $0 == nil }),
    buffers: [hasNulls ? bytes(values.map { $0 != nil }) : nil, bytes(offsets), data])
}
