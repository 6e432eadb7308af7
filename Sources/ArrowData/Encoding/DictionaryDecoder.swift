import CArrow
import Glibc
import Primitives

/// Makes plain texts of rows that the cache has dictionary-encoded. The indices may come from a file: each is looked at.
struct DictionaryDecoder {
  private static let rowsPerThread = 1 << 18

  private let array: ArrowArray
  private let column: String
  private let first: Int
  private let count: Int
  private let validity: UnsafeRawPointer?
  private let memory: CopyMemory
  private let threads: Int
  private let valueCount: Int
  /// Offsets of the dictionary's values, and their bytes.
  private let offsets: UnsafePointer<Int32>
  private let data: UnsafeRawPointer
  private let dataBytes: Int

  private func broken() -> CacheError {
    CacheError(.storage, "column '\(column)' has an index outside of its dictionary of \(valueCount) values: put the table again")
  }

  /// Decodes `count` rows of a validated array of `field` from element `first` of its buffers.
  static func decode(
    _ field: Field, _ array: ArrowArray, from first: Int, count: Int, keeping owner: AnyObject, threads: Int
  ) throws(CacheError) -> (node: ArrowArray, memory: CopyMemory) {
    guard let format = field.encodedFormat, let values = array.dictionary?.pointee else {
      throw CacheError(.type, "column '\(field.name)' is not dictionary-encoded")
    }
    let memory = CopyMemory(expectedBytes: 0)
    let decoder = DictionaryDecoder(field, array, values, first, count, memory, max(1, min(threads, count / rowsPerThread)))
    let node =
      switch field.format {
      case "C": try decoder.decode(format, UInt8.self, values, owner)
      case "S": try decoder.decode(format, UInt16.self, values, owner)
      default: throw CacheError(.type, "column '\(field.name)' has indices of Arrow format '\(field.format)'")
      }
    return (node, memory)
  }

  private init(
    _ field: Field, _ array: ArrowArray, _ values: ArrowArray, _ first: Int, _ count: Int, _ memory: CopyMemory, _ threads: Int
  ) {
    (self.array, column, self.first, self.count, self.memory, self.threads) = (array, field.name, first, count, memory, threads)
    validity = array.null_count == 0 ? nil : array.buffer(0)
    valueCount = values.buffer(1) == nil ? 0 : values.count
    offsets = (values.buffer(1) ?? CopyMemory.empty).assumingMemoryBound(to: Int32.self) + values.start
    data = values.buffer(2) ?? CopyMemory.empty
    dataBytes = values.buffer(2) == nil ? 0 : values.valueOffset(values.start + values.count, width: 4)
  }

  private func decode<Code: FixedWidthInteger & UnsignedInteger>(
    _ format: String, _ type: Code.Type, _ values: ArrowArray, _ owner: AnyObject
  ) throws(CacheError) -> ArrowArray {
    switch format {
    case "vu", "vz":
      memory.keep(owner)  // the views are over the dictionary's own bytes
      return try views(type)
    case "U", "Z": return try texts(type, Int64.self)
    default: return try texts(type, Int32.self)
    }
  }

  // MARK: - Rows

  @inline(__always)
  private func isValid(_ row: Int) -> Bool {
    guard let validity else { return true }
    let element = first + row
    return validity.load(fromByteOffset: element >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: element & 7) & 1 == 1
  }

  /// Where value `code` lies in the dictionary's bytes; nil where it does not.
  @inline(__always)
  private func span(_ code: Int) -> (start: Int, count: Int)? {
    guard code < valueCount else { return nil }
    let start = Int(offsets[code])
    let end = Int(offsets[code &+ 1])
    guard start >= 0, end >= start, end <= dataBytes else { return nil }
    return (start, end &- start)
  }

  private func codes<Code: FixedWidthInteger>(_ type: Code.Type) throws(CacheError) -> UnsafePointer<Code> {
    guard let indices = array.buffer(1) else { throw broken() }
    return indices.assumingMemoryBound(to: Code.self) + first
  }

  private func node(bufferCount: Int) throws(CacheError) -> ArrowArray {
    var node = try memory.node(bufferCount: bufferCount, childCount: 0)
    node.length = Int64(count)
    guard let validity, count > 0 else { return node }
    let nulls = count - countOnes(validity, from: first, count: count)
    node.null_count = Int64(nulls)
    guard nulls > 0 else { return node }
    let bits = try memory.buffer(byteCount: (count + 7) >> 3)
    copyBits(validity, from: first, count: count, to: bits)
    node.buffers?[0] = UnsafeRawPointer(bits)
    return node
  }

