import ArrowData
import CacheStore
import Primitives

/// Which rows of one version of an entry satisfied conditions that have been asked more than once.
///
/// Kept as the entry's memo: the memory counts against the limit, goes before any entry does, and with the version. What is
/// remembered is a set that has every row that satisfies the condition; DuckDB applies its filters to what it is given all the same.
final class RememberedRows: @unchecked Sendable {
  static let memoName = "remembered rows"
  /// Conditions that are known of at once; the one that was not asked for longest goes.
  static let maximumConditions = 64
  /// How often a condition is asked before its rows are kept.
  static let leastAsked = 2

  private struct Condition {
    var askCount = 0
    var lastAsked: UInt64 = 0
    var byteCount = 0
    var rows: [SegmentSlice: RowSet] = [:]
  }

  private struct State {
    var conditions: [Predicate: Condition] = [:]
    var clock: UInt64 = 0
    var byteCount = 0
    /// What the memo is charged.
    var chargedBytes = 0
  }

  private let state = Locked(State())
  /// One scan after the other says what is kept.
  private let charging = Locked(())
  private let counters: RememberedCounters
  /// Most bytes that are kept for the entry.
  private let limitBytes: Int

  private init(_ counters: RememberedCounters, limitBytes: Int) { (self.counters, self.limitBytes) = (counters, limitBytes) }

  deinit { counters.change(bytes: -state.withLock { $0.byteCount }) }

  /// What is remembered of an entry: a new one where there is none.
  static func of(_ entry: Entry, _ counters: RememberedCounters) -> RememberedRows? {
    if let known = entry.memo(memoName) as? RememberedRows { return known }
    let made = RememberedRows(counters, limitBytes: max(1 << 16, min(entry.sizeBytes / 16, 1 << 28)))
    return entry.setMemo(memoName, made, byteCount: 0, holdsRows: false) ? made : nil
  }

  /// Counts one more scan that asks for the condition; whether its rows are to be kept.
  func ask(_ condition: Predicate) -> Bool {
    state.withLock { state in
      state.clock += 1
      state.conditions[condition, default: Condition()].askCount += 1
      state.conditions[condition]?.lastAsked = state.clock
      let isWanted = (state.conditions[condition]?.askCount ?? 0) >= Self.leastAsked
      while state.conditions.count > Self.maximumConditions { forgetOldest(&state) }
      return isWanted
    }
  }

  func rows(_ condition: Predicate, _ slice: SegmentSlice) -> RowSet? { state.withLock { $0.conditions[condition]?.rows[slice] } }

  /// Keeps the rows of a stretch, unless that is more than the entry may have.
  func keep(_ rows: RowSet, _ condition: Predicate, _ slice: SegmentSlice) {
    state.withLock { state in
      guard state.conditions[condition] != nil, state.conditions[condition]?.rows[slice] == nil else { return }
      while state.byteCount + rows.byteCount > limitBytes, forgetOldest(&state, sparing: condition) {}
      guard state.byteCount + rows.byteCount <= limitBytes else { return }
      state.conditions[condition]?.rows[slice] = rows
      state.conditions[condition]?.byteCount += rows.byteCount
      state.byteCount += rows.byteCount
      counters.change(bytes: rows.byteCount)
    }
  }

  /// Has the entry's account say what is kept; where there is no room for it, all is forgotten.
  func charge(to entry: Entry) { charging.withLock { _ in chargeNow(to: entry) } }

  private func chargeNow(to entry: Entry) {
    let (byteCount, charged) = state.withLock { ($0.byteCount, $0.chargedBytes) }
    guard byteCount != charged || entry.memo(Self.memoName) !== self else { return }
    let isKept = entry.setMemo(Self.memoName, self, byteCount: byteCount, holdsRows: false)
    if !isKept { entry.setMemo(Self.memoName, nil) }
    state.withLock { state in
      guard !isKept else {
        state.chargedBytes = byteCount
        return
      }
      counters.change(bytes: -state.byteCount)
      state = State()
    }
  }

  @discardableResult
  private func forgetOldest(_ state: inout State, sparing spared: Predicate? = nil) -> Bool {
    guard let oldest = state.conditions.lazy.filter({ $0.key != spared }).min(by: { $0.value.lastAsked < $1.value.lastAsked }) else { return false }
    state.conditions[oldest.key] = nil
    state.byteCount -= oldest.value.byteCount
    counters.change(bytes: -oldest.value.byteCount)
    return true
  }
}
