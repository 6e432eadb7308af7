import CArrow
import Glibc
import Primitives

/// Turns a column of texts into indices and a dictionary where that takes at most half of the memory.
///
/// A sample, spread over the rows, comes first: a column whose values do not repeat costs no more than that.
struct DictionaryEncoder {
  static let maximumValues = 1 << 16
  /// Shorter columns are left alone.
  static let leastRows = 1024
  private static let rowsPerThread = 1 << 18

  private let array: ArrowArray
  private let field: Field
  private let count: Int
  /// Bytes of the plain column, validity apart.
  private let plainBytes: Int
  private let validity: UnsafeRawPointer?
  private let threads: Int

  /// nil where the column is none that could be encoded.
  init?(_ field: Field, _ array: ArrowArray, threads: Int) {
    guard Field.encodableFormats.contains(field.format), field.dictionary == nil, !field.isExtension, array.count >= Self.leastRows else { return nil }
    (self.field, self.array, count) = (field, array, array.count)
    validity = array.null_count == 0 ? nil : array.buffer(0)
    let bitmapBytes = array.buffer(0) == nil ? 0 : (count + 7) >> 3
    plainBytes = field.byteCount(array, from: array.start, count: count) - bitmapBytes
    self.threads = max(1, min(threads, array.count / Self.rowsPerThread))
  }

  /// About how many bytes the encoded column takes, rather more than fewer; nil where the sample says that encoding does not pay.
  func expectedBytes() -> Int? {
    let expected: (values: Int, bytes: Int)? =
      switch field.format {
      case "u", "z": OffsetTexts<Int32>(array).flatMap { expectedValues($0) }
      case "U", "Z": OffsetTexts<Int64>(array).flatMap { expectedValues($0) }
      default: ViewTexts(array).flatMap { expectedValues($0) }
      }
    return expected.map { expected in
      let width = expected.values <= 200 ? 1 : 2
      let dictionary = min(2 * expected.bytes, dictionaryBytes(indexBytes: width))
      return count * width + (count + 7) >> 3 + dictionary + 8 * CopyMemory.alignment
    }
  }

  /// The encoded column; nil where that does not pay, or where the column is damaged.
  func encode() throws(CacheError) -> (field: Field, node: ArrowArray, memory: CopyMemory)? {
    switch field.format {
    case "u", "z": try OffsetTexts<Int32>(array).flatMap { texts throws(CacheError) in try encode(texts) }
    case "U", "Z": try OffsetTexts<Int64>(array).flatMap { texts throws(CacheError) in try encode(texts) }
    default: try ViewTexts(array).flatMap { texts throws(CacheError) in try encode(texts) }
    }
  }

  private func encode(_ texts: some TextValues) throws(CacheError) -> (field: Field, node: ArrowArray, memory: CopyMemory)? {
    guard let expected = expectedValues(texts) else { return nil }
    if expected.values <= 256, let encoded = try encode(texts, as: UInt8.self, indexFormat: "C", maximumValues: 256) { return encoded }
    return try encode(texts, as: UInt16.self, indexFormat: "S", maximumValues: Self.maximumValues)
  }

  /// What the dictionary's values and offsets may take, beside indices of this many bytes.
  private func dictionaryBytes(indexBytes: Int) -> Int { min(plainBytes / 2 - count * indexBytes, Int(Int32.max)) }

  // MARK: - Sample

  /// About how many values are distinct, and what they take with their offsets; nil where the sample says that encoding will not pay, or
  /// the column is damaged.
  private func expectedValues(_ texts: some TextValues) -> (values: Int, bytes: Int)? {
    guard dictionaryBytes(indexBytes: 1) > 0 else { return nil }
    let size = min(count, max(2048, min(count / 128, 1 << 14)))
    var seen = DistinctValues(maximumCount: size, maximumBytes: .max)
    var taken = 0
    let step = count / size
    var random = UInt64(truncatingIfNeeded: count)
    for place in 0..<size {
      // Not at regular distances, which rows that repeat regularly would answer wrongly.
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let element = array.start + place * step + Int(random >> 33) % step
      if let validity, validity.load(fromByteOffset: element >> 3, as: UInt8.self) >> UInt8(element & 7) & 1 == 0 { continue }
      guard let value = texts.value(element) else { return nil }
      _ = seen.code(value)
      taken += 1
    }
    guard taken > 0 else { return (0, 8) }
    // The estimate is rough, and where it is too low the pass over the rows soon finds that.
    guard Self.population(distinct: seen.count, of: taken) <= Double(4 * Self.maximumValues) else { return nil }
    let expected = min(Self.population(distinct: seen.count, of: taken), Double(Self.maximumValues))
    let bytes = expected * (Double(seen.byteCount) / Double(seen.count) + 4)
    return bytes <= Double(dictionaryBytes(indexBytes: expected <= 256 ? 1 : 2)) ? (Int(expected), Int(bytes)) : nil
  }

