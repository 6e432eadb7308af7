/// XXH64 (https://xxhash.com, by Yann Collet): names contents, keeps out no forger.
public struct XXHash64: Sendable {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private let seed: UInt64
  private var byteCount: UInt64 = 0
  /// Bytes that do not fill a stripe of 32 yet.
  private var rest: [UInt8] = []

  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = (seed &+ Self.prime1 &+ Self.prime2, seed &+ Self.prime2, seed, seed &- Self.prime1)
    rest.reserveCapacity(32)
  }

  public init(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0) {
    self.init(seed: seed)
    let bytes = Array(bytes)
    bytes.withUnsafeBytes { add($0) }
  }

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var position = 0
    if !rest.isEmpty {
      position = min(32 - rest.count, bytes.count)
      rest += bytes[..<position]
      guard rest.count == 32 else { return }
      let stripe = rest
      stripe.withUnsafeBytes { _ = addStripes($0) }
      rest.removeAll(keepingCapacity: true)
    }
    position += addStripes(UnsafeRawBufferPointer(rebasing: bytes[position...]))
    rest += bytes[position...]
  }

  public mutating func add(_ number: UInt64) {
    withUnsafeBytes(of: number.littleEndian) { add($0) }
  }

  /// The hash of what has been added so far.
  public var value: UInt64 {
    var hash = seed &+ Self.prime5
    if byteCount >= 32 {
      hash = rotated(lanes.0, 1) &+ rotated(lanes.1, 7) &+ rotated(lanes.2, 12) &+ rotated(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4 }
    }
    hash = hash &+ byteCount
    return rest.withUnsafeBytes { rest in
      var position = 0
      while rest.count - position >= 8 {
        let word = UInt64(littleEndian: rest.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        hash = rotated(hash ^ Self.round(0, word), 27) &* Self.prime1 &+ Self.prime4
        position += 8
      }
      if rest.count - position >= 4 {
        let word = UInt64(UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        hash = rotated(hash ^ word &* Self.prime1, 23) &* Self.prime2 &+ Self.prime3
        position += 4
      }
      for byte in rest[position...] { hash = rotated(hash ^ UInt64(byte) &* Self.prime5, 11) &* Self.prime1 }
      hash = (hash ^ hash >> 33) &* Self.prime2
      hash = (hash ^ hash >> 29) &* Self.prime3
      return hash ^ hash >> 32
    }
  }

  /// Sixteen hexadecimal digits.
  public var digits: String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.utf8.count) + text
  }

  /// Adds whole stripes; returns how many bytes these are.
  private mutating func addStripes(_ bytes: UnsafeRawBufferPointer) -> Int {
    let end = bytes.count & ~31
    guard end > 0 else { return 0 }
    var (first, second, third, fourth) = lanes
    var position = 0
    while position < end {
      first = Self.round(first, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
      second = Self.round(second, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)))
      third = Self.round(third, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt64.self)))
      fourth = Self.round(fourth, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 24, as: UInt64.self)))
      position += 32
    }
    lanes = (first, second, third, fourth)
    return end
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let sum = lane &+ word &* prime2
    return (sum << 31 | sum >> 33) &* prime1
  }

  private func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
