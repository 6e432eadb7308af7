import CArrow
import Glibc

extension ValueRange {
  /// Bounds longer than this are cut.
  static let longestBound = 64

  /// Unknown where an offset lies outside the data: then nothing of the column can be trusted.
  func textBounds<Offset: FixedWidthInteger & SignedInteger>(_: Offset.Type) -> ColumnStatistics.Bounds {
    guard count > 0, let buffer = array.buffer(1) else { return .noValues }
    let offsets = buffer.assumingMemoryBound(to: Offset.self) + first
    let end = array.valueOffset(array.start + array.count, width: MemoryLayout<Offset>.size)
    guard end >= 0 else { return .unknown }
    // Without data every text is empty, wherever its offsets point.
    let data = array.buffer(2)
    var extremes = TextExtremes(dataEnd: data.map { $0 + end })
    var isBroken = false
    eachWord { rows, valid in
      var rest = valid
      while rest != 0 {
        let row = rows.lowerBound + rest.trailingZeroBitCount
        rest &= rest - 1
        let start = Int(offsets[row])
        let stop = Int(offsets[row + 1])
        if start < 0 || stop < start || stop > end || data == nil && stop > start {
          isBroken = true
          return
        }
        extremes.add(data.map { $0 + start } ?? CopyMemory.empty, stop - start)
      }
    }
    return isBroken ? .unknown : extremes.bounds
  }

  func viewBounds() -> ColumnStatistics.Bounds {
    guard count > 0, let views = array.buffer(1) else { return .noValues }
    var extremes = TextExtremes(dataEnd: nil)
    var isBroken = false
    eachWord { rows, valid in
      var rest = valid
      while rest != 0 {
        let view = views + (first + rows.lowerBound + rest.trailingZeroBitCount) * 16
        rest &= rest - 1
        let length = Int(view.loadUnaligned(as: Int32.self))
        if (0...12).contains(length) {
          extremes.add(view + 4, length)
          continue
        }
        let buffer = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        let offset = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
        guard length > 0, buffer >= 0, buffer < array.variadicCount, offset >= 0, offset + length <= array.variadicSize(buffer),
          let data = array.buffer(2 + buffer)
        else {
          isBroken = true
          return
        }
        extremes.add(data + offset, length)
      }
    }
    return isBroken ? .unknown : extremes.bounds
  }

  /// Bounds of texts that the cache has encoded: of those values of the dictionary that the rows have.
  func encodedTextBounds(_ indexFormat: String) -> ColumnStatistics.Bounds {
    guard count > 0, let indices = array.buffer(1), let dictionary = array.dictionary?.pointee else { return .noValues }
    guard let values = OffsetTexts<Int32>(dictionary) else { return .unknown }
    var isUsed = [Bool](repeating: false, count: dictionary.count)
    var isBroken = false
    eachWord { rows, valid in
      var rest = valid
      while rest != 0 {
        let element = first + rows.lowerBound + rest.trailingZeroBitCount
        rest &= rest - 1
        let code =
          indexFormat == "C"
          ? Int(indices.load(fromByteOffset: element, as: UInt8.self)) : Int(indices.load(fromByteOffset: element * 2, as: UInt16.self))
        if code < isUsed.count { isUsed[code] = true } else { isBroken = true }
      }
    }
    var extremes = TextExtremes(dataEnd: nil)
    for code in isUsed.indices where isUsed[code] {
      guard let value = values.value(dictionary.start + code) else { return .unknown }
      extremes.add(value.start, value.count)
    }
    return isBroken ? .unknown : extremes.bounds
  }
}

/// The smallest and the largest of the texts added, by bytes. Most are judged by their first eight bytes, read as one number.
private struct TextExtremes {
  private struct Text {
    var start: UnsafeRawPointer
    var count: Int
    var head: UInt64
  }

  /// Up to here eight bytes may be read at once; nil: only what belongs to a text.
  private let dataEnd: UnsafeRawPointer?
  private var low: Text?
  private var high: Text?
  private var lowHead = UInt64.max
  private var highHead = UInt64.min

  init(dataEnd: UnsafeRawPointer?) { self.dataEnd = dataEnd }

  @inline(__always)
  mutating func add(_ start: UnsafeRawPointer, _ count: Int) {
    let head = head(start, count)
    if head > lowHead, head < highHead { return }
    compare(Text(start: start, count: count, head: head))
  }

  private mutating func compare(_ text: Text) {
    if low.map({ isBelow(text, $0) }) ?? true { (low, lowHead) = (text, text.head) }
    if high.map({ isBelow($0, text) }) ?? true { (high, highHead) = (text, text.head) }
  }

  /// The first eight bytes as a big-endian number, zeroes after a shorter text: orders as the texts do, as far as it reaches.
  @inline(__always)
  private func head(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    if count >= 8 { return start.loadUnaligned(as: UInt64.self).bigEndian }
    if count == 0 { return 0 }
    if let dataEnd, dataEnd - start >= 8 {
      let shift = UInt64(64 - 8 * count)
      return (start.loadUnaligned(as: UInt64.self).bigEndian >> shift) << shift
    }
    var head: UInt64 = 0
    for index in 0..<count { head |= UInt64(start.load(fromByteOffset: index, as: UInt8.self)) << UInt64(56 - 8 * index) }
    return head
  }

  @inline(__always)
  private func isBelow(_ left: Text, _ right: Text) -> Bool {
    if left.head != right.head { return left.head < right.head }
    let order = memcmp(left.start, right.start, min(left.count, right.count))
    return order != 0 ? order < 0 : left.count < right.count
  }

  var bounds: ColumnStatistics.Bounds {
    guard let low, let high else { return .noValues }
    let longest = ValueRange.longestBound
    let least = [UInt8](UnsafeRawBufferPointer(start: low.start, count: min(low.count, longest)))
    let isExact = low.count <= longest && high.count <= longest
    guard high.count > longest else {
      return .bytes(min: least, max: [UInt8](UnsafeRawBufferPointer(start: high.start, count: high.count)), isExact: isExact)
    }
    // The next text of that length is above everything that starts with the cut one.
    var most = [UInt8](UnsafeRawBufferPointer(start: high.start, count: longest))
    while let last = most.last, last == .max { most.removeLast() }
    guard let last = most.popLast() else { return .bytes(min: least, max: nil, isExact: false) }
    return .bytes(min: least, max: most + [last + 1], isExact: false)
  }
}
