/// What is tested of one value.
enum ValueTest {
  case compare(Predicate.Comparison, Predicate.Literal)
  case isIn([Predicate.Literal])
  case prefix([UInt8])
  /// Whole numbers, both ends included.
  case within(Int128, Int128)
  /// Floating-point numbers, both ends included, neither of which is NaN.
  case between(Double, Double)

  /// The whole numbers that pass, or that do not; nil where it is about others.
  var numbers: (numbers: (low: Int128, high: Int128), isNegated: Bool)? {
    switch self {
    case .within(let low, let high): return ((low, high), false)
    case .compare(let comparison, let literal):
      guard let number = literal.integer else { return nil }
      switch comparison {
      case .equal: return ((number, number), false)
      case .notEqual: return ((number, number), true)
      case .lessOrEqual: return ((.min, number), false)
      case .greaterOrEqual: return ((number, .max), false)
      case .less: return number == .min ? ((1, 0), false) : ((.min, number - 1), false)
      case .greater: return number == .max ? ((1, 0), false) : ((number + 1, .max), false)
      }
    case .isIn, .prefix, .between: return nil
    }
  }

  /// The same of whole numbers that count from `base`.
  func shifted(by base: Int128) -> ValueTest {
    func shifted(_ number: Int128) -> Int128 {
      let (distance, overflow) = number.subtractingReportingOverflow(base)
      return overflow ? (number < 0 ? .min : .max) : distance
    }
    func shifted(_ literal: Predicate.Literal) -> Predicate.Literal { literal.integer.map { .wide(shifted($0)) } ?? literal }
    return switch self {
    case .compare(let comparison, let literal): .compare(comparison, shifted(literal))
    case .isIn(let literals): .isIn(literals.map(shifted))
    case .within(let low, let high): .within(shifted(low), shifted(high))
    case .prefix, .between: self
    }
  }

  /// Of whole numbers.
  func holds(_ value: Int64) -> Bool {
    switch self {
    case .compare, .within:
      guard let (numbers, isNegated) = numbers else { return true }
      return (numbers.low <= Int128(value) && Int128(value) <= numbers.high) != isNegated
    case .isIn(let literals): return literals.contains { $0.integer.map { $0 == Int128(value) } ?? true }
    case .prefix, .between: return true
    }
  }
}

/// Conditions on one column that leave a range of numbers, in one test: to look at each value once.
enum ValueRanges {
  /// The ranges by column, where two conditions or more are about it, and the conditions that are left.
  static func collect(_ parts: [Predicate]) -> (ranges: [(column: Int, test: ValueTest)], rest: [Predicate]) {
    var bounds: [(column: Int, parts: [Predicate], test: ValueTest)] = []
    var rest: [Predicate] = []
    for part in parts {
      guard case .compare(let column, let comparison, let literal) = part, let test = range(comparison, literal) else {
        rest.append(part)
        continue
      }
      if let known = bounds.firstIndex(where: { $0.column == column && $0.test.isAlike(test) }) {
        bounds[known].test = bounds[known].test.intersection(test)
        bounds[known].parts.append(part)
      } else {
        bounds.append((column, [part], test))
      }
    }
    // A range that is open to one side would leave out NaN.
    let whole = bounds.filter { $0.parts.count > 1 && $0.test.isClosed }
    for single in bounds where !(single.parts.count > 1 && single.test.isClosed) { rest += single.parts }
    return (whole.map { ($0.column, $0.test) }, rest)
  }

  private static func range(_ comparison: Predicate.Comparison, _ literal: Predicate.Literal) -> ValueTest? {
    if let (numbers, isNegated) = ValueTest.compare(comparison, literal).numbers {
      return isNegated ? nil : .within(numbers.low, numbers.high)
    }
    guard let number = literal.double, number.isFinite else { return nil }
    return switch comparison {
    case .less: .between(-.infinity, number.nextDown)
    case .lessOrEqual: .between(-.infinity, number)
    case .greater: .between(number.nextUp, .infinity)
    case .greaterOrEqual: .between(number, .infinity)
    case .equal, .notEqual: nil
    }
  }
}

extension ValueTest {
  fileprivate func isAlike(_ other: ValueTest) -> Bool {
    switch (self, other) {
    case (.within, .within), (.between, .between): true
    default: false
    }
  }

  fileprivate func intersection(_ other: ValueTest) -> ValueTest {
    switch (self, other) {
    case (.within(let low, let high), .within(let otherLow, let otherHigh)): .within(max(low, otherLow), min(high, otherHigh))
    case (.between(let low, let high), .between(let otherLow, let otherHigh)): .between(max(low, otherLow), min(high, otherHigh))
    default: self
    }
  }

  /// Whether both ends of a range of floating-point numbers have been given; of whole numbers always.
  fileprivate var isClosed: Bool {
    if case .between(let low, let high) = self { low > -.infinity && high < .infinity } else { true }
  }
}
