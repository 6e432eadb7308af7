import ArrowData
import Primitives

/// One version of what is kept under a key: an immutable snapshot, readable as long as it is held, whatever the store does.
public final class Entry: @unchecked Sendable {
  public let key: String
  /// Grows over the store: a later put has a larger one.
  public let version: UInt64
  /// What was put ("pandas", "arrow", …), a word of the caller's.
  public let kind: String
  /// JSON text of the caller's.
  public let userMetadata: String
  public let schema: Schema
  /// The rows, in order; no batch is empty.
  public let batches: [RecordBatch]
  public let rowCount: Int
  /// Bytes of the distinct buffers behind the batches.
  public let sizeBytes: Int
  /// The row ranges that are skipped, scanned and kept as one; none where there is no row.
  public let partitions: [Partition]
  public let createdAt: Double
  /// How long the caller took to make what was put, where it said so.
  public let buildSeconds: Double?

  private let record: Locked<AccessRecord>
  private let knownStatistics = Locked<[StatisticsKey: ColumnStatistics]>([:])
  private let memos = Locked<[String: Memo]>([:])
  private let memoBytes: Locked<Int>

  private struct StatisticsKey: Hashable {
    let partition: Int
    let column: Int
  }

  private struct Memo {
    let value: AnyObject
    let byteCount: Int
  }

  init(
    key: String, version: UInt64, kind: String, userMetadata: String, schema: Schema, batches: [RecordBatch], rowCount: Int,
    partitions: [Partition], sizeBytes: Int, createdAt: Double, expiresAt: Double?, buildSeconds: Double?, memoBytes: Locked<Int>
  ) {
    (self.key, self.version, self.kind, self.userMetadata) = (key, version, kind, userMetadata)
    (self.schema, self.batches, self.rowCount) = (schema, batches, rowCount)
    (self.partitions, self.sizeBytes) = (partitions, sizeBytes)
    (self.createdAt, self.buildSeconds, self.memoBytes) = (createdAt, buildSeconds, memoBytes)
    record = Locked(AccessRecord(lastAccessedAt: createdAt, accessCount: 0, expiresAt: expiresAt))
  }

  deinit {
    let byteCount = memos.withLock { $0.values.reduce(0) { $0 + $1.byteCount } }
    if byteCount != 0 { memoBytes.withLock { $0 -= byteCount } }
  }

  public var access: AccessRecord { record.withLock { $0 } }

  func recordAccess(_ now: Double) {
    record.withLock { record in
      record.lastAccessedAt = now
      record.accessCount += 1
    }
  }

  func recordExpiry(_ expiresAt: Double?) { record.withLock { $0.expiresAt = expiresAt } }

  /// Statistics of a column over a partition: computed when first asked for, then kept. Unknown for what is not there.
  public func statistics(partition: Int, column: Int) -> ColumnStatistics {
    guard partitions.indices.contains(partition), schema.fields.indices.contains(column) else { return .unknown(rowCount: 0) }
    let key = StatisticsKey(partition: partition, column: column)
    if let known = knownStatistics.withLock({ $0[key] }) { return known }
    let parts = partitions[partition].slices.map { slice in
      ColumnStatistics(of: batches[slice.batchIndex], column: column, offset: slice.offset, count: slice.count)
    }
    let statistics = ColumnStatistics(merging: parts)
    knownStatistics.withLock { $0[key] = statistics }
    return statistics
  }

  /// What `setMemo` has kept under this name.
  public func memo(_ name: String) -> AnyObject? { memos.withLock { $0[name]?.value } }

  /// Keeps an object of the caller's beside the entry, as long as this version lives; nil drops it.
  /// `byteCount` is memory of its own. What it replaces is let go with no lock held.
  public func setMemo(_ name: String, _ value: AnyObject?, byteCount: Int = 0) {
    let memo = value.map { Memo(value: $0, byteCount: max(0, byteCount)) }
    let replaced = memos.withLock { memos in
      let old = memos[name]
      memos[name] = memo
      return old
    }
    let growth = (memo?.byteCount ?? 0) - (replaced?.byteCount ?? 0)
    if growth != 0 { memoBytes.withLock { $0 = $0 &+ growth } }
    withExtendedLifetime(replaced) {}
  }
}
