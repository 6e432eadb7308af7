import CArrow
import Glibc
import Primitives

/// Copies a range of an array's values, and only what they reach, into memory of its own; the copy starts at offset 0.
struct ArrayCopier {
  let memory: CopyMemory
  let dictionaries: DictionaryCopies
  /// What keeps the array that is copied.
  let source: AnyObject
  /// For messages.
  let column: String

  func broken(_ what: String) -> CacheError { CacheError(.stream, "column '\(column)' \(what)") }

  /// A copy of `count` values of a validated array, from element `from` of its buffers.
  func copy(_ field: Field, _ array: ArrowArray, from: Int, count: Int) throws(CacheError) -> ArrowArray {
    guard count >= 0, from >= array.start, from - array.start <= array.count, count <= array.count - (from - array.start) else {
      throw broken("refers to values \(from) to \(from &+ count) of a child of \(array.count)")
    }
    let viewBuffers = field.layout == .view ? try ViewCopier(array, from: from, count: count, copier: self) : nil
    let buffers = viewBuffers.map { 3 + $0.dataCount } ?? field.layout.bufferCount
    var node = try memory.node(bufferCount: buffers, childCount: field.children.count)
    node.length = Int64(count)
    try copyValidity(field, array, from: from, count: count, into: &node)

    switch field.layout {
    case .null: node.null_count = node.length
    case .bits:
      node.buffers?[1] = try block(byteCount: (count + 7) >> 3) { if let bits = array.buffer(1) { copyBits(bits, from: from, count: count, to: $0) } }
    case .fixed(let width): node.buffers?[1] = try bytes(array.buffer(1), from: from * width, byteCount: count * width)
    case .binary(let width):
      let (first, byteCount) = try offsets(array, from: from, count: count, width: width, into: node)
      node.buffers?[2] = try bytes(array.buffer(2), from: first, byteCount: byteCount)
    case .view: try viewBuffers?.finish(into: node)
    case .list(let width):
      let (first, valueCount) = try offsets(array, from: from, count: count, width: width, into: node)
      try copyChild(0, of: array, field, from: first, count: valueCount, into: node)
    case .listView(let width):
      if width == 4 {
        try copyListView(Int32.self, array, field, from: from, count: count, into: node)
      } else {
        try copyListView(Int64.self, array, field, from: from, count: count, into: node)
      }
    case .fixedList(let size): try copyChild(0, of: array, field, from: from * size, count: count * size, into: node)
    case .structure:
      for index in field.children.indices { try copyChild(index, of: array, field, from: from, count: count, into: node) }
    case .union(let isDense, let ids):
      node.buffers?[0] = try bytes(array.buffer(0), from: from, byteCount: count)
      if isDense { try copyDenseUnion(ids, array, field, from: from, count: count, into: node) }
      if !isDense {
        for index in field.children.indices { try copyChild(index, of: array, field, from: from, count: count, into: node) }
      }
    case .runs: try copyRuns(array, field, from: from, count: count, into: node)
    }

    if let values = field.dictionary, let dictionary = array.dictionary {
      node.dictionary = try copyDictionary(dictionary.pointee, values)
    }
    return node
  }

  func copyChild(
    _ index: Int, of array: ArrowArray, _ field: Field, from: Int, count: Int, into node: ArrowArray
  ) throws(CacheError) {
    guard let child = array.child(index)?.pointee, from >= 0, count >= 0, from <= child.count else {
      throw broken("refers to values \(from) to \(from &+ count) of a child that has fewer")
    }
    node.children?[index]?.pointee = try copy(field.children[index], child, from: child.start + from, count: count)
  }

  /// A new buffer, filled by `fill`.
  func block(byteCount: Int, fill: (UnsafeMutableRawPointer) -> Void) throws(CacheError) -> UnsafeRawPointer {
    guard byteCount > 0 else { return CopyMemory.empty }
    let block = try memory.buffer(byteCount: byteCount)
    fill(block)
    return UnsafeRawPointer(block)
  }

  func bytes(_ source: UnsafeRawPointer?, from: Int, byteCount: Int) throws(CacheError) -> UnsafeRawPointer {
    guard byteCount > 0 else { return CopyMemory.empty }
    guard let source else { throw broken("lacks a buffer of \(byteCount) bytes") }
    return try block(byteCount: byteCount) { $0.copyMemory(from: source + from, byteCount: byteCount) }
  }

  private func copyValidity(
    _ field: Field, _ array: ArrowArray, from: Int, count: Int, into node: inout ArrowArray
  ) throws(CacheError) {
    guard field.layout.hasValidity, array.null_count != 0, count > 0, let bits = array.buffer(0) else { return }
    let nulls = count - countOnes(bits, from: from, count: count)
    node.null_count = Int64(nulls)
    guard nulls > 0 else { return }
    node.buffers?[0] = try block(byteCount: (count + 7) >> 3) { copyBits(bits, from: from, count: count, to: $0) }
  }

  /// Copies offsets so that they start at 0; returns the range of values that they span.
  private func offsets(
    _ array: ArrowArray, from: Int, count: Int, width: Int, into node: ArrowArray
  ) throws(CacheError) -> (first: Int, count: Int) {
    guard count > 0, let offsets = array.buffer(1) else {
      node.buffers?[1] = CopyMemory.empty
      return (0, 0)
    }
    let first = array.valueOffset(from, width: width)
    let last = array.valueOffset(from + count, width: width)
    let end = array.valueOffset(array.start + array.count, width: width)
    guard first >= 0, first <= last, last <= end else { throw broken("has offsets that fall: \(first), \(last), \(end)") }
    node.buffers?[1] = try block(byteCount: (count + 1) * width) { target in
      if width == 4 {
        rebase(offsets.assumingMemoryBound(to: Int32.self) + from, count: count + 1, to: target.assumingMemoryBound(to: Int32.self))
      } else {
        rebase(offsets.assumingMemoryBound(to: Int64.self) + from, count: count + 1, to: target.assumingMemoryBound(to: Int64.self))
      }
    }
    return (first, last - first)
  }

  private func rebase<Offset: FixedWidthInteger>(_ source: UnsafePointer<Offset>, count: Int, to target: UnsafeMutablePointer<Offset>) {
    let base = source[0]
    for index in 0..<count { target[index] = source[index] &- base }
  }

  private func copyDictionary(_ dictionary: ArrowArray, _ field: Field) throws(CacheError) -> UnsafeMutablePointer<ArrowArray> {
    if let known = dictionaries.copy(of: dictionary, field: field) {
      memory.keep(known.memory)
      return known.node
    }
    let own = CopyMemory(expectedBytes: field.byteCount(dictionary, from: dictionary.start, count: dictionary.count))
    let copier = ArrayCopier(memory: own, dictionaries: dictionaries, source: source, column: column)
    let node = try own.zeroed(ArrowArray.self, count: 1)
    node.pointee = try copier.copy(field, dictionary, from: dictionary.start, count: dictionary.count)
    dictionaries.remember(DictionaryCopies.Copy(node: node, memory: own), of: dictionary, field: field, source: source)
    memory.keep(own)
    return node
  }
}
