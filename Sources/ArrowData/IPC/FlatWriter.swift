/// What a slot of a FlatBuffers table holds: a number in place, or a reference to an object.
enum FlatSlot {
  case int8(Int)
  case int16(Int)
  case int32(Int)
  case int64(Int)
  case object(FlatObject)

  static func bool(_ value: Bool) -> FlatSlot { .int8(value ? 1 : 0) }
  static func string(_ text: String) -> FlatSlot { .object(.bytes([UInt8](text.utf8))) }
  static func table(_ slots: [FlatSlot?]) -> FlatSlot { .object(.table(slots)) }
  static func tables(_ objects: [FlatObject]) -> FlatSlot { .object(.tables(objects)) }

  fileprivate var byteCount: Int {
    switch self {
    case .int8: 1
    case .int16: 2
    case .int32, .object: 4
    case .int64: 8
    }
  }
}

indirect enum FlatObject {
  case bytes([UInt8])
  /// A slot for each field in the order of the table's declaration; nil: absent.
  case table([FlatSlot?])
  case tables([FlatObject])
  case int32s([Int])
  /// Structures of 64-bit numbers, so many each, one after another.
  case structures([Int], words: Int)

  /// The finished buffer of a root table. Its size does not depend on the numbers in it.
  var encoded: [UInt8] {
    var writer = FlatWriter()
    writer.link(0, to: writer.write(self))
    return writer.bytes
  }
}

/// Writes parents before what they refer to, so that every offset points forward as FlatBuffers asks.
private struct FlatWriter {
  var bytes: [UInt8] = [0, 0, 0, 0]

  private mutating func put<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Pads so that what comes after `lead` more bytes is aligned.
  private mutating func align(_ alignment: Int, before lead: Int = 0) {
    while (bytes.count + lead) % alignment != 0 { bytes.append(0) }
  }

  private mutating func store<Number: FixedWidthInteger>(_ value: Number, at position: Int) {
    withUnsafeBytes(of: value.littleEndian) { source in
      for index in 0..<source.count { bytes[position + index] = source[index] }
    }
  }

  mutating func link(_ position: Int, to target: Int) { store(UInt32(truncatingIfNeeded: target - position), at: position) }

  /// Writes the object and what it refers to; returns where it is.
  mutating func write(_ object: FlatObject) -> Int {
    switch object {
    case .bytes(let string):
      let position = startVector(count: string.count)
      bytes += string
      bytes.append(0)
      return position
    case .int32s(let values):
      let position = startVector(count: values.count)
      for value in values { put(Int32(truncatingIfNeeded: value)) }
      return position
    case .structures(let values, let words):
      align(8, before: 4)
      let position = startVector(count: values.count / words)
      bytes.reserveCapacity(bytes.count + 8 * values.count)
      for value in values { put(Int64(value)) }
      return position
    case .tables(let objects):
      let position = startVector(count: objects.count)
      for _ in objects { put(UInt32(0)) }
      for (index, object) in objects.enumerated() { link(position + 4 + 4 * index, to: write(object)) }
      return position
    case .table(let slots): return writeTable(slots)
    }
  }

  private mutating func startVector(count: Int) -> Int {
    align(4)
    put(UInt32(truncatingIfNeeded: count))
    return bytes.count - 4
  }

  private mutating func writeTable(_ slots: [FlatSlot?]) -> Int {
    let slotBytes = 4 + 2 * slots.count
    align(8, before: slotBytes)
    let start = bytes.count
    put(UInt16(truncatingIfNeeded: slotBytes))
    bytes += [UInt8](repeating: 0, count: 2 + 2 * slots.count)
    let position = bytes.count
    put(Int32(truncatingIfNeeded: slotBytes))
    var references: [(position: Int, object: FlatObject)] = []
    for (index, slot) in slots.enumerated() {
      guard let slot else { continue }
      align(slot.byteCount)
      store(UInt16(truncatingIfNeeded: bytes.count - position), at: start + 4 + 2 * index)
      switch slot {
      case .int8(let value): put(Int8(truncatingIfNeeded: value))
      case .int16(let value): put(Int16(truncatingIfNeeded: value))
      case .int32(let value): put(Int32(truncatingIfNeeded: value))
      case .int64(let value): put(Int64(value))
      case .object(let object):
        references.append((bytes.count, object))
        put(UInt32(0))
      }
    }
    store(UInt16(truncatingIfNeeded: bytes.count - position), at: start + 2)
    for (place, object) in references { link(place, to: write(object)) }
    return position
  }
}
