import Primitives

/// One message of a file: its metadata, then its buffers.
struct IPCMessage {
  enum Kind {
    case dictionary(id: Int)
    case batch
  }

  let kind: Kind
  let rowCount: Int
  let plan: BodyPlan

  var isBatch: Bool {
    if case .batch = kind { return true }
    return false
  }

  /// The metadata, as it stands in the file from `position` on: with its size in front, padded so that the body starts at a multiple of
  /// 64 bytes. Its size does not depend on `places`, the offset and size of each buffer in the body.
  func metadata(places: [Int], bodyBytes: Int, compression: IPCCompression, position: Int) -> [UInt8] {
    let compressed = compression.flatNumber.map { FlatSlot.table([.int8($0), .int8(0)]) }
    let batch: [FlatSlot?] = [
      .int64(rowCount), .object(.structures(plan.nodes, words: 2)), .object(.structures(places, words: 2)), compressed,
      plan.variadicCounts.isEmpty ? nil : .object(.structures(plan.variadicCounts, words: 1)),
    ]
    switch kind {
    case .batch: return Self.framed(FlatMessage.batch, .table(batch), bodyBytes: bodyBytes, position: position)
    case .dictionary(let id):
      return Self.framed(FlatMessage.dictionary, .table([.int64(id), .table(batch), .bool(false)]), bodyBytes: bodyBytes, position: position)
    }
  }

  static func schema(_ schema: FlatObject, position: Int) -> [UInt8] {
    framed(FlatMessage.schema, .object(schema), bodyBytes: 0, position: position)
  }

  private static func framed(_ number: Int, _ header: FlatSlot, bodyBytes: Int, position: Int) -> [UInt8] {
    let message = FlatObject.table([.int16(FlatMessage.version), .int8(number), header, .int64(bodyBytes)]).encoded
    let total = aligned(position + 8 + message.count) - position
    var bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff]
    bytes += littleEndian(total - 8)
    bytes += message
    return bytes + [UInt8](repeating: 0, count: total - bytes.count)
  }
}

/// The next multiple of 64.
func aligned(_ position: Int) -> Int { (position + 63) & ~63 }

/// A 32-bit number as it stands in files.
func littleEndian(_ number: Int) -> [UInt8] { withUnsafeBytes(of: Int32(truncatingIfNeeded: number).littleEndian) { [UInt8]($0) } }
