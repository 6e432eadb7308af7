import ArrowData
import CArrow
import Primitives

/// A result whose rows are produced while it is read. Holds its session until the end, an error, or its release.
///
/// Where its thread needs the session for another statement, what has not been read yet is produced and held (`settle`).
final class LiveResult: BatchSource, @unchecked Sendable {
  private typealias Running = (result: any QueryResult, giveBack: (_ isBroken: Bool) -> Void)

  private struct State {
    /// nil at the end, and while a thread is at it.
    var running: Running?
    /// Whether a thread is at the result: any other waits.
    var isBusy = false
    /// What has been produced before it was asked for.
    var ahead: ArraySlice<RecordBatch> = []
    var aheadBytes = 0
    var failure: CacheError?
  }

  let schema: Schema
  private let snapshot: QuerySnapshot
  private let space: TemporarySpace
  private let cancellation: Cancellation?
  private let stopper: QueryStopper
  /// Counts what is held.
  private let charge: (RecordBatch) -> RecordBatch
  private let state: Locked<State>

  init(
    _ result: any QueryResult, schema: Schema, snapshot: QuerySnapshot, space: TemporarySpace, cancellation: Cancellation?, stopper: QueryStopper,
    charge: @escaping (RecordBatch) -> RecordBatch, giveBack: @escaping (_ isBroken: Bool) -> Void
  ) {
    (self.schema, self.snapshot, self.space, self.cancellation, self.stopper) = (schema, snapshot, space, cancellation, stopper)
    self.charge = charge
    state = Locked(State(running: (result, giveBack)))
  }

  deinit {
    var running = state.withLock { state in
      defer { state.running = nil }
      return state.running
    }
    let giveBack = running?.giveBack
    running = nil  // the result goes before its session can be used again
    giveBack?(false)
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    var running = begin()
    if running != nil { return try produce(&running, into: array) }
    let (batch, failure) = state.withLock { state in
      let batch = state.ahead.popFirst()
      state.aheadBytes -= batch.map(Self.byteCount) ?? 0
      return (batch, batch == nil ? state.failure : nil)
    }
    if let failure { throw failure }
    batch?.export(offset: 0, count: batch?.rowCount ?? 0, to: array)
    return batch != nil
  }

  /// Produces what is left, and gives the session back. False where that takes more than so many bytes, with what has been produced before: then it goes
  /// on where it is.
  func settle(limitBytes: Int) -> Bool {
    while state.withLock({ $0.aheadBytes }) <= limitBytes {
      var running = begin(isAhead: true)
      if running == nil { return true }
      var array = ArrowArray()
      // What fails its reader is told.
      guard (try? produce(&running, into: &array, keepsAhead: true)) ?? false else { return true }
    }
    return false
  }

  private static func byteCount(_ batch: RecordBatch) -> Int { batch.copyByteCount(columns: nil, offset: 0, count: batch.rowCount) }

  /// The result, for one thread at a time; nil at its end, and for a reader that something is there for.
  private func begin(isAhead: Bool = false) -> Running? {
    let found: Running?? = state.wait { state in
      if state.isBusy { return nil }
      guard isAhead || state.ahead.isEmpty, let running = state.running else { return .some(nil) }
      (state.running, state.isBusy) = (nil, true)
      return running
    }
    return found ?? nil
  }

  /// - Parameter keepsAhead: whether the rows, or the failure, are for whoever reads next: kept before another thread may look for them.
  private func produce(
    _ running: inout Running?, into array: UnsafeMutablePointer<ArrowArray>, keepsAhead: Bool = false
  ) throws(CacheError) -> Bool {
    let giveBack = running?.giveBack
    var failure: CacheError?
    do throws(CacheError) {
      let hasRows = try stopper.run(cancellation) { () throws(CacheError) in
        // DuckDB forgets an interrupt that comes between two batches.
        if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
        return try snapshot.run { () throws(CacheError) in try running?.result.next(into: array) ?? false }
      }
      if hasRows {
        let kept = keepsAhead ? charge(try RecordBatch(importing: array, schema: schema)) : nil
        state.signal { state in
          (state.running, state.isBusy) = (running, false)
          if let kept {
            state.ahead.append(kept)
            state.aheadBytes += Self.byteCount(kept)
          }
        }
        return true
      }
    } catch {
      failure = error
    }
    running = nil
    giveBack?(failure?.code == .duckdb)
    let explained = failure.map(space.explained)
    state.signal { state in
      state.isBusy = false
      if keepsAhead { state.failure = explained ?? state.failure }
    }
    if let explained { throw explained }
    return false
  }
}
