import CCompression

/// The CRC-32C of bytes (Castagnoli's polynomial, as in iSCSI and RFC 3720): finds damage, keeps out no forger.
public struct CRC32C: Hashable, Sendable {
  /// The checksum of what has been added so far; 0 at first.
  public private(set) var value: UInt32 = 0

  public init() {}

  public init(_ bytes: UnsafeRawBufferPointer) { add(bytes) }

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    let state = ~value
    value = ~(isInHardware ? updateByInstruction(state, start.assumingMemoryBound(to: UInt8.self), bytes.count) : updateByTables(state, bytes))
  }

  /// Adds bytes whose own checksum is known.
  public mutating func add(_ other: UInt32, byteCount: Int) {
    value = multiply(power(byteCount: byteCount), value) ^ other
  }

  /// By tables alone, as processors without the instruction compute it.
  static func portable(_ bytes: UnsafeRawBufferPointer) -> UInt32 { ~updateByTables(~0, bytes) }
}

private let isInHardware = crc32c_hardware_is_available() != 0

/// Large enough that putting three stretches together costs little beside computing them.
private let stretch = 16 << 10
private let overOne = power(byteCount: stretch)
private let overTwo = power(byteCount: 2 * stretch)

private func updateByInstruction(_ state: UInt32, _ bytes: UnsafePointer<UInt8>, _ byteCount: Int) -> UInt32 {
  var state = state
  var done = 0
  while byteCount - done >= 3 * stretch {
    let states = crc32c_hardware_three(state, bytes + done, stretch)
    state = multiply(overTwo, states.first) ^ multiply(overOne, states.second) ^ states.third
    done += 3 * stretch
  }
  return crc32c_hardware(state, bytes + done, byteCount - done)
}

/// Eight bytes a step: table k has the remainders of a byte that k zero bytes follow.
private func updateByTables(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
  tables.withUnsafeBufferPointer { tables in
    var state = state
    var position = 0
    while bytes.count - position >= 8 {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(state)
      state = 0
      for byte in 0..<8 { state ^= tables[(7 - byte) << 8 | Int(word >> UInt64(8 * byte) & 0xff)] }
      position += 8
    }
    while position < bytes.count {
      state = state >> 8 ^ tables[Int((state ^ UInt32(bytes[position])) & 0xff)]
      position += 1
    }
    return state
  }
}

/// The polynomial, lowest power in the highest bit.
private let polynomial: UInt32 = 0x82f6_3b78

private let tables: [UInt32] = {
  var tables = [UInt32](repeating: 0, count: 8 << 8)
  for byte in 0..<256 {
    var remainder = UInt32(byte)
    for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 0 ? 0 : polynomial) }
    tables[byte] = remainder
  }
  for index in 256..<tables.count { tables[index] = tables[index - 256] >> 8 ^ tables[Int(tables[index - 256] & 0xff)] }
  return tables
}()

/// The product of two polynomials modulo the polynomial.
private func multiply(_ left: UInt32, _ right: UInt32) -> UInt32 {
  var left = left
  var right = right
  var product: UInt32 = 0
  while left != 0 {
    if left & 1 << 31 != 0 { product ^= right }
    left <<= 1
    right = right >> 1 ^ (right & 1 == 0 ? 0 : polynomial)
  }
  return product
}

/// x to the power of 2^k.
private let squares: [UInt32] = {
  var squares: [UInt32] = [1 << 30]
  while squares.count < 64 { squares.append(multiply(squares[squares.count - 1], squares[squares.count - 1])) }
  return squares
}()

/// What a remainder is multiplied by when so many zero bytes follow.
private func power(byteCount: Int) -> UInt32 {
  var result: UInt32 = 1 << 31
  var rest = UInt(max(0, byteCount))
  var index = 3
  while rest != 0, index < squares.count {
    if rest & 1 == 1 { result = multiply(squares[index], result) }
    rest >>= 1
    index += 1
  }
  return result
}
