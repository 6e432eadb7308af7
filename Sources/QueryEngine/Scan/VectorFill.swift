import CArrow
import Glibc

/// Writes rows of an Arrow column into the memory of a flat DuckDB vector.
///
/// Strings are not copied where the scan's bind data keeps the batch until the query's result is destroyed: DuckDB's 16-byte headers
/// (length, then either up to 12 bytes or a 4-byte prefix and a pointer) point into the Arrow buffer. Else they go to the vector's heap.
struct VectorFill {
  let array: ArrowArray
  /// The first row, as an index into the array's buffers.
  let first: Int
  let count: Int
  /// Whether texts behind offsets are DuckDB's headers already.
  let hasHeaders: Bool

  init(_ column: UnsafePointer<ArrowArray>, row: Int, count: Int) {
    array = column.pointee
    first = Int(array.offset) + row
    (self.count, hasHeaders) = (count, false)
  }

  /// Rows that have been brought together, see `PickedColumn`.
  init(gathered array: ArrowArray, count: Int) { (self.array, first, self.count, hasHeaders) = (array, 0, count, true) }

  /// The validity bitmap, nil where every row is valid.
  var validity: UnsafePointer<UInt8>? {
    guard array.null_count != 0, let bitmap = array.buffers?[0] else { return nil }
    return bitmap.assumingMemoryBound(to: UInt8.self)
  }

  func values(_ buffer: Int = 1) -> UnsafeRawPointer? { array.buffers?[buffer].map { UnsafeRawPointer($0) } }

  /// Copies `count` bits from Arrow's bitmap into DuckDB's words.
  func copyValidity(_ bitmap: UnsafePointer<UInt8>, to words: UnsafeMutablePointer<UInt64>) {
    let target = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self)
    let shift = UInt8(first & 7)
    let firstByte = first >> 3
    let byteCount = (count + 7) >> 3
    if shift == 0 {
      memcpy(target, bitmap + firstByte, byteCount)
      return
    }
    let lastByte = (first + count - 1) >> 3
    for byte in 0..<byteCount {
      let at = firstByte + byte
      let high: UInt8 = at < lastByte ? bitmap[at + 1] : 0
      target[byte] = bitmap[at] >> shift | high << (8 - shift)
    }
  }

  func fill(fixed width: Int, to target: UnsafeMutableRawPointer) {
    guard let source = values() else { return }
    memcpy(target, source + first * width, count * width)
  }

  /// Has values fetched that come after these: to wait for memory while DuckDB works on what has been filled.
  func prefetch(fixed width: Int, count upcoming: Int) {
    guard upcoming > 0, let source = values() else { return }
    prefetch_bytes(source + (first + count) * width, upcoming * width)
  }

  /// Whole numbers of `width` bytes from their distances to `base`.
  func fill(narrow bytes: Int, base: Int64, width: Int, to target: UnsafeMutableRawPointer) {
    switch width {
    case 2: widen(bytes, UInt16(truncatingIfNeeded: base), target.assumingMemoryBound(to: UInt16.self))
    case 4: widen(bytes, UInt32(truncatingIfNeeded: base), target.assumingMemoryBound(to: UInt32.self))
    default: widen(bytes, UInt64(truncatingIfNeeded: base), target.assumingMemoryBound(to: UInt64.self))
    }
  }

  @inline(__always)
  private func widen<Value: FixedWidthInteger>(_ bytes: Int, _ base: Value, _ target: UnsafeMutablePointer<Value>) {
    switch bytes {
    case 1: widen(UInt8.self, base, target)
    case 2: widen(UInt16.self, base, target)
    case 4: widen(UInt32.self, base, target)
    default: widen(UInt64.self, base, target)
    }
  }

  @inline(__always)
  private func widen<Narrow: FixedWidthInteger, Value: FixedWidthInteger>(_: Narrow.Type, _ base: Value, _ target: UnsafeMutablePointer<Value>) {
    guard let source = values()?.assumingMemoryBound(to: Narrow.self) else { return }
    let distances = source + first
    for row in 0..<count { target[row] = Value(truncatingIfNeeded: distances[row]) &+ base }
  }

  func fillBits(to target: UnsafeMutableRawPointer) {
    guard let source = values()?.assumingMemoryBound(to: UInt8.self) else { return }
    let bytes = target.assumingMemoryBound(to: UInt8.self)
    for row in 0..<count {
      let bit = first &+ row
      bytes[row] = source[bit >> 3] >> UInt8(truncatingIfNeeded: bit & 7) & 1
    }
  }

  func fillHalfFloats(to target: UnsafeMutableRawPointer) {
    guard let source = values()?.assumingMemoryBound(to: UInt16.self) else { return }
    let floats = target.assumingMemoryBound(to: Float.self)
    for row in 0..<count { floats[row] = widened(source[first + row]) }
  }

  /// Decimals of 128 bits in fewer; false where one of them has more digits than its type says.
  func fillDecimals(bytes: Int, to target: UnsafeMutableRawPointer) -> Bool {
    switch bytes {
    case 2: return fillDecimals(Int16.self, to: target)
    case 4: return fillDecimals(Int32.self, to: target)
    case 8: return fillDecimals(Int64.self, to: target)
    default:
      fill(fixed: 16, to: target)
      return true
    }
  }

  private func fillDecimals<Value: FixedWidthInteger & SignedInteger>(_: Value.Type, to target: UnsafeMutableRawPointer) -> Bool {
    guard let source = values() else { return true }
    let halves = source + first * 16
    let values = target.assumingMemoryBound(to: Value.self)
    var differing: Int64 = 0
    for row in 0..<count {
      let low = halves.loadUnaligned(fromByteOffset: row &* 16, as: Int64.self)
      let high = halves.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: Int64.self)
      let value = Value(truncatingIfNeeded: low)
      values[row] = value
      differing |= (Int64(value) ^ low) | (high ^ (low >> 63))
    }
    guard differing != 0 else { return true }
    // What lies under a null may be anything.
    guard let validity else { return false }
    for row in 0..<count where validity[(first + row) >> 3] >> UInt8((first + row) & 7) & 1 == 1 {
      let wide = halves.loadUnaligned(fromByteOffset: row * 16, as: Int128.self)
      if Value(exactly: wide) == nil { return false }
    }
    return true
  }
}

/// IEEE 754 binary16 to binary32. Not `Float16`: that needs a runtime function where the processor has no F16C.
private func widened(_ half: UInt16) -> Float {
  let sign = UInt32(half & 0x8000) << 16
  let exponent = UInt32(half >> 10 & 0x1f)
  let fraction = UInt32(half & 0x3ff)
  switch exponent {
  case 0:
    let magnitude = Float(fraction) * 0x1p-24
    return sign == 0 ? magnitude : -magnitude
  case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
