import ArrowData
import Primitives

/// The account of memory: every byte once, by buffer address, whoever shares it.
///
/// What the store holds (`resident`), what is taken before it is there (`reserved`) and what callers keep beside entries (`memos`)
/// stay within the limit together. What has left the store and is still read outside is `leased`: counted, and not limited. Its lock is
/// the last one that any thread takes.
final class MemoryLedger: Sendable {
  enum Role { case resident, leased, result }

  struct Totals {
    var resident = 0
    var leased = 0
    var reserved = 0
    var memos = 0
    /// Of results of queries that callers hold; not limited.
    var results = 0
    /// Of what is used, what is being put where rows may not go to disk: counted, and not limited before it is known to fit.
    var deferred = 0
    /// The most that was used at any time.
    var highWater = 0

    /// What counts against the limit.
    var used: Int { resident &+ reserved &+ memos &- deferred }
  }

  fileprivate struct State {
    var holders: [UInt: BufferHolders] = [:]
    var totals = Totals()
    /// Grows whenever memory has been given back or work on it has ended: what waits for room looks again.
    var generation: UInt64 = 0
  }

  let limitBytes: Int?
  private let state = Locked(State())

  init(limitBytes: Int?) { self.limitBytes = limitBytes }

  var totals: Totals { state.withLock { $0.totals } }
  var bufferCount: Int { state.withLock { $0.holders.count } }

  // MARK: room

  /// What lies above `limit` (0: nothing) once `byteCount` more are used.
  func excess(over limit: Int, with byteCount: Int = 0) -> Int { max(0, totals.used.saturatingSum(byteCount) - limit) }

  /// Takes memory before it is there; nil where the limit, raised by `allowance`, leaves no room.
  func reserve(_ byteCount: Int, allowance: Int = 0) -> Reservation? {
    state.withLock { $0.take(byteCount, limitBytes?.saturatingSum(allowance), \.reserved) } ? Reservation(self, byteCount) : nil
  }

  /// Takes memory that counts against the limit when the deferral is admitted.
  func reserve(_ byteCount: Int, _ deferral: Deferral) -> Reservation {
    state.withLock { state in
      state.totals.reserved &+= byteCount
      state.totals.deferred &+= byteCount
      deferral.byteCount &+= byteCount
    }
    return Reservation(self, byteCount)
  }

  /// Counts what has been deferred, but for `allowance`, which is given back when the deferral goes; false where the limit leaves no room.
  func admit(_ deferral: Deferral, allowance: Int) -> Bool {
    state.withLock { state in
      let counted = max(0, deferral.byteCount - allowance)
      if counted > 0, let limitBytes, state.totals.used.saturatingSum(counted) > limitBytes { return false }
      state.totals.deferred -= counted
      deferral.byteCount -= counted
      state.totals.highWater = max(state.totals.highWater, state.totals.used)
      return true
    }
  }

  fileprivate func release(_ deferral: Deferral) { giveBack { $0.deferred &-= deferral.byteCount } }

  fileprivate func release(_ byteCount: Int) { giveBack { $0.reserved &-= byteCount } }

  /// Takes memory for a memo, which may be less than none; false where there is no room.
  func takeMemo(_ byteCount: Int) -> Bool {
    if byteCount < 0 {
      giveBack { $0.memos += byteCount }
      return true
    }
    return state.withLock { $0.take(byteCount, limitBytes, \.memos) }
  }

  /// Takes memory for a result that is kept; false where that would take more than `limit`.
  func takeMemo(_ byteCount: Int, within limit: Int?) -> Bool { state.withLock { $0.take(byteCount, limit, \.memos) } }

  private func giveBack(_ change: (inout Totals) -> Void) {
    state.signal { state in
      change(&state.totals)
      state.generation &+= 1
    }
  }

  // MARK: buffers

  /// Bytes of `spans` that are not resident.
  func missingBytes(_ spans: [BufferSpan]) -> Int {
    state.withLock { state in
      spans.reduce(0) { $0.saturatingSum(max(0, $1.byteCount - (state.holders[$1.address]?.resident.largest ?? 0))) }
    }
  }

  /// By how many bytes less would be resident without these holders, the spans of each one after the other.
  func bytesHeld(byNoneBesides spans: [BufferSpan]) -> Int {
    var counts: [UInt: Int] = [:]
    for span in spans { counts[span.address, default: 0] += 1 }
    return state.withLock { state in
      counts.reduce(0) { sum, held in
        guard let holders = state.holders[held.key], holders.resident.holderCount == held.value else { return sum }
        return sum.saturatingSum(holders.residentBytes)
      }
    }
  }

  /// As `add`; false, and nothing counted, where more is missing by now than was reserved and the limit leaves no room for it.
  func admit(_ spans: [BufferSpan], inPlaceOf reservation: Reservation, allowance: Int) -> Bool {
    state.withLock { state in
      let missing = spans.reduce(0) { $0.saturatingSum(max(0, $1.byteCount - (state.holders[$1.address]?.resident.largest ?? 0))) }
      let shortage = missing - reservation.reservedBytes
      if shortage > 0, let limitBytes, state.totals.used.saturatingSum(shortage) > limitBytes.saturatingSum(allowance) { return false }
      for span in spans { state.change(span.address) { $0.resident.add(span.byteCount) } }
      state.totals.reserved &-= reservation.take()
      state.totals.highWater = max(state.totals.highWater, state.totals.used)
      return true
    }
  }

