import CArrow
import Primitives

/// The value of one element of an array as bytes: the same for equal values of one type, wherever and however they are stored.
enum ValueBytes {
  static func of(_ field: Field, _ array: ArrowArray, _ index: Int, column: String) throws(CacheError) -> [UInt8] {
    var writer = Writer(column: column)
    try writer.add(field, array, index)
    return writer.bytes
  }

  private struct Writer {
    let column: String
    var bytes: [UInt8] = []

    func broken(_ what: String) -> CacheError { CacheError(.stream, "column '\(column)' has a dictionary that \(what)") }

    mutating func put(_ value: Int) { withUnsafeBytes(of: value) { bytes += $0 } }

    mutating func put(_ start: UnsafeRawPointer?, from: Int, byteCount: Int) throws(CacheError) {
      guard byteCount > 0 else { return }
      guard let start else { throw broken("lacks a buffer of \(byteCount) bytes") }
      bytes += UnsafeRawBufferPointer(start: start + from, count: byteCount)
    }

    func int32(_ buffer: Int, _ position: Int, of array: ArrowArray) throws(CacheError) -> Int {
      guard let values = array.buffer(buffer) else { throw broken("lacks buffer \(buffer)") }
      return Int(values.loadUnaligned(fromByteOffset: position * 4, as: Int32.self))
    }

    /// Adds element `index`, counted from the array's first.
    mutating func add(_ field: Field, _ array: ArrowArray, _ index: Int) throws(CacheError) {
      guard index >= 0, index < array.count else { throw broken("refers to value \(index) of \(array.count)") }
      let position = array.start + index
      guard field.layout != .null, !field.layout.hasValidity || ArrayPiece(array).isValid(position) else { return bytes.append(0) }
      bytes.append(1)
      switch field.layout {
      case .null: break
      case .bits:
        guard let bits = array.buffer(1) else { throw broken("lacks its bits") }
        bytes.append(bits.load(fromByteOffset: position >> 3, as: UInt8.self) >> UInt8(position & 7) & 1)
      case .fixed(let width):
        guard let values = field.dictionary else { return try put(array.buffer(1), from: position * width, byteCount: width) }
        guard let dictionary = array.dictionary?.pointee else { throw broken("lacks a dictionary of its own") }
        try add(values, dictionary, try dictionaryIndex(field.format, array, position))
      case .binary(let width):
        let (first, count) = try range(array, position, width)
        put(count)
        try put(array.buffer(2), from: first, byteCount: count)
      case .view: try addView(array, position)
      case .list(let width):
        let (first, count) = try range(array, position, width)
        try addList(field, array, first, count)
      case .listView(let width):
        guard let offsets = array.buffer(1), let sizes = array.buffer(2) else { throw broken("lacks its offsets or sizes") }
        func number(_ buffer: UnsafeRawPointer) -> Int {
          width == 4
            ? Int(buffer.loadUnaligned(fromByteOffset: position * 4, as: Int32.self))
            : Int(buffer.loadUnaligned(fromByteOffset: position * 8, as: Int64.self))
        }
        try addList(field, array, number(offsets), number(sizes))
      case .fixedList(let size): try addList(field, array, position * size, size)
      case .structure:
        for (child, childField) in field.children.enumerated() { try addChild(child, childField, array, position) }
      case .union(let isDense, let ids):
        guard let types = array.buffer(0) else { throw broken("lacks its type ids") }
        let id = types.load(fromByteOffset: position, as: Int8.self)
        guard let child = ids.firstIndex(of: id) else { throw broken("has the union type id \(id)") }
        bytes.append(UInt8(bitPattern: id))
        try addChild(child, field.children[child], array, isDense ? try int32(1, position, of: array) : position)
      case .runs:
        guard let runEnds = array.child(0)?.pointee else { throw broken("lacks its run ends") }
        var run = 0
        while run < runEnds.count, field.children[0].runEnd(runEnds, run) <= position { run += 1 }
        try addChild(1, field.children[1], array, run)
      }
    }

    private mutating func addChild(_ child: Int, _ field: Field, _ array: ArrowArray, _ index: Int) throws(CacheError) {
      guard let values = array.child(child)?.pointee else { throw broken("lacks child \(child)") }
      try add(field, values, index)
    }

    private mutating func addList(_ field: Field, _ array: ArrowArray, _ first: Int, _ count: Int) throws(CacheError) {
      let available = array.child(0)?.pointee.count ?? 0
      guard first >= 0, count >= 0, first <= available, count <= available - first else {
        throw broken("has a list of \(count) values from \(first) of \(available)")
      }
      put(count)
      for index in first..<(first + count) { try addChild(0, field.children[0], array, index) }
    }

    private func range(_ array: ArrowArray, _ position: Int, _ width: Int) throws(CacheError) -> (first: Int, count: Int) {
      let first = array.valueOffset(position, width: width)
      let end = array.valueOffset(position + 1, width: width)
      guard first >= 0, first <= end, end <= array.valueOffset(array.start + array.count, width: width) else {
        throw broken("has offsets that fall: \(first), \(end)")
      }
      return (first, end - first)
    }

    private func dictionaryIndex(_ format: String, _ array: ArrowArray, _ position: Int) throws(CacheError) -> Int {
      guard let values = array.buffer(1) else { throw broken("lacks its indices") }
      func load<Number: FixedWidthInteger>(_: Number.Type) -> Int {
        Int(clamping: values.loadUnaligned(fromByteOffset: position * MemoryLayout<Number>.size, as: Number.self))
      }
      switch format {
      case "c": return load(Int8.self)
      case "C": return load(UInt8.self)
      case "s": return load(Int16.self)
      case "S": return load(UInt16.self)
      case "i": return load(Int32.self)
      case "I": return load(UInt32.self)
      case "l": return load(Int64.self)
      default: return load(UInt64.self)
      }
    }

    private mutating func addView(_ array: ArrowArray, _ position: Int) throws(CacheError) {
      guard let views = array.buffer(1) else { throw broken("lacks its views") }
      let length = Int(views.loadUnaligned(fromByteOffset: position * 16, as: Int32.self))
      put(length)
      if (0...12).contains(length) { return try put(views, from: position * 16 + 4, byteCount: length) }
      let buffer = try int32(1, position * 4 + 2, of: array)
      let offset = try int32(1, position * 4 + 3, of: array)
      guard length > 0, buffer >= 0, buffer < array.variadicCount, offset >= 0, offset + length <= array.variadicSize(buffer) else {
        throw broken("has a view of \(length) bytes from \(offset) of data buffer \(buffer)")
      }
      try put(array.buffer(2 + buffer), from: offset, byteCount: length)
    }
  }
}
