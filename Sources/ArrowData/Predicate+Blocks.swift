extension Predicate {
  /// The columns whose bounds can tell blocks apart; `<>` and IS NOT NULL hardly ever do, and are worth no look at the rows.
  public func collectColumns(into columns: inout Set<Int>) {
    switch self {
    case .and(let parts): for part in parts { part.collectColumns(into: &columns) }
    case .or(let parts):
      // One that may always match leaves nothing to skip.
      if parts.allSatisfy(\.canTellBlocksApart) { for part in parts { part.collectColumns(into: &columns) } }
    case .compare(let column, _, _), .isIn(let column, _), .isNull(let column), .prefix(let column, _), .meets(let column, _):
      if canTellBlocksApart { columns.insert(column) }
    case .isNotNull, .unknown: break
    }
  }

  private var canTellBlocksApart: Bool {
    switch self {
    case .and(let parts): parts.contains(where: \.canTellBlocksApart)
    case .or(let parts): parts.allSatisfy(\.canTellBlocksApart)
    case .compare(_, let comparison, _): comparison != .notEqual
    case .isIn, .isNull, .prefix, .meets: true
    case .isNotNull, .unknown: false
    }
  }

  /// The blocks, a bit each, that may have a row which satisfies this; `statistics` gives nil where nothing is known of a column.
  public func mayMatch(blocks all: UInt64, _ statistics: (Int) -> BlockStatistics?) -> UInt64 {
    switch self {
    case .unknown: return all
    case .and(let parts):
      var left = all
      for part in parts where left != 0 { left &= part.mayMatch(blocks: all, statistics) }
      return left
    case .or(let parts):
      var found: UInt64 = 0
      for part in parts where found != all { found |= part.mayMatch(blocks: all, statistics) }
      return found
    case .isNull(let column): return statistics(column).map { all & $0.withNulls } ?? all
    case .isNotNull(let column): return statistics(column).map { all & $0.withValues } ?? all
    case .compare(let column, let comparison, let literal):
      return statistics(column).map { all & $0.withValues & $0.mayMatch(comparison, literal) } ?? all
    case .isIn(let column, let literals):
      guard let known = statistics(column) else { return all }
      return all & known.withValues & literals.reduce(0) { $0 | known.mayMatch(.equal, $1) }
    case .prefix(let column, let prefix): return statistics(column).map { all & $0.withValues & $0.mayStart(with: prefix) } ?? all
    case .meets(let column, let box): return statistics(column).map { all & $0.withValues & $0.mayMeet(box) } ?? all
    }
  }
}

extension BlockStatistics {
  fileprivate func mayMatch(_ comparison: Predicate.Comparison, _ literal: Predicate.Literal) -> UInt64 {
    switch (bounds, literal) {
    case (.int(let min, let max), .int(let value)): return Self.judge(comparison, value, min, max)
    case (.int(let min, let max), .uint(let value)):
      // Beyond every signed number.
      guard let value = Int64(exactly: value) else { return comparison == .less || comparison == .lessOrEqual || comparison == .notEqual ? .max : 0 }
      return Self.judge(comparison, value, min, max)
    case (.uint(let min, let max), .uint(let value)): return Self.judge(comparison, value, min, max)
    case (.uint(let min, let max), .int(let value)):
      guard let value = UInt64(exactly: value) else {
        return comparison == .greater || comparison == .greaterOrEqual || comparison == .notEqual ? .max : 0
      }
      return Self.judge(comparison, value, min, max)
    case (.double(let min, let max, let hasNaN), .double(let value)):
      guard !value.isNaN else { return .max }
      // NaN is above every number.
      let isAbove = comparison == .greater || comparison == .greaterOrEqual || comparison == .notEqual
      return Self.judge(comparison, value, min, max) | (isAbove ? hasNaN : 0)
    case (.text(let prefix, let min, let max), .bytes(let value)): return Self.judgeText(comparison, value, prefix, min, max)
    default: return .max
    }
  }

  /// Values and bounds of one type, whole numbers or without NaN.
  @inline(__always)
  private static func judge<Value: Comparable>(_ comparison: Predicate.Comparison, _ value: Value, _ min: [Value], _ max: [Value]) -> UInt64 {
    switch comparison {
    case .equal: collect(min, max) { $0 <= value && value <= $1 }
    case .notEqual: collect(min, max) { $0 != value || $1 != value }
    case .less: collect(min, max) { low, _ in low < value }
    case .lessOrEqual: collect(min, max) { low, _ in low <= value }
    case .greater: collect(min, max) { _, high in high > value }
    case .greaterOrEqual: collect(min, max) { _, high in high >= value }
    }
  }

  @inline(__always)
  private static func collect<Value>(_ min: [Value], _ max: [Value], _ isWanted: (Value, Value) -> Bool) -> UInt64 {
    var found: UInt64 = 0
    for index in 0..<Swift.min(min.count, max.count, 64) where isWanted(min[index], max[index]) { found |= 1 << UInt64(index) }
    return found
  }

  /// Heads are cut: what is equal in them may be on either side.
  private static func judgeText(
    _ comparison: Predicate.Comparison, _ value: [UInt8], _ prefix: [UInt8], _ min: [UInt64], _ max: [UInt64]
  ) -> UInt64 {
    guard comparison != .notEqual else { return .max }
    guard value.starts(with: prefix) else {
      // Every value begins with the prefix, and so is above, or below, all of it.
      let isBelow = value.lexicographicallyPrecedes(prefix)
      switch comparison {
      case .less, .lessOrEqual: return isBelow ? 0 : .max
      case .greater, .greaterOrEqual: return isBelow ? .max : 0
      case .equal, .notEqual: return 0
      }
    }
    let head = TextHead.of(value.dropFirst(prefix.count))
    switch comparison {
    case .equal: return collect(min, max) { $0 <= head && head <= $1 }
    case .less, .lessOrEqual: return collect(min, max) { low, _ in low <= head }
    case .greater, .greaterOrEqual: return collect(min, max) { _, high in high >= head }
    case .notEqual: return .max
    }
  }

  fileprivate func mayStart(with wanted: [UInt8]) -> UInt64 {
    guard case .text(let prefix, let min, let max) = bounds else { return .max }
    let shared = Swift.min(prefix.count, wanted.count)
    guard wanted.prefix(shared).elementsEqual(prefix.prefix(shared)) else { return 0 }
    let rest = wanted.dropFirst(prefix.count).prefix(8)
    guard !rest.isEmpty else { return .max }
    // Everything that starts so has a head between the rest followed by zeroes and the rest followed by ones.
    let least = TextHead.of(rest)
    let most = least | (rest.count == 8 ? 0 : UInt64.max >> UInt64(8 * rest.count))
    return Self.collect(min, max) { $0 <= most && least <= $1 }
  }

  fileprivate func mayMeet(_ box: BoundingBox) -> UInt64 {
    guard case .box(let boxes) = bounds else { return .max }
    var found: UInt64 = 0
    for (index, other) in boxes.enumerated() where other.meets(box) { found |= 1 << UInt64(index) }
    return found
  }
}
