extension TestedColumn {
  func narrowBits(_ mask: inout RowMask, _ test: ValueTest) {
    guard let bits = range.array.buffer(1) else { return }
    let zero = test.holds(Int64(0))
    let one = test.holds(Int64(1))
    if zero, one { return }
    if !zero, !one { return mask.removeAll() }
    mask.narrow(bits: bits, first: range.first, isNegated: zero)
  }

  func narrow<Value: FixedWidthInteger>(_ mask: inout RowMask, _: Value.Type, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer.assumingMemoryBound(to: Value.self) + range.first
    narrow(&mask, test) { values[$0] }
  }

  /// Decimals of 128 bits, which may lie on any eight bytes.
  func narrowWide(_ mask: inout RowMask, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer + range.first * 16
    if let bounds = test.bounds, field.isShortDecimal {
      let limits = Int128(Int64.min)...Int128(Int64.max)
      guard bounds.overlaps(limits) else { return mask.removeAll() }
      let wanted = bounds.clamped(to: limits)
      return narrow(&mask, decimals: values, from: Int64(wanted.lowerBound), to: Int64(wanted.upperBound))
    }
    narrow(&mask, test) { values.loadUnaligned(fromByteOffset: $0 &* 16, as: Int128.self) }
  }

  /// Decimals whose type fits into half of their bits. What has more digits than its type says stays wanted: DuckDB is to refuse it.
  private func narrow(_ mask: inout RowMask, decimals values: UnsafeRawPointer, from least: Int64, to most: Int64) {
    let width = UInt64(bitPattern: most &- least)
    mask.narrow(share: 3) { row in
      let low = values.loadUnaligned(fromByteOffset: row &* 16, as: Int64.self)
      let high = values.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: Int64.self)
      // Without a branch, which half of the rows would take.
      return (UInt64(bitPattern: low &- least) <= width ? 1 : 0) | (high ^ low >> 63) != 0
    }
  }

  @inline(__always)
  private func narrow<Value: FixedWidthInteger>(_ mask: inout RowMask, _ test: ValueTest, _ value: (Int) -> Value) {
    switch test {
    case .prefix: return
    case .isIn(let literals):
      let wanted = Set(literals.compactMap { $0.integer.flatMap { Value(exactly: $0) } }).sorted()
      narrow(&mask, toOneOf: wanted, value)
    case .compare(.notEqual, let literal):
      guard let constant = literal.integer.flatMap({ Value(exactly: $0) }) else { return }
      mask.narrow(isNegated: true) { value($0) == constant }
    case .compare, .within:
      guard let bounds = test.bounds else { return test.isOfIntegers ? mask.removeAll() : () }
      let limits = Int128(Value.min)...Int128(Value.max)
      guard bounds.overlaps(limits) else { return mask.removeAll() }
      let wanted = bounds.clamped(to: limits)
      let (least, most) = (Value(wanted.lowerBound), Value(wanted.upperBound))
      if least == most { return mask.narrow { value($0) == least } }
      if least == .min { return most == .max ? () : mask.narrow(isNegated: true) { value($0) > most } }
      if most == .max { return mask.narrow(isNegated: true) { value($0) < least } }
      let width = Value.Magnitude(truncatingIfNeeded: most &- least)
      mask.narrow { Value.Magnitude(truncatingIfNeeded: value($0) &- least) <= width }
    }
  }

  @inline(__always)
  private func narrow<Value: FixedWidthInteger>(_ mask: inout RowMask, toOneOf wanted: [Value], _ value: (Int) -> Value) {
    guard let least = wanted.first, let most = wanted.last else { return mask.removeAll() }
    if wanted.count <= 2 { return mask.narrow { value($0) == least || value($0) == most } }
    let (width, overflow) = most.subtractingReportingOverflow(least)
    if !overflow, width < 1 << 14 || Value.bitWidth < 16 {
      var isWanted = [Bool](repeating: false, count: Int(truncatingIfNeeded: width) + 1)
      for value in wanted { isWanted[Int(truncatingIfNeeded: value &- least)] = true }
      return isWanted.withUnsafeBufferPointer { isWanted in
        mask.narrow { row in
          let value = value(row)
          return value >= least && value <= most && isWanted[Int(truncatingIfNeeded: value &- least)]
        }
      }
    }
    wanted.withUnsafeBufferPointer { wanted in mask.narrow { Self.contains(wanted, value($0)) } }
  }

  /// Floating-point numbers in DuckDB's order: NaN equals itself and is above everything.
  func narrow<Value: BinaryFloatingPoint>(_ mask: inout RowMask, floats: Value.Type, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer.assumingMemoryBound(to: Value.self) + range.first
    switch test {
    case .prefix, .within: return
    case .isIn(let literals):
      let numbers = literals.compactMap(\.double)
      let wanted = Set(numbers.filter { !$0.isNaN }).sorted()
      let hasNaN = numbers.contains { $0.isNaN }
      wanted.withUnsafeBufferPointer { wanted in
        mask.narrow { row in
          let value = Double(values[row])
          return value != value ? hasNaN : Self.contains(wanted, value)
        }
      }
    case .compare(let comparison, let literal):
      guard let constant = literal.double else { return }
      if constant.isNaN { return narrowByNaN(&mask, values, comparison) }
      let narrow = Value(constant)
      if Double(narrow) == constant { return compare(&mask, comparison, narrow) { values[$0] } }
      compare(&mask, comparison, constant) { Double(values[$0]) }
    }
  }

  /// Each negation has NaN on the side where it belongs, above the constant.
  @inline(__always)
  private func compare<Value: Comparable>(
    _ mask: inout RowMask, _ comparison: Predicate.Comparison, _ constant: Value, _ value: (Int) -> Value
  ) {
    switch comparison {
    case .equal: mask.narrow { value($0) == constant }
    case .notEqual: mask.narrow(isNegated: true) { value($0) == constant }
    case .less: mask.narrow { value($0) < constant }
    case .lessOrEqual: mask.narrow { value($0) <= constant }
    case .greater: mask.narrow(isNegated: true) { value($0) <= constant }
    case .greaterOrEqual: mask.narrow(isNegated: true) { value($0) < constant }
    }
  }

  private func narrowByNaN<Value: BinaryFloatingPoint>(
    _ mask: inout RowMask, _ values: UnsafePointer<Value>, _ comparison: Predicate.Comparison
  ) {
    switch comparison {
    case .equal, .greaterOrEqual: mask.narrow { values[$0] != values[$0] }
    case .notEqual, .less: mask.narrow { values[$0] == values[$0] }
    case .lessOrEqual: return
    case .greater: mask.removeAll()
    }
  }

  @inline(__always)
  private static func contains<Value: Comparable>(_ sorted: UnsafeBufferPointer<Value>, _ value: Value) -> Bool {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low &+ high) >> 1
      if sorted[middle] < value { low = middle &+ 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == value
  }
}