  /// How many values there are where a sample of `size` has `distinct`, if all are equally frequent: of D values a sample of n is
  /// expected to have D (1 − exp(−n/D)).
  static func population(distinct: Int, of size: Int) -> Double {
    if distinct >= size { return .infinity }
    var low = Double(distinct)
    var high = Double(size) * Double(size)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if middle * (1 - exp(-Double(size) / middle)) < Double(distinct) { low = middle } else { high = middle }
    }
    return high
  }

  // MARK: - All rows

  private func encode<Code: FixedWidthInteger & UnsignedInteger>(
    _ texts: some TextValues, as type: Code.Type, indexFormat: String, maximumValues: Int
  ) throws(CacheError) -> (field: Field, node: ArrowArray, memory: CopyMemory)? {
    let width = MemoryLayout<Code>.size
    let maximumBytes = dictionaryBytes(indexBytes: width)
    guard maximumBytes > 0 else { return nil }
    let memory = CopyMemory(expectedBytes: count * width + (count + 7) >> 3 + 2 * CopyMemory.alignment)
    let codes = try memory.buffer(byteCount: count * width).assumingMemoryBound(to: Code.self)
    let parts = (0..<threads).map { _ in
      EncodedPart(DistinctValues(maximumCount: maximumValues, maximumBytes: maximumBytes))
    }
    let rows = (count + threads - 1) / threads
    try parallel(count: threads, threads: threads) { (_, index) throws(CacheError) in
      let range = min(index * rows, count)..<min((index + 1) * rows, count)
      parts[index].isWhole = encode(texts, range, into: codes, &parts[index].values)
    }
    guard parts.allSatisfy(\.isWhole) else { return nil }
    let first = parts[0]
    for (index, part) in parts.enumerated().dropFirst() {
      guard let numbers = first.renumbered(part, as: Code.self) else { return nil }
      for row in min(index * rows, count)..<min((index + 1) * rows, count) { codes[row] = numbers[Int(codes[row])] }
    }
    guard first.values.byteCount + (first.values.count + 1) * 4 <= maximumBytes else { return nil }
    var node = try memory.node(bufferCount: 2, childCount: 0)
    node.length = Int64(count)
    node.buffers?[1] = UnsafeRawPointer(codes)
    try copyValidity(into: &node, memory)
    node.dictionary = try dictionary(first, memory)
    return (try field.encoded(indexFormat: indexFormat), node, memory)
  }

  /// The indices of these rows; false where there is no room for a value, or one lies outside its buffer.
  private func encode<Code: FixedWidthInteger & UnsignedInteger>(
    _ texts: some TextValues, _ rows: Range<Int>, into codes: UnsafeMutablePointer<Code>, _ values: inout DistinctValues
  ) -> Bool {
    for row in rows {
      let element = array.start + row
      if let validity, validity.load(fromByteOffset: element >> 3, as: UInt8.self) >> UInt8(element & 7) & 1 == 0 {
        codes[row] = 0
        continue
      }
      guard let value = texts.value(element) else { return false }
      let code = values.code(value)
      if code == DistinctValues.full { return false }
      codes[row] = Code(truncatingIfNeeded: code)
    }
    return true
  }

  private func copyValidity(into node: inout ArrowArray, _ memory: CopyMemory) throws(CacheError) {
    guard let validity, count > 0 else { return }
    let nulls = count - countOnes(validity, from: array.start, count: count)
    node.null_count = Int64(nulls)
    guard nulls > 0 else { return }
    let bits = try memory.buffer(byteCount: (count + 7) >> 3)
    copyBits(validity, from: array.start, count: count, to: bits)
    node.buffers?[0] = UnsafeRawPointer(bits)
  }

  /// The values, in the order of their numbers. Never without one, so that the index under a null is one of the dictionary's.
  private func dictionary(_ part: EncodedPart, _ memory: CopyMemory) throws(CacheError) -> UnsafeMutablePointer<ArrowArray> {
    let valueCount = max(1, part.values.count)
    let node = try memory.zeroed(ArrowArray.self, count: 1)
    node.pointee = try memory.node(bufferCount: 3, childCount: 0)
    node.pointee.length = Int64(valueCount)
    let offsets = try memory.buffer(byteCount: (valueCount + 1) * 4).assumingMemoryBound(to: Int32.self)
    let data = try memory.buffer(byteCount: part.values.byteCount)
    offsets[0] = 0
    offsets[1] = 0
    var position = 0
    for code in 0..<part.values.count {
      let value = part.values.value(code)
      (data + position).copyMemory(from: value.start, byteCount: value.count)
      position += value.count
      offsets[code + 1] = Int32(truncatingIfNeeded: position)
    }
    node.pointee.buffers?[1] = UnsafeRawPointer(offsets)
    node.pointee.buffers?[2] = UnsafeRawPointer(data)
    return node
  }
}

/// What one thread has found.
private final class EncodedPart: @unchecked Sendable {
  var values: DistinctValues
  var isWhole = false

  init(_ values: consuming DistinctValues) { self.values = values }

  /// The numbers here of another part's values, which are added; nil where there is no room for them.
  func renumbered<Code: FixedWidthInteger>(_ other: EncodedPart, as type: Code.Type) -> [Code]? {
    var numbers: [Code] = []
    numbers.reserveCapacity(other.values.count + 1)
    for code in 0..<other.values.count {
      let value = other.values.value(code)
      let number = values.code(TextValue(start: value.start, count: value.count, readableEnd: value.start + value.count))
      if number == DistinctValues.full { return nil }
      numbers.append(Code(truncatingIfNeeded: number))
    }
    if numbers.isEmpty { numbers.append(0) }  // for the indices of a part of nulls
    return numbers
  }
}
