import Primitives

/// Why bytes of a file cannot be read; whoever opened the file adds its path.
func damaged(_ what: String) -> CacheError { CacheError(.storage, what) }

/// A little-endian integer at any place of bytes that nobody vouches for.
@inline(__always)
func load<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ offset: Int, as _: Number.Type) throws(CacheError) -> Number {
  guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else {
    throw damaged("its metadata refers to byte \(offset) of \(bytes.count)")
  }
  return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
}

/// How much a reader of metadata may make of it: FlatBuffers may refer to the same bytes any number of times, so a few of them
/// can describe a schema without end.
final class MetadataBudget {
  private var fields: Int
  private var bytes: Int

  /// For metadata of this size; nothing that says each thing once comes near.
  init(byteCount: Int) { (fields, bytes) = (byteCount, 8 * byteCount) }

  func takeField() throws(CacheError) {
    fields -= 1
    guard fields >= 0 else { throw damaged("its schema has more fields than its bytes can name") }
  }

  func take(byteCount: Int) throws(CacheError) {
    bytes -= byteCount
    guard bytes >= 0 else { throw damaged("its metadata has more text than its bytes can hold") }
  }
}

/// A table in FlatBuffers of a file: every offset is checked before it is followed. Slots are numbered in the order of the
/// table's declaration in Arrow's Schema.fbs, Message.fbs and File.fbs.
struct FlatTable {
  let bytes: UnsafeRawBufferPointer
  private let position: Int
  private let slots: Int
  private let slotBytes: Int

  init(root bytes: UnsafeRawBufferPointer) throws(CacheError) { try self.init(bytes, at: Int(try load(bytes, 0, as: UInt32.self))) }

  init(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(CacheError) {
    (self.bytes, self.position) = (bytes, position)
    slots = position - Int(try load(bytes, position, as: Int32.self))
    slotBytes = Int(try load(bytes, slots, as: UInt16.self))
    guard slotBytes >= 4, slots <= bytes.count - slotBytes else { throw damaged("its metadata has a table without an end") }
  }

  private func place(_ slot: Int) throws(CacheError) -> Int? {
    guard 6 + 2 * slot <= slotBytes else { return nil }
    let offset = try load(bytes, slots + 4 + 2 * slot, as: UInt16.self)
    return offset == 0 ? nil : position + Int(offset)
  }

  private func target(_ slot: Int) throws(CacheError) -> Int? {
    guard let place = try place(slot) else { return nil }
    return place + Int(try load(bytes, place, as: UInt32.self))
  }

  func int<Number: FixedWidthInteger>(_ slot: Int, _ type: Number.Type, default absent: Int = 0) throws(CacheError) -> Int {
    guard let place = try place(slot) else { return absent }
    guard let value = Int(exactly: try load(bytes, place, as: type)) else { throw damaged("its metadata has a number out of range") }
    return value
  }

  func bool(_ slot: Int) throws(CacheError) -> Bool { try int(slot, UInt8.self) != 0 }

  func table(_ slot: Int) throws(CacheError) -> FlatTable? {
    guard let target = try target(slot) else { return nil }
    return try FlatTable(bytes, at: target)
  }

  /// Where a vector's elements start, and how many there are; all of them lie in the bytes.
  func vector(_ slot: Int, stride: Int) throws(CacheError) -> FlatVector {
    guard let target = try target(slot) else { return FlatVector(bytes: bytes, start: 0, count: 0, stride: stride) }
    let count = Int(try load(bytes, target, as: UInt32.self))
    guard count <= (bytes.count - target - 4) / stride else { throw damaged("its metadata has a list of \(count) that ends beyond it") }
    return FlatVector(bytes: bytes, start: target + 4, count: count, stride: stride)
  }

  func tables(_ slot: Int, _ budget: MetadataBudget) throws(CacheError) -> [FlatTable] {
    let vector = try vector(slot, stride: 4)
    try budget.take(byteCount: 8 * vector.count)
    var tables: [FlatTable] = []
    tables.reserveCapacity(vector.count)
    for index in 0..<vector.count {
      let place = vector.start + 4 * index
      tables.append(try FlatTable(bytes, at: place + Int(try load(bytes, place, as: UInt32.self))))
    }
    return tables
  }

  /// The bytes of a string or a list of bytes, without a zero at the end.
  func span(_ slot: Int) throws(CacheError) -> Range<Int> {
    let vector = try vector(slot, stride: 1)
    return vector.start..<(vector.start + vector.count)
  }

  func string(_ slot: Int, _ budget: MetadataBudget) throws(CacheError) -> [UInt8] {
    let span = try span(slot)
    try budget.take(byteCount: span.count)
    return [UInt8](bytes[span])
  }

  func text(_ slot: Int, _ what: String, _ budget: MetadataBudget) throws(CacheError) -> String {
    let string = try string(slot, budget)
    guard let text = String(validating: string, as: UTF8.self), !string.contains(0) else {
      throw CacheError(.type, "\(what) is not UTF-8, or has a zero byte: rename it")
    }
    return text
  }

  func keyValues(_ slot: Int, _ budget: MetadataBudget) throws(CacheError) -> KeyValues {
    var pairs: KeyValues = []
    for pair in try tables(slot, budget) {
      pairs.append(KeyValue(key: try pair.string(0, budget), value: try pair.string(1, budget)))
    }
    return pairs
  }
}

/// A list of numbers, or of structures of numbers, in FlatBuffers: within its bytes, whoever made it.
struct FlatVector {
  let bytes: UnsafeRawBufferPointer
  let start: Int
  let count: Int
  let stride: Int

  /// The number at `offset` in element `index`.
  func int<Number: FixedWidthInteger>(_ index: Int, offset: Int = 0, _ type: Number.Type) throws(CacheError) -> Int {
    guard index >= 0, index < count else { throw damaged("its metadata lacks element \(index) of a list of \(count)") }
    guard let value = Int(exactly: try load(bytes, start + index * stride + offset, as: type)) else {
      throw damaged("its metadata has a number out of range")
    }
    return value
  }
}