  // MARK: - Offsets and bytes

  private func texts<Code: FixedWidthInteger & UnsignedInteger, Offset: FixedWidthInteger>(
    _: Code.Type, _: Offset.Type
  ) throws(CacheError) -> ArrowArray {
    let node = try node(bufferCount: 3)
    guard count > 0 else {
      node.buffers?[1] = CopyMemory.empty
      node.buffers?[2] = CopyMemory.empty
      return node
    }
    let codes = try codes(Code.self)
    let rows = (count + threads - 1) / threads
    func range(_ part: Int) -> Range<Int> { min(part * rows, count)..<min((part + 1) * rows, count) }

    let sums = UnsafeMutablePointer<Int>.allocate(capacity: threads + 1)
    defer { sums.deallocate() }
    sums.initialize(repeating: 0, count: threads + 1)
    try parallel(count: threads, threads: threads) { (_, part) throws(CacheError) in sums[part + 1] = try byteCount(codes, range(part)) }
    for part in 0..<threads { sums[part + 1] += sums[part] }
    let total = sums[threads]
    guard Offset(exactly: total) != nil else {
      throw CacheError(.type, "column '\(column)' has \(total) bytes of text in \(count) rows, more than its type can hold: ask for fewer rows")
    }
    let offsets = try memory.buffer(byteCount: (count + 1) * MemoryLayout<Offset>.size).assumingMemoryBound(to: Offset.self)
    let bytes = try memory.buffer(byteCount: total + Self.wide)
    offsets[0] = 0
    try parallel(count: threads, threads: threads) { (_, part) throws(CacheError) in
      write(codes, range(part), at: sums[part], end: sums[part + 1], offsets, bytes)
    }
    node.buffers?[1] = UnsafeRawPointer(offsets)
    node.buffers?[2] = UnsafeRawPointer(bytes)
    return node
  }

  private func byteCount<Code: FixedWidthInteger & UnsignedInteger>(_ codes: UnsafePointer<Code>, _ rows: Range<Int>) throws(CacheError) -> Int {
    var total = 0
    for row in rows where isValid(row) {
      guard let (_, length) = span(Int(codes[row])) else { throw broken() }
      total &+= length
    }
    return total
  }

  /// Short values are copied as so many bytes, whatever their length.
  private static let wide = 16

  private func write<Code: FixedWidthInteger & UnsignedInteger, Offset: FixedWidthInteger>(
    _ codes: UnsafePointer<Code>, _ rows: Range<Int>, at start: Int, end: Int, _ offsets: UnsafeMutablePointer<Offset>,
    _ bytes: UnsafeMutableRawPointer
  ) {
    var position = start
    for row in rows {
      if isValid(row), let (from, length) = span(Int(codes[row])) {
        // Not beyond what the dictionary has, nor into what the next thread writes.
        if length <= Self.wide, from + Self.wide <= dataBytes, position + Self.wide <= end {
          (bytes + position).copyMemory(from: data + from, byteCount: Self.wide)
        } else if length > 0 {
          memcpy(bytes + position, data + from, length)
        }
        position &+= length
      }
      offsets[row &+ 1] = Offset(truncatingIfNeeded: position)
    }
  }

  // MARK: - Views

  private func views<Code: FixedWidthInteger & UnsignedInteger>(_: Code.Type) throws(CacheError) -> ArrowArray {
    let node = try node(bufferCount: 4)
    let views = try memory.buffer(byteCount: count * 16)
    if count > 0 {
      let codes = try codes(Code.self)
      for row in 0..<count {
        let view = views + row * 16
        guard isValid(row) else {
          memset(view, 0, 16)
          continue
        }
        guard let (from, length) = span(Int(codes[row])), let short = Int32(exactly: length) else { throw broken() }
        view.storeBytes(of: short, as: Int32.self)
        if length <= 12 {
          memset(view + 4, 0, 12)
          memcpy(view + 4, data + from, length)
        } else {
          memcpy(view + 4, data + from, 4)
          view.storeBytes(of: 0, toByteOffset: 8, as: Int32.self)
          view.storeBytes(of: Int32(truncatingIfNeeded: from), toByteOffset: 12, as: Int32.self)
        }
      }
    }
    node.buffers?[1] = UnsafeRawPointer(views)
    node.buffers?[2] = data
    let sizes = try memory.buffer(byteCount: 8)
    sizes.storeBytes(of: Int64(dataBytes), as: Int64.self)
    node.buffers?[3] = UnsafeRawPointer(sizes)
    return node
  }
}
