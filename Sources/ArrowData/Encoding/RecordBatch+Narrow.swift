import CArrow
import Primitives

// Whole numbers may be kept as their distance from the least of them, in fewer bytes: a scan that waits for memory then reads less of it
// (frame of reference: J. Goldstein, R. Ramakrishnan, U. Shaft, Compressing Relations and Indexes, ICDE 1998).

extension Field {
  private static let narrowMark = "arrow_cache.narrow"

  /// The number that values of a narrowed column count from; nil for all other columns.
  public var narrowBase: Int128? { metadata.isEmpty ? nil : metadata.text(Self.narrowMark).flatMap { Int128($0) } }

  /// Whether values may take fewer bytes than they do.
  public var isNarrowable: Bool {
    guard dictionary == nil, !isExtension else { return false }
    return ["s", "S", "i", "I", "l", "L", "tdD", "ttu"].contains(format) || format.hasPrefix("ts") || format.hasPrefix("d:")
  }

  fileprivate func narrowed(base: Int128, byteWidth: Int) throws(CacheError) -> Field {
    let format = [1: "C", 2: "S", 4: "I"][byteWidth] ?? "L"
    return try Field(name: name, format: format, metadata: [KeyValue(key: Array(Self.narrowMark.utf8), value: Array(String(base).utf8))])
  }
}

extension RecordBatch {
  /// Rows `offset ..< offset + count` of a column of whole numbers, dates, times or decimals, as distances from `Field.narrowBase` in an unsigned type.
  /// nil where that takes more than half of the memory, for other columns, and for decimals that do not fit into `decimalBytes`.
  public func narrowed(column index: Int, offset: Int, count: Int, decimalBytes: Int?) throws(CacheError) -> RecordBatch? {
    guard schema.fields.indices.contains(index), offset >= 0, count > 0, offset <= rowCount - count else { return nil }
    let (field, node) = (schema.fields[index], column(index).pointee)
    guard let values = node.buffer(1) else { return nil }
    let rows = NarrowedRows(field, node, values, first: node.start + offset, count: count)
    guard let (memory, base, byteWidth) = try rows.narrowed(decimalBytes: decimalBytes) else { return nil }
    let narrow = try field.narrowed(base: base, byteWidth: byteWidth)
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
    nodes.initialize(to: memory.node)
    return RecordBatch(schema: Schema(fields: [narrow]), rowCount: count, columns: nodes, owners: [ColumnInShared(memory.memory)])
  }
}

/// The rows of one column that are narrowed.
private struct NarrowedRows {
  typealias Made = (memory: (node: ArrowArray, memory: CopyMemory), base: Int128, byteWidth: Int)

  let format: String
  let values: UnsafeRawPointer
  let validity: UnsafeRawPointer?
  let first: Int
  let count: Int

  init(_ field: Field, _ array: ArrowArray, _ values: UnsafeRawPointer, first: Int, count: Int) {
    format = field.isNarrowable ? field.format : ""
    (self.values, self.first, self.count) = (values, first, count)
    validity = array.null_count == 0 ? nil : array.buffer(0)
  }

  func narrowed(decimalBytes: Int?) throws(CacheError) -> Made? {
    switch format {
    case "s": return try narrowed(PlainNumbers<Int16>(values, first), within: nil)
    case "S": return try narrowed(PlainNumbers<UInt16>(values, first), within: nil)
    case "i", "tdD": return try narrowed(PlainNumbers<Int32>(values, first), within: nil)
    case "I": return try narrowed(PlainNumbers<UInt32>(values, first), within: nil)
    case "l", "ttu": return try narrowed(PlainNumbers<Int64>(values, first), within: nil)
    case "L": return try narrowed(PlainNumbers<UInt64>(values, first), within: nil)
    default:
      if format.hasPrefix("ts") { return try narrowed(PlainNumbers<Int64>(values, first), within: nil) }
      guard format.hasPrefix("d:"), let decimalBytes, decimalBytes <= 8 else { return nil }
      let half = Int64(1) << Int64(decimalBytes * 8 - 1) &- 1
      return try narrowed(ShortDecimals(values, first), within: (-half - 1)...half)
    }
  }

  @inline(__always)
  private func isValid(_ row: Int) -> Bool {
    guard let validity else { return true }
    let element = first &+ row
    return validity.load(fromByteOffset: element >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: element & 7) & 1 == 1
  }

