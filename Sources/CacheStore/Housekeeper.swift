import ArrowData
import Primitives

/// The thread in the background of a store: moves rows to disk before memory is short, brings back those that are read often, and takes
/// out what has expired. Started when there is something to do for the first time; none runs in a forked child.
final class Housekeeper: @unchecked Sendable {
  /// Segments that wait to come back, at most.
  private static let maximumWanted = 1024

  private struct State {
    var isRunning = false
    var isStopped = false
    var isWoken = false
    /// Weak: what is let go of meanwhile goes.
    var wanted: [WeakSegment] = []
    /// nil: none runs, or it is just being made.
    var thread: EngineThread?
  }

  private let state = Locked(State())

  /// There may be something to do.
  func wake(_ tiers: Tiers) { signal(tiers) { $0.isWoken = true } }

  /// An entry has a time to live.
  func wakeForExpiry(_ tiers: Tiers) { if tiers.options.checkInterval > 0 { wake(tiers) } }

  func want(_ segment: Segment, _ tiers: Tiers) {
    signal(tiers) { state in
      guard state.wanted.count < Self.maximumWanted, !state.wanted.contains(where: { $0.segment === segment }) else { return }
      state.wanted.append(WeakSegment(segment: segment))
      state.isWoken = true
    }
  }

  func takeWanted() -> [Segment] {
    state.withLock { state in
      defer { state.wanted = [] }
      return state.wanted.compactMap(\.segment)
    }
  }

  private func signal(_ tiers: Tiers, _ change: (inout State) -> Void) {
    let starts = state.signal { state -> Bool in
      guard !state.isStopped else { return false }
      change(&state)
      guard tiers.options.hasBackground, !state.isRunning else { return false }
      state.isRunning = true
      return true
    }
    if starts { start(tiers) }
  }

  private func start(_ tiers: Tiers) {
    guard let thread = EngineThread({ [self] in run(tiers) }) else {
      // Calls go on doing what must be done; the next one tries again.
      return state.signal { $0.isRunning = false }
    }
    state.signal { $0.thread = thread }
  }

  /// Holds the store's machinery, not the store: one that is dropped without `close` closes and ends the thread.
  private func run(_ tiers: Tiers) {
    var pause: Double?
    repeat { pause = tiers.housekeep() } while rest(pause)
  }

  /// Blocks until something wakes it or so long has passed; false once it is stopped.
  private func rest(_ seconds: Double?) -> Bool {
    let waitMillis = seconds.map { Int(max(0, min($0, 1e6)) * 1000) + 1 }
    return state.wait(waitMillis: waitMillis) { state -> Bool? in
      if state.isStopped { return false }
      guard state.isWoken else { return nil }
      state.isWoken = false
      return true
    } ?? true
  }

  /// Ends the thread and waits for it, unless it is the one that asks.
  func stop() {
    state.signal { state in
      state.isStopped = true
      state.wanted = []
    }
    // One that another call is making at the moment ends as well.
    let thread = state.wait { state -> EngineThread?? in
      guard state.isRunning else { return .some(nil) }
      guard let thread = state.thread else { return nil }
      (state.isRunning, state.thread) = (false, nil)
      return thread
    } ?? nil
    thread?.join()
  }
}

extension Tiers {
  /// Rows go to disk in the background down to so much below the threshold, so that it does not start again at once.
  private static let hysteresis = 0.05

  /// Does what there is to do now; returns in how many seconds there will be something again, nil: not before it is woken.
  func housekeep() -> Double? {
    let next = change { catalog, now, dropped -> Double? in
      guard options.checkInterval > 0 else { return nil }
      _ = catalog.expireDue(now, &dropped)
      return catalog.nextExpiry.map { max(0, $0 - now) }
    }
    if let threshold = options.thresholdBytes, folder != nil, memory.totals.used > threshold { _ = memos.takeResults() }
    if let limit = memory.limitBytes, let threshold = options.thresholdBytes, folder != nil, memory.totals.used > threshold {
      let target = max(0, threshold - Int(Double(limit) * Self.hysteresis))
      // In steps, so that calls that wait find room early.
      while case let excess = memory.excess(over: target), excess > 0 {
        guard spillColdest(min(excess, max(1 << 20, limit / 16)), cause: Tiers.inBackground) else { break }
      }
    }
    for segment in housekeeper.takeWanted() { bringBack(segment) }
    return next.map { min($0, options.checkInterval) }
  }

  /// Reads rows back to memory, where there is room below the threshold.
  private func bringBack(_ segment: Segment) {
    guard let threshold = options.thresholdBytes, let holding = catalog.withLock({ $0.holding(of: segment) }), let file = segment.beginReturning() else { return }
    let started = SteadyClock.seconds()
    guard memory.excess(over: threshold, with: segment.byteCount) == 0, let reservation = memory.reserve(0) else {
      return segment.abandonMove()
    }
    do throws(CacheError) {
      let (copies, buffers) = try copy(file, threshold, reservation)
      let charge = MemoryCharge(buffers.spans, in: memory, inPlaceOf: reservation)
      let kept = copies.map { $0.keeping(charge) }
      let now = clock.now()
      let isDone = catalog.withLock { catalog -> Bool in
        guard holding.isLive else { return false }
        segment.finishReturning(kept, charge, now)
        catalog.spares.insert(segment)
        catalog.rankForSpilling(holding)
        return true
      }
      guard isDone else { return segment.abandonMove() }
      counters.withLock { $0.count(\.loaded, "hot", segment.byteCount) }
      events.record(
        .loaded, holding.key.text, version: holding.version ?? 0, segment: holding.segments.firstIndex { $0 === segment },
        bytes: segment.byteCount, from: .disk, to: .both, cause: "hot", seconds: SteadyClock.seconds() - started, at: now)
    } catch {
      segment.abandonMove()
    }
  }

  /// All rows of a file in memory of their own, a batch for each of its pieces, within the threshold. Throws `.memoryLimit` where there
  /// is no room.
  private func copy(_ file: SegmentFile, _ threshold: Int, _ reservation: Reservation) throws(CacheError) -> ([RecordBatch], BufferSet) {
    var copies: [RecordBatch] = []
    var buffers = BufferSet()
    let dictionaries = DictionaryCopies()
    func take(_ byteCount: Int) throws(CacheError) -> Reservation {
      guard memory.excess(over: threshold, with: byteCount) == 0, let taken = memory.reserve(byteCount) else {
        throw CacheError(.memoryLimit, "reading a spilled table back needs \(byteCount) bytes")
      }
      return taken
    }
    for rows in file.pieces {
      // Beside the copy, for as long as that is made.
      let decompressed = try take(try file.decompressedBytes(offset: rows.lowerBound, count: rows.count, columns: nil))
      for piece in try file.read(offset: rows.lowerBound, count: rows.count, columns: nil) {
        reservation.add(try take(piece.batch.copyByteCount(columns: nil, offset: piece.offset, count: piece.count)))
        let copy = try piece.batch.copied(columns: nil, offset: piece.offset, count: piece.count, dictionaries: dictionaries)
        copies.append(copy)
        buffers.insert(copy)
        reservation.shrink(to: buffers.totalBytes)
      }
      withExtendedLifetime(decompressed) {}
    }
    return (copies, buffers)
  }
}
