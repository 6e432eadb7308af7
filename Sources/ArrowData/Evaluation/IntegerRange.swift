/// What several comparisons of one column with whole numbers leave: tested at once.
struct IntegerRange {
  let column: Int
  private(set) var bounds: ClosedRange<Int128>

  /// Brings comparisons of the same column together; `others` are the parts that are none, and those of columns with one only.
  static func of(_ parts: [Predicate]) -> (ranges: [IntegerRange], others: [Predicate]) {
    var ranges: [IntegerRange] = []
    var others: [Predicate] = []
    for (index, part) in parts.enumerated() {
      guard let found = IntegerRange(part), parts.indices.contains(where: { $0 != index && IntegerRange(parts[$0])?.column == found.column }) else {
        others.append(part)
        continue
      }
      guard let known = ranges.firstIndex(where: { $0.column == found.column }) else {
        ranges.append(found)
        continue
      }
      guard ranges[known].bounds.overlaps(found.bounds) else {
        others.append(part)
        continue
      }
      ranges[known].bounds = ranges[known].bounds.clamped(to: found.bounds)
    }
    return (ranges, others)
  }

  private init?(_ part: Predicate) {
    guard case .compare(let column, let comparison, let literal) = part, let bounds = ValueTest.compare(comparison, literal).bounds else { return nil }
    (self.column, self.bounds) = (column, bounds)
  }
}

extension ValueTest {
  /// The whole numbers that pass, where they are a range.
  var bounds: ClosedRange<Int128>? {
    switch self {
    case .within(let bounds): return bounds
    case .compare(let comparison, let literal):
      guard let value = literal.integer else { return nil }
      switch comparison {
      case .equal: return value...value
      case .notEqual: return nil
      case .lessOrEqual: return Int128.min...value
      case .greaterOrEqual: return value...Int128.max
      case .less: return value == .min ? nil : Int128.min...(value - 1)
      case .greater: return value == .max ? nil : (value + 1)...Int128.max
      }
    case .isIn, .prefix: return nil
    }
  }
}