  @inline(__always)
  private func narrowed<Numbers: NumberRows>(_ numbers: Numbers, within range: ClosedRange<Numbers.Value>?) throws(CacheError) -> Made? {
    var (least, most) = (Numbers.Value.max, Numbers.Value.min)
    if validity == nil {
      guard numbers.areWhole(0..<count) else { return nil }
      for row in 0..<count {
        let value = numbers[row]
        least = min(least, value)
        most = max(most, value)
      }
    } else {
      for row in 0..<count where isValid(row) {
        guard numbers.areWhole(row..<row + 1) else { return nil }
        let value = numbers[row]
        least = min(least, value)
        most = max(most, value)
      }
      if least > most { (least, most) = (0, 0) }
    }
    if let range, !range.contains(least) || !range.contains(most) { return nil }
    let width = UInt64(truncatingIfNeeded: most &- least) & (Numbers.Value.bitWidth == 64 ? .max : 1 << UInt64(Numbers.Value.bitWidth) - 1)
    let byteWidth = width < 1 << 8 ? 1 : width < 1 << 16 ? 2 : width < 1 << 32 ? 4 : 8
    guard byteWidth * 2 <= Numbers.byteWidth else { return nil }
    let made =
      switch byteWidth {
      case 1: try column(numbers, UInt8.self, from: least)
      case 2: try column(numbers, UInt16.self, from: least)
      case 4: try column(numbers, UInt32.self, from: least)
      default: try column(numbers, UInt64.self, from: least)
      }
    return (made, Int128(least), byteWidth)
  }

  @inline(__always)
  private func column<Numbers: NumberRows, Narrow: FixedWidthInteger & UnsignedInteger>(
    _ numbers: Numbers, _: Narrow.Type, from base: Numbers.Value
  ) throws(CacheError) -> (node: ArrowArray, memory: CopyMemory) {
    let byteCount = count * MemoryLayout<Narrow>.size
    let memory = CopyMemory(expectedBytes: byteCount + (validity == nil ? 0 : (count + 7) >> 3) + 2 * CopyMemory.alignment)
    var node = try memory.node(bufferCount: 2, childCount: 0)
    node.length = Int64(count)
    if let validity {
      let nulls = count - countOnes(validity, from: first, count: count)
      node.null_count = Int64(nulls)
      if nulls > 0 {
        let bits = try memory.buffer(byteCount: (count + 7) >> 3)
        copyBits(validity, from: first, count: count, to: bits)
        node.buffers?[0] = UnsafeRawPointer(bits)
      }
    }
    let target = try memory.buffer(byteCount: byteCount).assumingMemoryBound(to: Narrow.self)
    for row in 0..<count { target[row] = Narrow(truncatingIfNeeded: numbers[row] &- base) }
    node.buffers?[1] = UnsafeRawPointer(target)
    return (node, memory)
  }
}

/// Whole numbers behind one another.
private protocol NumberRows {
  associatedtype Value: FixedWidthInteger
  /// What a number takes as it is.
  static var byteWidth: Int { get }
  subscript(_ row: Int) -> Value { get }
  /// Whether these are what the subscript says.
  func areWhole(_ rows: Range<Int>) -> Bool
}

private struct PlainNumbers<Value: FixedWidthInteger>: NumberRows {
  static var byteWidth: Int { MemoryLayout<Value>.size }
  private let values: UnsafeRawPointer

  init(_ values: UnsafeRawPointer, _ first: Int) { self.values = values + first * Self.byteWidth }

  @inline(__always) subscript(_ row: Int) -> Value { values.loadUnaligned(fromByteOffset: row &* Self.byteWidth, as: Value.self) }
  @inline(__always) func areWhole(_ rows: Range<Int>) -> Bool { true }
}

/// The lower halves of decimals of 128 bits.
private struct ShortDecimals: NumberRows {
  static let byteWidth = 16
  private let values: UnsafeRawPointer

  init(_ values: UnsafeRawPointer, _ first: Int) { self.values = values + first * 16 }

  @inline(__always) subscript(_ row: Int) -> Int64 { values.loadUnaligned(fromByteOffset: row &* 16, as: Int64.self) }

  @inline(__always) func areWhole(_ rows: Range<Int>) -> Bool {
    var differing: Int64 = 0
    for row in rows { differing |= self[row] >> 63 ^ values.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: Int64.self) }
    return differing == 0
  }
}