extension Field {
  /// Whether the type says that its decimals have 18 digits at most.
  fileprivate var isShortDecimal: Bool {
    guard format.hasPrefix("d:"), let digits = Int(format.dropFirst(2).prefix { $0 != "," }) else { return false }
    return digits <= 18
  }
}

extension Predicate.Literal {
  var integer: Int128? {
    switch self {
    case .int(let value): Int128(value)
    case .uint(let value): Int128(value)
    case .wide(let value): value
    case .double, .bytes: nil
    }
  }

  var double: Double? {
    if case .double(let value) = self { value } else { nil }
  }

  var bytes: [UInt8]? {
    if case .bytes(let value) = self { value } else { nil }
  }
}

extension Predicate.Comparison {
  /// Whether it holds between a value and a constant that it is below (-1), equal to or above.
  @inline(__always)
  func holds(_ order: Int) -> Bool {
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

extension ValueTest {
  fileprivate var isOfIntegers: Bool { if case .compare(_, let literal) = self { literal.integer != nil } else { false } }

  fileprivate func holds(_ value: Int64) -> Bool {
    switch self {
    case .compare(let comparison, let literal):
      literal.integer.map { comparison.holds(Int128(value) < $0 ? -1 : Int128(value) > $0 ? 1 : 0) } ?? true
    case .isIn(let literals): literals.contains { $0.integer.map { $0 == Int128(value) } ?? true }
    case .within(let bounds): bounds.contains(Int128(value))
    case .prefix: true
    }
  }
}
