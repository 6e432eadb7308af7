import CArrow
import Primitives

/// Makes sure, by a pass over an array that starts at 0 and has its lengths checked, that no offset, view, index, type id or run end in
/// it leads out of its values. Dictionaries have been validated when they were read; text is not looked at.
struct IPCArrayValidator {
  let column: String

  private func broken(_ what: String) -> CacheError { damaged("its column '\(column)' \(what)") }

  func validate(_ field: Field, _ array: ArrowArray) throws(CacheError) {
    if field.layout.hasValidity, let validity = array.buffer(0) {
      let nullCount = array.count - countOnes(validity, from: 0, count: array.count)
      guard nullCount == Int(array.null_count) else { throw broken("has \(nullCount) nulls and says it has \(array.null_count)") }
    }
    if field.dictionary != nil { try validateIndices(field, array) }
    switch field.layout {
    case .binary(let width), .list(let width):
      if width == 4 { try validateOffsets(Int32.self, array) } else { try validateOffsets(Int64.self, array) }
    case .listView(let width):
      if width == 4 { try validateListViews(Int32.self, array) } else { try validateListViews(Int64.self, array) }
    case .view: try validateViews(array)
    case .union(let isDense, let ids): try validateUnion(array, isDense: isDense, ids)
    case .runs:
      switch field.children.first?.format {
      case "s": try validateRuns(Int16.self, array)
      case "i": try validateRuns(Int32.self, array)
      default: try validateRuns(Int64.self, array)
      }
    default: break
    }
    for (index, child) in field.children.enumerated() {
      if let below = array.child(index) { try validate(child, below.pointee) }
    }
  }

  private func values<Number>(_ array: ArrowArray, _ buffer: Int, _: Number.Type, count: Int) throws(CacheError) -> UnsafeBufferPointer<Number> {
    guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
    guard let start = array.buffer(buffer) else { throw broken("lacks buffer \(buffer)") }
    return UnsafeBufferPointer(start: start.assumingMemoryBound(to: Number.self), count: count)
  }

  private func isValid(_ array: ArrowArray, _ index: Int) -> Bool {
    guard let validity = array.buffer(0) else { return true }
    return validity.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(index & 7) & 1 == 1
  }

  private func validateOffsets<Offset: FixedWidthInteger>(_: Offset.Type, _ array: ArrowArray) throws(CacheError) {
    let offsets = try values(array, 1, Offset.self, count: array.count == 0 ? 0 : array.count + 1)
    var falls = false
    for index in 0..<max(0, offsets.count - 1) { falls = falls || offsets[index] > offsets[index + 1] }
    if falls { throw broken("has offsets that fall") }
  }

  private func validateListViews<Offset: FixedWidthInteger>(_: Offset.Type, _ array: ArrowArray) throws(CacheError) {
    let offsets = try values(array, 1, Offset.self, count: array.count)
    let sizes = try values(array, 2, Offset.self, count: array.count)
    let limit = array.child(0)?.pointee.count ?? 0
    for index in 0..<array.count {
      let (offset, size) = (Int(offsets[index]), Int(sizes[index]))
      guard offset >= 0, size >= 0, offset <= limit, size <= limit - offset else {
        throw broken("has a list of \(size) values from \(offset) of \(limit)")
      }
    }
  }

  /// What a view repeats of its value must be the value's: readers compare by it.
  private func validateViews(_ array: ArrowArray) throws(CacheError) {
    let words = try values(array, 1, UInt32.self, count: 4 * array.count)
    for index in 0..<array.count where isValid(array, index) {
      let length = Int(Int32(bitPattern: words[4 * index]))
      if (0...12).contains(length) {
        let isPadded = isPadded(words[(4 * index + 1)..<(4 * index + 4)], length: length)
        guard isPadded else { throw broken("has a view of \(length) bytes with more behind them") }
        continue
      }
      let buffer = Int(Int32(bitPattern: words[4 * index + 2]))
      let offset = Int(Int32(bitPattern: words[4 * index + 3]))
      guard length > 0, buffer >= 0, buffer < array.variadicCount, offset >= 0, offset <= array.variadicSize(buffer) - length,
        let data = array.buffer(2 + buffer)
      else { throw broken("has a view of \(length) bytes from \(offset) of data buffer \(buffer)") }
      guard data.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == words[4 * index + 1] else {
        throw broken("has a view that begins otherwise than its value")
      }
    }
  }

  /// Whether the bytes of 12 that a short value does not need are zero.
  private func isPadded(_ words: Slice<UnsafeBufferPointer<UInt32>>, length: Int) -> Bool {
    for (position, word) in words.enumerated() {
      let used = min(max(length - 4 * position, 0), 4)
      if used < 4, UInt32(littleEndian: word) >> UInt32(8 * used) != 0 { return false }
    }
    return true
  }

  private func validateUnion(_ array: ArrowArray, isDense: Bool, _ ids: [Int8]) throws(CacheError) {
    let types = try values(array, 0, UInt8.self, count: array.count)
    let offsets = try values(array, 1, Int32.self, count: isDense ? array.count : 0)
    var limits = [Int](repeating: -1, count: 256)
    for (index, id) in ids.enumerated() where id >= 0 { limits[Int(id)] = array.child(index)?.pointee.count ?? 0 }
    for index in 0..<array.count {
      let limit = limits[Int(types[index])]
      guard limit >= 0 else { throw broken("has the union type id \(types[index])") }
      if isDense, offsets[index] < 0 || Int(offsets[index]) >= limit { throw broken("has union offset \(offsets[index]) of \(limit) values") }
    }
  }

  private func validateRuns<End: FixedWidthInteger>(_: End.Type, _ array: ArrowArray) throws(CacheError) {
    guard let runEnds = array.child(0)?.pointee else { throw broken("lacks its run ends") }
    var last = 0
    for end in try values(runEnds, 1, End.self, count: runEnds.count) {
      guard Int(end) > last else { throw broken("has run ends that do not grow: \(last), \(end)") }
      last = Int(end)
    }
  }

  private func validateIndices(_ field: Field, _ array: ArrowArray) throws(CacheError) {
    let limit = array.dictionary?.pointee.count ?? 0
    func look<Index: FixedWidthInteger & UnsignedInteger>(_: Index.Type) throws(CacheError) {
      let limit = UInt64(limit)
      let indices = try values(array, 1, Index.self, count: array.count)
      for index in 0..<array.count where UInt64(indices[index]) >= limit {
        guard !isValid(array, index) else { throw broken("has at value \(index) an index outside its dictionary of \(limit)") }
      }
    }
    // Unsigned: negative indices then lie outside every dictionary.
    switch field.layout.byteWidth {
    case 1: try look(UInt8.self)
    case 2: try look(UInt16.self)
    case 4: try look(UInt32.self)
    default: try look(UInt64.self)
    }
  }
}
