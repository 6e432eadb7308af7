import CArrow
import Primitives

extension ArrayCopier {
  /// Lists whose values lie anywhere: copies the range of values between the first and the last that is used.
  func copyListView<Offset: FixedWidthInteger & SignedInteger>(
    _: Offset.Type, _ array: ArrowArray, _ field: Field, from: Int, count: Int, into node: ArrowArray
  ) throws(CacheError) {
    guard let offsets = array.buffer(1)?.assumingMemoryBound(to: Offset.self),
      let sizes = array.buffer(2)?.assumingMemoryBound(to: Offset.self), count > 0
    else {
      node.buffers?[1] = CopyMemory.empty
      node.buffers?[2] = CopyMemory.empty
      return try copyChild(0, of: array, field, from: 0, count: 0, into: node)
    }
    let validity = array.null_count == 0 ? nil : array.buffer(0)
    func isUsed(_ index: Int) -> Bool {
      if sizes[index] == 0 { return false }
      guard let validity else { return true }
      return validity.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(index & 7) & 1 == 1
    }
    var first = Int.max
    var last = 0
    for index in from..<(from + count) where isUsed(index) {
      let (end, overflow) = Int(offsets[index]).addingReportingOverflow(Int(sizes[index]))
      guard offsets[index] >= 0, sizes[index] > 0, !overflow else {
        throw broken("has a list of \(sizes[index]) values from \(offsets[index])")
      }
      first = min(first, Int(offsets[index]))
      last = max(last, end)
    }
    if first == .max { first = 0 }
    let byteCount = count * MemoryLayout<Offset>.size
    node.buffers?[1] = try block(byteCount: byteCount) { target in
      let target = target.assumingMemoryBound(to: Offset.self)
      for index in 0..<count { target[index] = isUsed(from + index) ? offsets[from + index] - Offset(first) : 0 }
    }
    node.buffers?[2] = try block(byteCount: byteCount) { target in
      let target = target.assumingMemoryBound(to: Offset.self)
      for index in 0..<count { target[index] = isUsed(from + index) ? sizes[from + index] : 0 }
    }
    try copyChild(0, of: array, field, from: first, count: last - first, into: node)
  }

  /// Of each child the range between the first and the last value that is used.
  func copyDenseUnion(
    _ ids: [Int8], _ array: ArrowArray, _ field: Field, from: Int, count: Int, into node: ArrowArray
  ) throws(CacheError) {
    guard count > 0, let types = array.buffer(0)?.assumingMemoryBound(to: Int8.self),
      let offsets = array.buffer(1)?.assumingMemoryBound(to: Int32.self)
    else {
      node.buffers?[1] = CopyMemory.empty
      for index in field.children.indices { try copyChild(index, of: array, field, from: 0, count: 0, into: node) }
      return
    }
    var childByID = [Int](repeating: -1, count: 128)
    for (index, id) in ids.enumerated() { childByID[Int(id)] = index }
    var first = [Int](repeating: .max, count: ids.count)
    var end = [Int](repeating: 0, count: ids.count)
    for index in from..<(from + count) {
      guard types[index] >= 0, case let child = childByID[Int(types[index])], child >= 0, offsets[index] >= 0 else {
        throw broken("has the union type id \(types[index]) at offset \(offsets[index])")
      }
      first[child] = min(first[child], Int(offsets[index]))
      end[child] = max(end[child], Int(offsets[index]) + 1)
    }
    for child in first.indices where first[child] == .max { first[child] = 0 }
    node.buffers?[1] = try block(byteCount: count * 4) { target in
      let target = target.assumingMemoryBound(to: Int32.self)
      for index in 0..<count {
        target[index] = offsets[from + index] - Int32(truncatingIfNeeded: first[childByID[Int(types[from + index])]])
      }
    }
    for child in field.children.indices {
      try copyChild(child, of: array, field, from: first[child], count: end[child] - first[child], into: node)
    }
  }

  /// The runs that cover the range, the last one cut.
  func copyRuns(_ array: ArrowArray, _ field: Field, from: Int, count: Int, into node: ArrowArray) throws(CacheError) {
    guard let runEnds = array.child(0)?.pointee else { throw broken("has no run ends") }
    switch field.children[0].format {
    case "s": try copyRuns(Int16.self, runEnds, array, field, from: from, count: count, into: node)
    case "i": try copyRuns(Int32.self, runEnds, array, field, from: from, count: count, into: node)
    default: try copyRuns(Int64.self, runEnds, array, field, from: from, count: count, into: node)
    }
  }

  private func copyRuns<End: FixedWidthInteger & SignedInteger>(
    _: End.Type, _ runEnds: ArrowArray, _ array: ArrowArray, _ field: Field, from: Int, count: Int, into node: ArrowArray
  ) throws(CacheError) {
    var first = 0
    var runCount = 0
    if count > 0, let values = runEnds.buffer(1) {
      let ends = values.assumingMemoryBound(to: End.self) + runEnds.start
      /// The first run whose end is beyond `row`.
      func run(after row: Int) -> Int {
        var low = 0
        var high = runEnds.count
        while low < high {
          let middle = (low + high) / 2
          if Int(ends[middle]) > row { high = middle } else { low = middle + 1 }
        }
        return low
      }
      first = run(after: from)
      let last = run(after: from + count - 1)
      guard first <= last, last < runEnds.count else { throw broken("has runs that do not cover its \(array.count) values") }
      runCount = last - first + 1
      var copied = try memory.node(bufferCount: 2, childCount: 0)
      copied.length = Int64(runCount)
      copied.buffers?[1] = try block(byteCount: runCount * MemoryLayout<End>.size) { target in
        let target = target.assumingMemoryBound(to: End.self)
        for index in 0..<runCount { target[index] = End(truncatingIfNeeded: min(max(Int(ends[first + index]) &- from, 0), count)) }
      }
      node.children?[0]?.pointee = copied
    } else {
      try copyChild(0, of: array, field, from: 0, count: 0, into: node)
    }
    try copyChild(1, of: array, field, from: first, count: runCount, into: node)
  }
}
