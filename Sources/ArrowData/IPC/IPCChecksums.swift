import Primitives

/// The checksums that a file keeps of itself in its footer, as text that every reader lets pass.
///
/// For each message (the schema, then dictionaries, then batches, each in the order of the footer) the CRC-32C of its metadata and of
/// each of its buffers as stored, in hexadecimal; messages are separated by commas. The footer has one of its own, the seal,
/// taken with zeros in its place.
struct IPCChecksums: Equatable {
  var messages: [[UInt32]] = []

  static let key = "arrow_cache.checksums"
  static let sealKey = "arrow_cache.seal"
  static let formatKey = "arrow_cache.format"
  /// The version of what this engine adds to Arrow's format. Readers take files of their own version and all before it.
  static let format = 1
  static let emptySeal = [UInt8](repeating: UInt8(ascii: "0"), count: 8)

  init() {}

  /// Whether a pair of a footer's metadata is the file's own business.
  static func isReserved(_ pair: KeyValue) -> Bool {
    [key, sealKey, formatKey].contains { pair.key.elementsEqual($0.utf8) } || DictionaryFacts.isFact(pair)
  }

  var text: [UInt8] {
    var text: [UInt8] = []
    for message in messages {
      if !text.isEmpty { text.append(UInt8(ascii: ",")) }
      for checksum in message { text += Self.digits(checksum) }
    }
    return text
  }

  init(text: [UInt8]) throws(CacheError) {
    for message in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard message.count % 8 == 0 else { throw damaged("its checksums are cut") }
      var checksums: [UInt32] = []
      for start in stride(from: message.startIndex, to: message.endIndex, by: 8) {
        guard let checksum = Self.number(message[start..<(start + 8)]) else { throw damaged("its checksums are not numbers") }
        checksums.append(checksum)
      }
      messages.append(checksums)
    }
  }

  static func digits(_ checksum: UInt32) -> [UInt8] {
    (0..<8).map { index in
      let digit = UInt8(truncatingIfNeeded: checksum >> UInt32(28 - 4 * index)) & 0xf
      return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
  }

  static func number(_ digits: some Sequence<UInt8>) -> UInt32? {
    var number: UInt32 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return number
  }

  /// Where the value of the seal lies in a footer; nil where it has none.
  static func sealPlace(_ footer: FlatTable, _ budget: MetadataBudget) throws(CacheError) -> Range<Int>? {
    for pair in try footer.tables(4, budget) where footer.bytes[try pair.span(0)].elementsEqual(sealKey.utf8) {
      let place = try pair.span(1)
      guard place.count == 8 else { throw damaged("its seal has \(place.count) digits") }
      return place
    }
    return nil
  }

  /// The checksum of a footer with zeros in place of its seal.
  static func seal(_ footer: UnsafeRawBufferPointer, place: Range<Int>) -> UInt32 {
    var checksum = CRC32C(UnsafeRawBufferPointer(rebasing: footer[..<place.lowerBound]))
    emptySeal.withUnsafeBytes { checksum.add($0) }
    checksum.add(UnsafeRawBufferPointer(rebasing: footer[place.upperBound...]))
    return checksum.value
  }
}
