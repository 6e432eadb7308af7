/// Which blocks of a column can hold one of its first rows in an order.
public enum TopBlocks {
  /// A mask for each stretch; nil where no block can be left out.
  ///
  /// If so many blocks have a value at or above a bound, or blocks of so many values have none below it, then so many rows are at or above it:
  /// a block whose largest value is below the bound has none of the first. What is equal to the bound stays.
  ///
  /// - Parameter rowCount: how many rows are wanted.
  public static func find(_ stretches: [BlockStatistics?], rowCount: Int, isDescending: Bool, nullsFirst: Bool) -> [UInt64]? {
    guard rowCount > 0 else { return nil }
    let prefix = sharedPrefix(stretches)
    var keys: [OrderKeys] = []
    keys.reserveCapacity(stretches.count)
    for stretch in stretches {
      guard let made = stretch?.orderKeys(prefix: prefix) else { return nil }
      keys.append(isDescending ? made : made.reversed())
    }
    guard let bound = bound(keys, rowCount) else { return nil }
    return zip(keys, stretches).map { keys, stretch in
      var wanted: UInt64 = nullsFirst ? stretch?.withNulls ?? .max : 0
      for (block, high) in keys.high.enumerated() where high >= bound && keys.counts[block] > 0 { wanted |= 1 << UInt64(block) }
      return wanted
    }
  }

  /// The largest number that at least `rowCount` values are known to reach; nil: fewer values than that are known.
  private static func bound(_ keys: [OrderKeys], _ rowCount: Int) -> UInt64? {
    var events: [(key: UInt64, count: Int)] = []
    for keys in keys {
      for (block, count) in keys.counts.enumerated() where count > 0 {
        if keys.areValues { events.append((keys.high[block], 1)) }
        if !keys.areValues || count > 1 { events.append((keys.low[block], keys.areValues ? count - 1 : count)) }
      }
    }
    // Few of many are wanted: what cannot be among the first events is passed over before they are sorted.
    if events.count > 4 * rowCount, rowCount <= 1024 {
      var largest: [UInt64] = []
      let step = max(1, events.count / 1024)
      for index in stride(from: 0, to: events.count, by: step) { largest.append(events[index].key) }
      largest.sort(by: >)
      if largest.count > rowCount {
        let floor = largest[rowCount]
        events.removeAll { $0.key < floor }
      }
    }
    events.sort { $0.key > $1.key }
    var reached = 0
    for event in events {
      reached = reached.addingSaturated(event.count)
      if reached >= rowCount { return event.key }
    }
    return nil
  }

  /// What all texts begin with.
  fileprivate static func sharedPrefix(_ stretches: [BlockStatistics?]) -> [UInt8] {
    guard case .bytes(let min, let max?, _) = ColumnStatistics(merging: stretches.compactMap { $0?.whole }).bounds else { return [] }
    return zip(min, max).prefix { $0.0 == $0.1 }.map(\.0)
  }
}

/// The bounds of blocks as numbers: a value above another has a larger number, or for texts the same.
struct OrderKeys {
  var low: [UInt64]
  var high: [UInt64]
  /// Of values that are not null.
  let counts: [Int]
  /// Whether each block has a value with each of its numbers.
  let areValues: Bool

  func reversed() -> OrderKeys { OrderKeys(low: high.map { ~$0 }, high: low.map { ~$0 }, counts: counts, areValues: areValues) }
}

extension BlockStatistics {
  /// Whether no block of these, one stretch after the other, has a value below one of the block before it, and none is null; nil where that
  /// cannot be said.
  public static func ascend(_ stretches: [BlockStatistics]) -> Bool? {
    var last: UInt64 = 0
    let prefix = TopBlocks.sharedPrefix(stretches)
    for stretch in stretches {
      guard let keys = stretch.orderKeys(prefix: prefix) else { return nil }
      guard stretch.withNulls == 0 else { return false }
      for block in keys.low.indices {
        guard keys.low[block] >= last else { return false }
        // Of texts eight bytes are compared: what is equal in them may be in any order.
        if case .text = stretch.bounds, keys.low[block] == last, last > 0 { return nil }
        last = keys.high[block]
      }
    }
    return true
  }

  /// - Parameter prefix: what the texts of all stretches begin with.
  func orderKeys(prefix: [UInt8]) -> OrderKeys? {
    guard let nullCounts else { return nil }
    let size = Self.blockRows
    let counts = nullCounts.enumerated().map { block, nulls in min(size, rowCount - block * size) - Int(nulls) }
    if whole.bounds == .noValues {
      return OrderKeys(low: counts.map { _ in 0 }, high: counts.map { _ in 0 }, counts: counts.map { _ in 0 }, areValues: true)
    }
    switch bounds {
    case .unknown, .box: return nil
    case .int(let min, let max): return OrderKeys(low: min.map(Self.key), high: max.map(Self.key), counts: counts, areValues: true)
    case .uint(let min, let max): return OrderKeys(low: min, high: max, counts: counts, areValues: true)
    case .double(let min, let max, let hasNaN):
      let nan = min.indices.map { hasNaN >> UInt64($0) & 1 == 1 }
      return OrderKeys(
        low: min.indices.map { min[$0] <= max[$0] ? Self.key(min[$0]) : .max }, high: max.indices.map { nan[$0] ? .max : Self.key(max[$0]) },
        counts: counts, areValues: true)
    case .text(let own, let min, let max):
      guard own.starts(with: prefix), case .bytes(_, _, let isExact) = whole.bounds else { return nil }
      let rest = Array(own.dropFirst(prefix.count).prefix(8))
      func key(_ head: UInt64) -> UInt64 {
        rest.count == 8 ? TextHead.of(rest) : TextHead.of(rest) | head >> UInt64(8 * rest.count)
      }
      return OrderKeys(low: min.map(key), high: max.map(key), counts: counts, areValues: isExact)
    }
  }

  private static func key(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ 1 << 63 }

  /// NaN is above everything, and both zeroes are one.
  private static func key(_ value: Double) -> UInt64 {
    let bits = (value == 0 ? 0 : value).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }
}
