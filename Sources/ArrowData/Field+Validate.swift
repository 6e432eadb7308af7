import CArrow
import Primitives

extension Field {
  /// Checks an array that claims to be of this field, as far as that is possible without a pass over its values.
  ///
  /// After this every length, offset and byte count that the layout implies fits an `Int`, and every buffer that a value
  /// needs is there. `column` names the column in messages.
  func validate(_ array: UnsafePointer<ArrowArray>, column: String) throws(CacheError) {
    let node = array.pointee
    func broken(_ what: String) -> CacheError { CacheError(.stream, "column '\(column)' (Arrow format '\(format)') \(what)") }

    guard node.release != nil else { throw broken("has been released: produce it anew") }
    guard node.length >= 0, node.offset >= 0 else { throw broken("has length \(node.length) and offset \(node.offset)") }
    let (end, overflow) = node.start.addingReportingOverflow(node.count)
    guard !overflow, end < Int.max / 64 else { throw broken("has length \(node.length) and offset \(node.offset)") }
    guard node.null_count >= -1, node.null_count <= node.length else {
      throw broken("has null count \(node.null_count) at length \(node.length)")
    }
    let expected = layout.bufferCount
    let isView = layout == .view
    guard isView ? node.n_buffers >= Int64(expected) : node.n_buffers == Int64(expected), node.n_buffers <= Int64(Int32.max) else {
      throw broken("has \(node.n_buffers) buffers, needs \(isView ? "at least " : "")\(expected)")
    }
    guard node.n_buffers == 0 || node.buffers != nil else { throw broken("has no list of buffers") }
    guard node.n_children == Int64(children.count) else { throw broken("has \(node.n_children) children, needs \(children.count)") }
    guard node.n_children == 0 || node.children != nil else { throw broken("has no list of children") }
    guard (node.dictionary != nil) == (dictionary != nil) else {
      throw broken(dictionary == nil ? "has a dictionary that its schema does not have" : "lacks its dictionary")
    }
    if layout.hasValidity, node.null_count > 0, node.buffer(0) == nil {
      throw broken("has \(node.null_count) nulls and no validity bitmap")
    }
    for (index, child) in children.enumerated() {
      guard let childArray = node.child(index) else { throw broken("lacks child \(index)") }
      try child.validate(childArray, column: column)
    }
    if let dictionary, let values = node.dictionary { try dictionary.validate(values, column: column) }
    try validateExtents(node, end: end, broken: broken)
  }

  private func validateExtents(_ node: ArrowArray, end: Int, broken: (String) -> CacheError) throws(CacheError) {
    func require(_ index: Int, _ what: String) throws(CacheError) {
      if node.count > 0, node.buffer(index) == nil { throw broken("has \(node.count) values and no \(what) buffer") }
    }
    func requireChild(_ index: Int, _ needed: Int) throws(CacheError) {
      let length = node.child(index)?.pointee.count ?? 0
      guard length >= needed else { throw broken("has child \(index) with \(length) values, needs \(needed)") }
    }
    /// First and last offset of the values that the array has.
    func offsets(_ width: Int) throws(CacheError) -> (first: Int, last: Int) {
      guard node.count > 0 else { return (0, 0) }
      try require(1, "offsets")
      let first = node.valueOffset(node.start, width: width)
      let last = node.valueOffset(end, width: width)
      guard first >= 0, last >= first, last < Int.max / 64 else { throw broken("has offsets from \(first) to \(last)") }
      return (first, last)
    }

    switch layout {
    case .null: break
    case .bits: try require(1, "values")
    case .fixed(let width):
      guard !end.multipliedReportingOverflow(by: max(width, 1)).overflow else { throw broken("is too long: \(end) values") }
      if width > 0 { try require(1, "values") }
    case .binary(let width):
      let (first, last) = try offsets(width)
      if last > first, node.buffer(2) == nil { throw broken("has \(last - first) bytes of values and no data buffer") }
    case .view:
      try require(1, "views")
      for index in 0..<node.variadicCount {
        let size = node.variadicSize(index)
        guard size >= 0, size < Int.max / 64 else { throw broken("has data buffer \(index) of \(size) bytes") }
        if size > 0, node.buffer(2 + index) == nil { throw broken("lacks data buffer \(index)") }
      }
    case .list(let width): try requireChild(0, try offsets(width).last)
    case .listView:
      try require(1, "offsets")
      try require(2, "sizes")
    case .fixedList(let count):
      let (needed, overflow) = end.multipliedReportingOverflow(by: count)
      guard !overflow else { throw broken("is too long: \(end) lists of \(count)") }
      if node.count > 0 { try requireChild(0, needed) }
    case .structure:
      if node.count > 0 { for index in children.indices { try requireChild(index, end) } }
    case .union(let isDense, _):
      try require(0, "type ids")
      if isDense { try require(1, "offsets") }
      if !isDense, node.count > 0 { for index in children.indices { try requireChild(index, end) } }
    case .runs:
      guard let runEnds = node.child(0)?.pointee, node.count > 0 else { break }
      guard runEnds.null_count <= 0 || runEnds.count == 0 else { throw broken("has run ends that are null") }
      try requireChild(1, runEnds.count)
      let last = runEnds.count == 0 ? 0 : children[0].runEnd(runEnds, runEnds.count - 1)
      guard last >= end else { throw broken("has runs up to \(last), needs \(end)") }
    }
  }

  /// Run end `index` of an array of run ends.
  func runEnd(_ runEnds: ArrowArray, _ index: Int) -> Int {
    guard let values = runEnds.buffer(1) else { return 0 }
    let position = runEnds.start + index
    switch format {
    case "s": return Int(values.loadUnaligned(fromByteOffset: position * 2, as: Int16.self))
    case "i": return Int(values.loadUnaligned(fromByteOffset: position * 4, as: Int32.self))
    default: return Int(values.loadUnaligned(fromByteOffset: position * 8, as: Int64.self))
    }
  }
}
