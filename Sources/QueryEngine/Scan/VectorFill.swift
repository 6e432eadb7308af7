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
  private let hasHeaders: Bool

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

  func fillText<Failure: Error>(offsetBytes: Int, to target: UnsafeMutableRawPointer, heap: StringHeap<Failure>?) throws(Failure) {
    if offsetBytes == 4 {
      try fillText(offsets: Int32.self, to: target, heap: heap)
    } else {
      try fillText(offsets: Int64.self, to: target, heap: heap)
    }
  }

  /// Text or bytes behind offsets.
  ///
  /// - Parameter heap: where the bytes go; nil: they stay where they are.
  func fillText<Offset: FixedWidthInteger, Failure: Error>(
    offsets: Offset.Type, to target: UnsafeMutableRawPointer, heap: StringHeap<Failure>?
  ) throws(Failure) {
    guard let all = values(1)?.assumingMemoryBound(to: Offset.self), var bytes = values(2) else {
      memset(target, 0, count * 16)
      return
    }
    if hasHeaders {
      memcpy(target, all, count * 16)
      try heap?.adopt(target, count: count)
      return
    }
    let offsets = all + first
    // Short strings are read as 12 bytes at once, which the last ones of the buffer must not be.
    var lastWide = Int(all[Int(array.offset + array.length)]) - 12
    var start = Int(offsets[0])
    let end = Int(offsets[count])
    let isWhole = end - start <= StringHeap<Failure>.limitBytes
    if let heap, isWhole, end - start > 12 {
      // All rows' at once: where one is short, its bytes are few.
      bytes = UnsafeRawPointer(try heap.copy(bytes + start, end - start)) - start
      lastWide = end - 12
    }
    var header = target
    for row in 0..<count {
      let end = Int(offsets[row &+ 1])
      let length = end &- start
      if length <= 12, start <= lastWide {
        StringHeader.writeShort(bytes + start, length, to: header)
      } else {
        StringHeader.write(bytes + start, length, to: header)
      }
      start = end
      header += 16
    }
    if !isWhole { try heap?.adopt(target, count: count) }
  }

  /// Views: the same 16 bytes but for a buffer index and an offset where DuckDB has a pointer.
  func fillViews(to target: UnsafeMutableRawPointer) {
    guard let source = values() else { return }
    memcpy(target, source + first * 16, count * 16)
    let validity = validity
    let dataBuffers = Int(array.n_buffers) - 3
    var header = target
    for row in 0..<count {
      if header.load(as: Int32.self) > 12 {
        let index = Int((header + 8).load(as: Int32.self))
        let offset = Int((header + 12).load(as: Int32.self))
        // What a null's view holds is undefined.
        let isValid = validity.map { $0[(first + row) >> 3] >> UInt8((first + row) & 7) & 1 == 1 } ?? true
        if isValid, index >= 0, index < dataBuffers, let data = array.buffers[2 + index] {
          (header + 8).storeBytes(of: data + offset, as: UnsafeRawPointer.self)
        } else {
          memset(header, 0, 16)
        }
      }
      header += 16
    }
  }

  /// Calls `body` with each row and its place in the dictionary's buffers. `markNull` is called for the rows whose dictionary value is
  /// null; null indices are in the column's own validity.
  @inline(__always)
  private func forEachIndex(_ indexBytes: Int, markNull: (Int) -> Void, _ body: (_ row: Int, _ place: Int) -> Void) {
    guard let dictionary = array.dictionary?.pointee, let indices = values() else { return }
    let valueValidity = dictionary.null_count == 0 ? nil : dictionary.buffers?[0]?.assumingMemoryBound(to: UInt8.self)
    let validity = validity
    for row in 0..<count {
      let at = first + row
      if let validity, validity[at >> 3] >> UInt8(at & 7) & 1 == 0 { continue }
      let index: Int =
        switch indexBytes {
        case 1: Int(indices.load(fromByteOffset: at, as: UInt8.self))
        case 2: Int(indices.load(fromByteOffset: at * 2, as: UInt16.self))
        case 4: Int(indices.load(fromByteOffset: at * 4, as: UInt32.self))
        default: Int(truncatingIfNeeded: indices.load(fromByteOffset: at * 8, as: Int64.self))
        }
      guard index >= 0, index < Int(dictionary.length) else {
        markNull(row)
        continue
      }
      let place = index + Int(dictionary.offset)
      if let valueValidity, valueValidity[place >> 3] >> UInt8(place & 7) & 1 == 0 { markNull(row) } else { body(row, place) }
    }
  }

  /// For each row the place of its value in the dictionary; `valueCount` for nulls and for what is outside of the dictionary.
  func fillPlaces(indexBytes: Int, valueCount: Int, to places: UnsafeMutablePointer<UInt32>) {
    switch indexBytes {
    case 1: fillPlaces(UInt8.self, valueCount, places)
    case 2: fillPlaces(UInt16.self, valueCount, places)
    case 4: fillPlaces(UInt32.self, valueCount, places)
    default: fillPlaces(UInt64.self, valueCount, places)
    }
  }

  @inline(__always)
  private func fillPlaces<Index: FixedWidthInteger & UnsignedInteger>(
    _ type: Index.Type, _ valueCount: Int, _ places: UnsafeMutablePointer<UInt32>
  ) {
    let null = UInt32(truncatingIfNeeded: valueCount)
    guard let values = values() else { return places.update(repeating: null, count: count) }
    let indices = values.assumingMemoryBound(to: Index.self) + first
    // In numbers that hold both, as small as they may be: the loop then takes several at once.
    if Index.bitWidth <= 32 {
      for row in 0..<count { places[row] = min(UInt32(truncatingIfNeeded: indices[row]), null) }
    } else {
      for row in 0..<count { places[row] = UInt32(truncatingIfNeeded: min(UInt64(truncatingIfNeeded: indices[row]), UInt64(null))) }
    }
    guard let validity else { return }
    for row in 0..<count where validity[(first + row) >> 3] >> UInt8((first + row) & 7) & 1 == 0 { places[row] = null }
  }

  /// Rows of a dictionary of texts; `headers` where the thread has them.
  func fillDictionaryText(
    indexBytes: Int, offsetBytes: Int, headers: DictionaryHeaders?, to target: UnsafeMutableRawPointer, markNull: (Int) -> Void
  ) {
    if let headers { return headers.fill(self, indexBytes: indexBytes, to: target, markNull: markNull) }
    if offsetBytes == 4 {
      fillDictionaryText(indexBytes: indexBytes, offsets: Int32.self, to: target, markNull: markNull)
    } else {
      fillDictionaryText(indexBytes: indexBytes, offsets: Int64.self, to: target, markNull: markNull)
    }
  }

  private func fillDictionaryText<Offset: FixedWidthInteger>(
    indexBytes: Int, offsets: Offset.Type, to target: UnsafeMutableRawPointer, markNull: (Int) -> Void
  ) {
    memset(target, 0, count * 16)
    guard let dictionary = array.dictionary?.pointee, let offsets = dictionary.buffers?[1]?.assumingMemoryBound(to: Offset.self) else { return }
    let bytes = dictionary.buffers[2] ?? UnsafeRawPointer(offsets)
    forEachIndex(indexBytes, markNull: markNull) { row, place in
      let start = Int(offsets[place])
      StringHeader.write(bytes + start, Int(offsets[place + 1]) - start, to: target + row * 16)
    }
  }

  func fillDictionary(indexBytes: Int, fixed width: Int, to target: UnsafeMutableRawPointer, markNull: (Int) -> Void) {
    memset(target, 0, count * width)
    guard let bytes = array.dictionary?.pointee.buffers?[1] else { return }
    forEachIndex(indexBytes, markNull: markNull) { row, place in
      memcpy(target + row * width, bytes + place * width, width)
    }
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
