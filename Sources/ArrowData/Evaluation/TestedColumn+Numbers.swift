extension TestedColumn {
  func narrowBits(_ mask: inout RowMask, _ test: ValueTest) {
    guard let bits = range.array.buffer(1) else { return }
    let zero = test.holds(Int64(0))
    let one = test.holds(Int64(1))
    if zero, one { return }
    if !zero, !one { return mask.removeAll() }
    mask.narrow(bits: bits, first: range.first, isNegated: zero)
  }

  func narrow<Value: FixedWidthInteger & BitwiseCopyable>(_ mask: inout RowMask, _: Value.Type, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer.assumingMemoryBound(to: Value.self) + range.first
    switch test {
    case .prefix, .between: return
    case .isIn(let literals):
      let wanted = Self.wanted(literals, Value.self)
      guard let least = wanted.first, let most = wanted.last else { return mask.removeAll() }
      if let few = IsOneOfFour(values, wanted) { return mask.narrow(few) }
      let (width, overflow) = most.subtractingReportingOverflow(least)
      guard !overflow, width < 1 << 14 || Value.bitWidth < 16 else {
        return wanted.withUnsafeBufferPointer { mask.narrow(IsAmong(values: values, sorted: $0)) }
      }
      var isWanted = [Bool](repeating: false, count: Int(truncatingIfNeeded: width) + 2)
      for value in wanted { isWanted[Int(truncatingIfNeeded: value &- least)] = true }
      isWanted.withUnsafeBufferPointer { mask.narrow(IsMarked(values: values, low: least, table: $0)) }
    case .compare, .within:
      Self.narrow(&mask, test, Value.self) { mask, low, width, isNegated in
        mask.narrow(IsWithin(values: values, low: low, width: width), isNegated: isNegated)
      }
    }
  }

  /// Decimals of 128 bits, which may lie on any eight bytes.
  func narrowWide(_ mask: inout RowMask, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer + range.first * 16
    switch test {
    case .prefix, .between: return
    case .isIn(let literals):
      Self.wanted(literals, Int128.self).withUnsafeBufferPointer { mask.narrow(IsWideAmong(values: values, sorted: $0)) }
    case .compare, .within:
      if field.isShortDecimal, let (numbers, isNegated) = test.numbers, !isNegated {
        let (low, high) = (max(numbers.low, Int128(Int64.min)), min(numbers.high, Int128(Int64.max)))
        let isEmpty = low > high
        let (least, width) = isEmpty ? (0, 0) : (Int64(low), UInt64(high - low))
        return mask.narrow(IsShortDecimalWithin(values: values, low: least, width: width, isEmpty: isEmpty), share: 3)
      }
      Self.narrow(&mask, test, Int128.self) { mask, low, width, isNegated in
        mask.narrow(IsWideWithin(values: values, low: low, width: width), isNegated: isNegated)
      }
    }
  }

  private static func wanted<Value: FixedWidthInteger>(_ literals: [Predicate.Literal], _: Value.Type) -> [Value] {
    Set(literals.compactMap { $0.integer.flatMap { Value(exactly: $0) } }).sorted()
  }

  /// Calls `body` with the numbers that pass, or with those that do not; not at all where all of the type's do, or none does.
  private static func narrow<Value: FixedWidthInteger>(
    _ mask: inout RowMask, _ test: ValueTest, _: Value.Type,
    _ body: (_ mask: inout RowMask, _ low: Value, _ width: Value.Magnitude, _ isNegated: Bool) -> Void
  ) {
    guard let (numbers, isNegated) = test.numbers else { return }
    let low = max(numbers.low, Int128(Value.min))
    let high = min(numbers.high, Int128(Value.max))
    guard low <= high else { return isNegated ? () : mask.removeAll() }
    if low == Int128(Value.min), high == Int128(Value.max) { return isNegated ? mask.removeAll() : () }
    body(&mask, Value(low), Value.Magnitude(truncatingIfNeeded: high &- low), isNegated)
  }

  /// Floating-point numbers in DuckDB's order: NaN equals itself and is above everything.
  func narrow<Value: BinaryFloatingPoint & BitwiseCopyable>(_ mask: inout RowMask, floats: Value.Type, _ test: ValueTest) {
    guard let buffer = range.array.buffer(1) else { return }
    let values = buffer.assumingMemoryBound(to: Value.self) + range.first
    switch test {
    case .prefix, .within: return
    case .isIn(let literals):
      let numbers = literals.compactMap(\.double)
      let wanted = Set(numbers.filter { Double(Value($0)) == $0 }.map { Value($0) }).sorted()
      var found = RowMask(count: mask.count, isFull: true)
      if let few = IsOneOfFour(values, wanted) {
        found.narrow(few)
      } else {
        wanted.withUnsafeBufferPointer { found.narrow(IsAmong(values: values, sorted: $0)) }
      }
      if numbers.contains(where: \.isNaN) {
        var nan = RowMask(count: mask.count, isFull: true)
        nan.narrow(IsNaN(values: values))
        found.formUnion(nan)
      }
      mask.formIntersection(found)
    case .between(let low, let high):
      mask.narrow(IsBetween(values: values, low: Self.narrowed(low, up: true), high: Self.narrowed(high, up: false)))
    case .compare(let comparison, let literal):
      guard let constant = literal.double else { return }
      if constant.isNaN { return Self.narrowByNaN(&mask, values, comparison) }
      Self.compare(&mask, comparison, constant, values)
    }
  }

  /// The nearest value of the type that is not below (`up`), or not above, the number.
  private static func narrowed<Value: BinaryFloatingPoint>(_ number: Double, up: Bool) -> Value {
    let value = Value(number)
    if up { return Double(value) < number ? value.nextUp : value }
    return Double(value) > number ? value.nextDown : value
  }

  /// Each negation has NaN on the side where it belongs, above the constant.
  private static func compare<Value: BinaryFloatingPoint>(
    _ mask: inout RowMask, _ comparison: Predicate.Comparison, _ number: Double, _ values: UnsafePointer<Value>
  ) {
    let constant: Value = narrowed(number, up: false)
    // Between two values of the type: what is below it is at most the one below.
    let isExact = Double(constant) == number
    switch comparison {
    case .equal where !isExact: mask.removeAll()
    case .notEqual where !isExact: return
    case .equal: mask.narrow(IsBetween(values: values, low: constant, high: constant))
    case .notEqual: mask.narrow(IsBetween(values: values, low: constant, high: constant), isNegated: true)
    case .less where isExact: mask.narrow(IsBelow(values: values, constant: constant))
    case .greaterOrEqual where isExact: mask.narrow(IsBelow(values: values, constant: constant), isNegated: true)
    case .less, .lessOrEqual: mask.narrow(IsAtMost(values: values, constant: constant))
    case .greater, .greaterOrEqual: mask.narrow(IsAtMost(values: values, constant: constant), isNegated: true)
    }
  }

  private static func narrowByNaN<Value: BinaryFloatingPoint>(
    _ mask: inout RowMask, _ values: UnsafePointer<Value>, _ comparison: Predicate.Comparison
  ) {
    switch comparison {
    case .equal, .greaterOrEqual: mask.narrow(IsNaN(values: values))
    case .notEqual, .less: mask.narrow(IsNaN(values: values), isNegated: true)
    case .lessOrEqual: return
    case .greater: mask.removeAll()
    }
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
