/// The number of ones among `count` bits from bit `from`.
func countOnes(_ bits: UnsafeRawPointer, from: Int, count: Int) -> Int {
  var index = from
  let end = from + count
  var ones = 0
  func byte(_ index: Int) -> UInt8 { bits.load(fromByteOffset: index >> 3, as: UInt8.self) }
  while index < end, index & 7 != 0 {
    ones += Int(byte(index) >> UInt8(index & 7) & 1)
    index += 1
  }
  while index + 64 <= end {
    ones += bits.loadUnaligned(fromByteOffset: index >> 3, as: UInt64.self).nonzeroBitCount
    index += 64
  }
  while index + 8 <= end {
    ones += byte(index).nonzeroBitCount
    index += 8
  }
  if index < end { ones += (byte(index) & (1 << UInt8(end - index) - 1)).nonzeroBitCount }
  return ones
}

/// 64 bits from bit `from`, of which the first `count` are meant; reads no byte beyond theirs.
@inline(__always)
func loadBits(_ bits: UnsafeRawPointer, from: Int, count: Int) -> UInt64 {
  let first = from >> 3
  let shift = UInt64(from & 7)
  let byteCount = (from & 7 + count + 7) >> 3
  if byteCount >= 8 {
    let low = bits.loadUnaligned(fromByteOffset: first, as: UInt64.self) >> shift
    guard byteCount > 8 else { return low }
    return low | UInt64(bits.load(fromByteOffset: first + 8, as: UInt8.self)) << (64 - shift)
  }
  var word: UInt64 = 0
  for index in 0..<byteCount { word |= UInt64(bits.load(fromByteOffset: first + index, as: UInt8.self)) << UInt64(index * 8) }
  return word >> shift
}

/// Copies `count` bits from bit `from` to the start of `target`; bits of the last byte beyond them are zero.
func copyBits(_ bits: UnsafeRawPointer, from: Int, count: Int, to target: UnsafeMutableRawPointer) {
  guard count > 0 else { return }
  if from & 7 == 0 {
    target.copyMemory(from: bits + from >> 3, byteCount: (count + 7) >> 3)
  } else {
    for word in 0..<(count >> 6) {
      target.storeBytes(of: loadBits(bits, from: from + word << 6, count: 64), toByteOffset: word << 3, as: UInt64.self)
    }
    let done = count & ~63
    var rest = done < count ? loadBits(bits, from: from + done, count: count - done) : 0
    for index in (done >> 3)..<((count + 7) >> 3) {
      target.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: index, as: UInt8.self)
      rest >>= 8
    }
  }
  if count & 7 != 0 {
    let last = target + (count - 1) >> 3
    last.storeBytes(of: last.load(as: UInt8.self) & (1 << UInt8(count & 7) - 1), as: UInt8.self)
  }
}
