import CArrow
import Glibc

extension TestedColumn {
  /// Texts and bytes, which DuckDB compares as unsigned bytes. What lies outside of its buffer stays wanted.
  func narrow(_ mask: inout RowMask, _ texts: some TextValues, _ test: ValueTest) {
    let first = range.first
    switch test {
    case .within, .between: return
    case .prefix(let bytes):
      bytes.withUnsafeBytes { mask.narrowOneByOne(TextRows(texts: texts, first: first, check: BeginsWith(prefix: $0))) }
    case .compare(let comparison, let literal):
      guard let bytes = literal.bytes else { return }
      bytes.withUnsafeBytes { constant in
        switch comparison {
        case .equal: mask.narrowOneByOne(TextRows(texts: texts, first: first, check: IsEqual(constant: constant, expected: true)))
        case .notEqual: mask.narrowOneByOne(TextRows(texts: texts, first: first, check: IsEqual(constant: constant, expected: false)))
        default: mask.narrowOneByOne(TextRows(texts: texts, first: first, check: IsOrdered(constant: constant, comparison: comparison)))
        }
      }
    case .isIn(let literals):
      let sorted = Set(literals.compactMap(\.bytes)).sorted { ($0.count, 0) < ($1.count, 0) || $0.count == $1.count && $0.lexicographicallyPrecedes($1) }
      let all = sorted.flatMap { $0 }
      var starts = [0]
      for literal in sorted { starts.append(starts[starts.count - 1] + literal.count) }
      all.withUnsafeBytes { mask.narrowOneByOne(TextRows(texts: texts, first: first, check: IsOneOf(all: $0, starts: starts))) }
    }
  }

  /// Values behind indices: each value is tested once, where there are not many more of them than rows.
  func narrowEncoded(_ mask: inout RowMask, _ narrowValues: (TestedColumn, inout RowMask) -> Void) {
    guard let dictionary = range.array.dictionary?.pointee, let values = field.dictionary, let indices = range.array.buffer(1) else { return }
    guard dictionary.count <= 2 * mask.count + 1024 else { return }
    var known = RowMask(count: dictionary.count, isFull: true)
    narrowValues(TestedColumn(values, dictionary, offset: 0, count: dictionary.count), &known)
    // An index outside of the dictionary stays wanted: who reads it says what it is.
    var passes = [Bool](repeating: false, count: dictionary.count) + [true]
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
    mask.narrow(IsMarked(values: indices.assumingMemoryBound(to: Index.self) + range.first, low: 0, table: passes))
  }
}

/// A test of one text.
private protocol TextCheck {
  func holds(_ value: TextValue) -> Bool
}

private struct TextRows<Texts: TextValues, Check: TextCheck>: RowTest {
  let texts: Texts
  let first: Int
  let check: Check

  @inline(__always)
  func passes(_ row: Int) -> Bool { texts.value(first &+ row).map(check.holds) ?? true }
}

private struct IsEqual: TextCheck {
  let constant: UnsafeRawBufferPointer
  let expected: Bool

  @inline(__always)
  func holds(_ value: TextValue) -> Bool { value.isEqual(to: constant) == expected }
}

private struct IsOrdered: TextCheck {
  let constant: UnsafeRawBufferPointer
  let comparison: Predicate.Comparison

  @inline(__always)
  func holds(_ value: TextValue) -> Bool { comparison.holds(value.order(to: constant)) }
}

private struct BeginsWith: TextCheck {
  let prefix: UnsafeRawBufferPointer

  @inline(__always)
  func holds(_ value: TextValue) -> Bool {
    guard value.count >= prefix.count else { return false }
    guard let bytes = prefix.baseAddress, prefix.count > 0 else { return true }
    return memcmp(value.start, bytes, prefix.count) == 0
  }
}

/// One of several texts, shorter ones first: where each of them starts in `all`, and the end.
private struct IsOneOf: TextCheck {
  let all: UnsafeRawBufferPointer
  let starts: [Int]

  func holds(_ value: TextValue) -> Bool {
    var low = 0
    var high = starts.count - 1
    while low < high {
      let middle = (low + high) >> 1
      let length = starts[middle + 1] - starts[middle]
      let other = UnsafeRawBufferPointer(rebasing: all[starts[middle]..<(starts[middle] + length)])
      let order = value.count != length ? value.count - length : value.order(to: other)
      if order == 0 { return true }
      if order > 0 { low = middle + 1 } else { high = middle }
    }
    return false
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
  fileprivate func order(to other: UnsafeRawBufferPointer) -> Int {
    let common = min(count, other.count)
    if common > 0, let bytes = other.baseAddress {
      let order = Int(memcmp(start, bytes, common))
      if order != 0 { return order }
    }
    return count - other.count
  }
}

extension Predicate.Comparison {
  /// Whether it holds between a value and a constant that it is below (-1), equal to or above.
  @inline(__always)
  fileprivate func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}