  /// Counts the buffers of one more holder, in place of what was reserved for them.
  func add(_ spans: [BufferSpan], inPlaceOf reservation: Reservation?, _ role: Role = .resident) {
    state.withLock { state in
      for span in spans {
        state.change(span.address) { holders in
          switch role {
          case .resident: holders.resident.add(span.byteCount)
          case .leased: holders.leased.add(span.byteCount)
          case .result: holders.results.add(span.byteCount)
          }
        }
      }
      state.totals.reserved &-= reservation?.take() ?? 0
      state.totals.highWater = max(state.totals.highWater, state.totals.used)
    }
  }

  /// The store has let go of the buffers, readers may not have. Returns by how many bytes less are resident.
  func lease(_ spans: [BufferSpan]) -> Int {
    state.signal { state in
      let before = state.totals.resident
      for span in spans {
        state.change(span.address) { holders in
          holders.resident.remove(span.byteCount)
          holders.leased.add(span.byteCount)
        }
      }
      state.generation &+= 1
      return before - state.totals.resident
    }
  }

  /// Nobody holds the buffers any more.
  func remove(_ spans: [BufferSpan], _ role: Role) {
    state.signal { state in
      for span in spans {
        state.change(span.address) { holders in
          switch role {
          case .resident: holders.resident.remove(span.byteCount)
          case .leased: holders.leased.remove(span.byteCount)
          case .result: holders.results.remove(span.byteCount)
          }
        }
      }
      state.generation &+= 1
    }
  }

  // MARK: waiting

  var generation: UInt64 { state.withLock { $0.generation } }

  /// Wakes who waits for room: work has ended that may have made some.
  func wake() { giveBack { _ in } }

  /// Blocks until something has been given back since `generation`, at most so long.
  func wait(since generation: UInt64, waitMillis: Int) {
    _ = state.wait(waitMillis: waitMillis) { $0.generation == generation ? nil : true }
  }
}

extension MemoryLedger.State {
  fileprivate mutating func take(_ byteCount: Int, _ limitBytes: Int?, _ part: WritableKeyPath<MemoryLedger.Totals, Int>) -> Bool {
    let (sum, overflow) = totals.used.addingReportingOverflow(byteCount)
    if byteCount > 0, overflow || sum > limitBytes ?? .max { return false }
    totals[keyPath: part] += byteCount
    totals.highWater = max(totals.highWater, totals.used)
    return true
  }

  fileprivate mutating func change(_ address: UInt, _ body: (inout BufferHolders) -> Void) {
    var held = holders[address] ?? BufferHolders()
    let (resident, leased, results) = (held.residentBytes, held.leasedBytes, held.resultBytes)
    body(&held)
    // Wrapping: a producer may claim buffers that no machine has, and what is added is taken back as it was.
    totals.resident &+= held.residentBytes &- resident
    totals.leased &+= held.leasedBytes &- leased
    totals.results &+= held.resultBytes &- results
    holders[address] = held.isEmpty ? nil : held
  }
}

/// Memory that is taken from the ledger before it is allocated, and given back when this goes.
final class Reservation: @unchecked Sendable {
  private let ledger: MemoryLedger
  private var byteCount: Int

  fileprivate init(_ ledger: MemoryLedger, _ byteCount: Int) { (self.ledger, self.byteCount) = (ledger, byteCount) }

  deinit { if byteCount != 0 { ledger.release(byteCount) } }

  var reservedBytes: Int { byteCount }

  /// Takes over what another one has.
  func add(_ other: Reservation) { byteCount = byteCount.saturatingSum(other.take()) }

  /// Gives back what is more than so many bytes.
  func shrink(to wanted: Int) {
    guard byteCount > wanted else { return }
    ledger.release(byteCount - wanted)
    byteCount = wanted
  }

  /// The bytes are counted otherwise from now on.
  fileprivate func take() -> Int {
    defer { byteCount = 0 }
    return byteCount
  }
}

/// What a put has taken that counts against the limit once it is whole.
final class Deferral: @unchecked Sendable {
  private let ledger: MemoryLedger
  /// Under the ledger's lock.
  fileprivate(set) var byteCount = 0

  init(_ ledger: MemoryLedger) { self.ledger = ledger }

  deinit { ledger.release(self) }
}

/// The buffers of one batch in the ledger, from when the store takes it until its last reader is gone: see `RecordBatch.keeping`.
final class MemoryCharge: @unchecked Sendable {
  private let ledger: MemoryLedger
  let spans: [BufferSpan]
  var byteCount: Int { spans.reduce(0) { $0.saturatingSum($1.byteCount) } }
  /// Changed once, by whoever takes the batch out of the store, before the last reference goes.
  private var role: MemoryLedger.Role
  private var isCounted = true

  init(_ spans: [BufferSpan], in ledger: MemoryLedger, inPlaceOf reservation: Reservation? = nil, role: MemoryLedger.Role = .resident) {
    (self.ledger, self.spans, self.role) = (ledger, spans, role)
    ledger.add(spans, inPlaceOf: reservation, role)
  }

  /// nil where `MemoryLedger.admit` says no.
  init?(admitting spans: [BufferSpan], in ledger: MemoryLedger, inPlaceOf reservation: Reservation, allowance: Int) {
    (self.ledger, self.spans, role) = (ledger, spans, .resident)
    guard ledger.admit(spans, inPlaceOf: reservation, allowance: allowance) else {
      isCounted = false
      return nil
    }
  }

  deinit { if isCounted { ledger.remove(spans, role) } }

  /// The store lets go of the batch. Returns by how many bytes less are resident.
  @discardableResult
  func leave() -> Int {
    guard role == .resident else { return 0 }
    role = .leased
    return ledger.lease(spans)
  }
}

extension Int {
  /// The sum, or the largest number where it does not fit.
  func saturatingSum(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
