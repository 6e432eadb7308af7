import CArrow
import Primitives

/// Makes arrays of the nodes and buffers of a record batch, in the order of the file. Checks lengths and ends, no values between.
struct IPCArrayDecoder {
  private let header: IPCBatchHeader
  private let memory: CopyMemory
  private let dictionaries: [Int: IPCDictionary]
  private let column: String
  private var node: Int
  private var view: Int
  private var buffers: ArraySlice<UnsafeRawBufferPointer>

  init(_ header: IPCBatchHeader, from extent: IPCExtent, _ buffers: IPCBuffers, _ dictionaries: [Int: IPCDictionary], column: String) {
    (self.header, self.dictionaries, self.column) = (header, dictionaries, column)
    (node, view, memory, self.buffers) = (extent.nodes, extent.views, buffers.memory, buffers.bytes[...])
  }

  private func broken(_ what: String) -> CacheError { damaged("its column '\(column)' \(what)") }

  private func product(_ count: Int, _ width: Int) throws(CacheError) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow, product < Int.max / 64 else { throw broken("has \(count) values of \(width) bytes") }
    return product
  }

  /// The next buffer, which has at least so many bytes and starts where its values may.
  private mutating func take(_ needed: Int, alignment: Int = 8) throws(CacheError) -> UnsafeRawBufferPointer {
    guard let bytes = buffers.popFirst() else { throw broken("has too few buffers") }
    guard bytes.count >= needed else { throw broken("has a buffer of \(bytes.count) bytes, needs \(needed)") }
    guard let start = bytes.baseAddress, bytes.count > 0 else { return UnsafeRawBufferPointer(start: CopyMemory.empty, count: 0) }
    if UInt(bitPattern: start) & UInt(alignment - 1) == 0 { return bytes }
    let copy = try memory.buffer(byteCount: bytes.count)
    copy.copyMemory(from: start, byteCount: bytes.count)
    return UnsafeRawBufferPointer(start: copy, count: bytes.count)
  }

  /// The next array.
  mutating func next(_ field: NumberedField) throws(CacheError) -> ArrowArray {
    let layout = field.field.layout
    let (count, nullCount) = try header.node(node)
    node += 1
    var dataCount = 0
    if layout == .view {
      dataCount = try header.variadicCount(view)
      view += 1
    }
    var array = try memory.node(bufferCount: layout.bufferCount + dataCount, childCount: field.children.count)
    array.length = Int64(count)
    if layout == .null { array.null_count = Int64(count) }
    if layout.hasValidity {
      let validity = try take(nullCount > 0 ? (count + 7) >> 3 : 0)
      if nullCount > 0 {
        array.null_count = Int64(nullCount)
        array.buffers?[0] = validity.baseAddress
      }
    }
    try fill(&array, field, dataCount: dataCount)
    if let id = field.dictionaryID {
      guard let dictionary = dictionaries[id] else { throw broken("lacks dictionary \(id)") }
      array.dictionary = dictionary.node
    }
    return array
  }

  private mutating func fill(_ array: inout ArrowArray, _ field: NumberedField, dataCount: Int) throws(CacheError) {
    let count = array.count
    switch field.field.layout {
    case .null: break
    case .bits: array.buffers?[1] = try take((count + 7) >> 3).baseAddress
    case .fixed(let width):
      array.buffers?[1] = try take(try product(count, width), alignment: width == 16 || width == 32 ? 16 : 8).baseAddress
    case .binary(let width):
      array.buffers?[1] = try take(count == 0 ? 0 : try product(count + 1, width)).baseAddress
      array.buffers?[2] = try take(try lastOffset(array, width), alignment: 1).baseAddress
    case .view:
      array.buffers?[1] = try take(try product(count, 16), alignment: 16).baseAddress
      let sizes = try memory.zeroed(Int64.self, count: dataCount)
      for index in 0..<dataCount {
        let data = try take(0, alignment: 1)
        array.buffers?[2 + index] = data.baseAddress
        sizes[index] = Int64(data.count)
      }
      array.buffers?[2 + dataCount] = UnsafeRawPointer(sizes)
    case .list(let width):
      array.buffers?[1] = try take(count == 0 ? 0 : try product(count + 1, width)).baseAddress
      let values = try child(0, of: field, into: array, atLeast: try lastOffset(array, width))
      // Readers take keys for what they say they are: a null one ends the process in some.
      if field.field.format == "+m", values.null_count > 0 || values.child(0)?.pointee.null_count != 0 {
        throw broken("has a map with null keys")
      }
    case .listView(let width):
      array.buffers?[1] = try take(try product(count, width)).baseAddress
      array.buffers?[2] = try take(try product(count, width)).baseAddress
      try child(0, of: field, into: array, atLeast: 0)
    case .fixedList(let size): try child(0, of: field, into: array, atLeast: try product(count, size))
    case .structure: for index in field.children.indices { try child(index, of: field, into: array, atLeast: count) }
    case .union(let isDense, _):
      array.buffers?[0] = try take(count).baseAddress
      if isDense { array.buffers?[1] = try take(try product(count, 4)).baseAddress }
      for index in field.children.indices { try child(index, of: field, into: array, atLeast: isDense ? 0 : count) }
    case .runs:
      let runEnds = try child(0, of: field, into: array, atLeast: count == 0 ? 0 : 1)
      try child(1, of: field, into: array, atLeast: runEnds.count)
      guard runEnds.null_count == 0 else { throw broken("has run ends that are null") }
      guard count == 0 || field.children[0].field.runEnd(runEnds, runEnds.count - 1) >= count else {
        throw broken("has runs that do not cover its \(count) values")
      }
    }
  }

  @discardableResult
  private mutating func child(
    _ index: Int, of field: NumberedField, into array: ArrowArray, atLeast needed: Int
  ) throws(CacheError) -> ArrowArray {
    let child = try next(field.children[index])
    guard child.count >= needed else { throw broken("has a child of \(child.count) values, needs \(needed)") }
    array.children?[index]?.pointee = child
    return child
  }

  /// The last offset, with the first looked at: those that readers take without a look at the ones between.
  private func lastOffset(_ array: ArrowArray, _ width: Int) throws(CacheError) -> Int {
    guard array.count > 0 else { return 0 }
    let first = array.valueOffset(0, width: width)
    let last = array.valueOffset(array.count, width: width)
    guard first >= 0, first <= last, last < Int.max / 64 else { throw broken("has offsets from \(first) to \(last)") }
    return last
  }
}
