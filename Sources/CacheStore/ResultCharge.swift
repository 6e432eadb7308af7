import ArrowData
import Primitives

/// Memory of a part of a query's result in the ledger: counted from when it is made until its last reader is gone, apart from the limit, and
/// within the limit while the store keeps it for the next one who asks.
public final class ResultCharge: @unchecked Sendable {
  private let ledger: MemoryLedger
  private let spans: [BufferSpan]
  public let byteCount: Int
  /// Changed by whoever keeps it, one at a time, before the last reader goes.
  private var isKept = false

  init(_ buffers: BufferSet, in ledger: MemoryLedger) {
    (spans, byteCount, self.ledger) = (buffers.spans, buffers.totalBytes, ledger)
    ledger.add(spans, inPlaceOf: nil, .result)
  }

  deinit {
    if isKept { _ = ledger.takeMemo(-byteCount) } else { ledger.remove(spans, .result) }
  }

  /// Counts it within `limit` (nil: none) from now on; false where that leaves no room.
  fileprivate func keep(within limit: Int?) -> Bool {
    guard !isKept else { return true }
    guard ledger.takeMemo(byteCount, within: limit) else { return false }
    ledger.remove(spans, .result)
    isKept = true
    return true
  }

  /// It is the callers' alone from now on.
  public func letGo() {
    guard isKept else { return }
    isKept = false
    ledger.add(spans, inPlaceOf: nil, .result)
    _ = ledger.takeMemo(-byteCount)
  }
}

/// Whoever keeps results of queries: they go before any entry does.
public protocol ResultKeeper: AnyObject, Sendable {
  /// Takes out all of them and lets go of their charges; the caller lets go of them with no lock held.
  func takeResults() -> [AnyObject]
  /// The same of those that have read one of these versions of entries, which are no more.
  func takeResults(of versions: [UInt64]) -> [AnyObject]
}

extension Store {
  /// The batch, counted as a result until its last reader is gone.
  public func charged(_ batch: RecordBatch) -> (batch: RecordBatch, charge: ResultCharge) {
    var buffers = BufferSet()
    buffers.insert(batch)
    let charge = ResultCharge(buffers, in: tiers.memory)
    return (batch.keeping(charge), charge)
  }

  /// Counts results within the limit: all of them, or none (false) where there is no room below the threshold from which rows go to disk.
  public func keep(_ charges: [ResultCharge]) -> Bool {
    let limit = tiers.folder == nil ? options.memoryLimitBytes : options.thresholdBytes
    for (index, charge) in charges.enumerated() where !charge.keep(within: limit) {
      charges[..<index].forEach { $0.letGo() }
      return false
    }
    return true
  }

  /// Has `keeper` asked for its results when memory is short. Held weakly.
  public func register(_ keeper: any ResultKeeper) { tiers.memos.remember(keeper) }

  /// A place for what callers keep beside a result.
  public func memoShelf() -> MemoShelf { MemoShelf(tiers.memos) }
}
