import CArrow
import Glibc

extension TestedColumn {
  /// Texts and bytes, which DuckDB compares as unsigned bytes. What lies outside of its buffer stays wanted.
  func narrow(_ mask: inout RowMask, _ texts: some TextValues, _ test: ValueTest) {
    let first = range.first
    Self.withTest(test) { test in mask.narrowOneByOne { row in texts.value(first &+ row).map(test) ?? true } }
  }

  /// Values behind indices: each value is tested once, where there are not many more of them than rows.
  func narrowEncoded(_ mask: inout RowMask, _ narrowValues: (TestedColumn, inout RowMask) -> Void) {
    guard let dictionary = range.array.dictionary?.pointee, let values = field.dictionary, let indices = range.array.buffer(1) else { return }
    guard dictionary.count <= 2 * mask.count + 1024 else { return }
    var known = RowMask(count: dictionary.count, isFull: true)
    narrowValues(TestedColumn(values, dictionary, offset: 0, count: dictionary.count), &known)
    var passes = [Bool](repeating: false, count: dictionary.count)
    for row in known.rows() { passes[Int(row)] = true }
    passes.withUnsafeBufferPointer { passes in
      switch field.format {
      case "c", "C": narrow(&mask, indices, UInt8.self, passes)
      case "s", "S": narrow(&mask, indices, UInt16.self, passes)
      case "i", "I": narrow(&mask, indices, UInt32.self, passes)
      default: narrow(&mask, indices, UInt64.self, passes)
      }
    }
  }

  private func narrow<Index: FixedWidthInteger & UnsignedInteger>(
    _ mask: inout RowMask, _ indices: UnsafeRawPointer, _: Index.Type, _ passes: UnsafeBufferPointer<Bool>
  ) {
    let indices = indices.assumingMemoryBound(to: Index.self) + range.first
    let count = UInt64(passes.count)
    // An index outside of the dictionary stays wanted: who reads it says what it is.
    mask.narrow { row in
      let index = UInt64(truncatingIfNeeded: indices[row])
      return index >= count || passes[Int(truncatingIfNeeded: index)]
    }
  }

  /// Calls `body` with the test of one text.
  private static func withTest(_ test: ValueTest, _ body: ((TextValue) -> Bool) -> Void) {
    switch test {
    case .within: return
    case .prefix(let bytes): bytes.withUnsafeBytes { prefix in body { $0.starts(with: prefix) } }
    case .compare(let comparison, let literal):
      guard let bytes = literal.bytes else { return }
      bytes.withUnsafeBytes { constant in
        switch comparison {
        case .equal: body { $0.isEqual(to: constant) }
        case .notEqual: body { !$0.isEqual(to: constant) }
        default: body { comparison.holds($0.order(to: constant)) }
        }
      }
    case .isIn(let literals):
      let sorted = Set(literals.compactMap(\.bytes)).sorted { ($0.count, 0) < ($1.count, 0) || $0.count == $1.count && $0.lexicographicallyPrecedes($1) }
      let all = sorted.flatMap { $0 }
      var starts = [0]
      for literal in sorted { starts.append(starts[starts.count - 1] + literal.count) }
      all.withUnsafeBytes { all in body { $0.isOne(of: all, starts) } }
    }
  }
}

extension TextValue {
  @inline(__always)
  fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard count > 0, let bytes = other.baseAddress else { return true }
    return start.load(as: UInt8.self) == bytes.load(as: UInt8.self) && memcmp(start, bytes, count) == 0
  }

  @inline(__always)
  fileprivate func starts(with prefix: UnsafeRawBufferPointer) -> Bool {
    guard count >= prefix.count else { return false }
    guard let bytes = prefix.baseAddress, prefix.count > 0 else { return true }
    return memcmp(start, bytes, prefix.count) == 0
  }

  @inline(__always)
  fileprivate func order(to other: UnsafeRawBufferPointer) -> Int {
    let common = min(count, other.count)
    if common > 0, let bytes = other.baseAddress {
      let order = Int(memcmp(start, bytes, common))
      if order != 0 { return order }
    }
    return count - other.count
  }

  /// - Parameter starts: where each of the texts starts in `all`, shorter ones first, and the end.
  fileprivate func isOne(of all: UnsafeRawBufferPointer, _ starts: [Int]) -> Bool {
    var low = 0
    var high = starts.count - 1
    while low < high {
      let middle = (low + high) >> 1
      let length = starts[middle + 1] - starts[middle]
      let other = UnsafeRawBufferPointer(rebasing: all[starts[middle]..<(starts[middle] + length)])
      let order = count != length ? count - length : self.order(to: other)
      if order == 0 { return true }
      if order > 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }
}
