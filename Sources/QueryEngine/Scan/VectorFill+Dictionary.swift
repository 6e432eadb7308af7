import CArrow
import Glibc

extension VectorFill {
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
