/// What a store holds and what it has done so far. Bytes count each buffer once, whichever entries share it.
public struct StoreStatus: Hashable, Sendable {
  public var entryCount = 0
  public var partitionCount = 0
  public var currentSizeBytes = 0
  public var limitBytes: Int?
  /// Memory that callers keep beside entries (`Entry.setMemo`).
  public var memoBytes = 0
  public var pinnedCount = 0
  public var hits = 0
  public var misses = 0
  public var evictedCount = 0
  public var evictedBytes = 0
  public var expiredCount = 0
  public var expiredBytes = 0
}
