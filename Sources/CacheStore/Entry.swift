import ArrowData
import CArrow
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
  public let partitions: [Partition]
  public let createdAt: Double
  /// How long the caller took to make what was put, where it said so.
  public let buildSeconds: Double?

  private let record: Locked<AccessRecord>
  private let statisticsByColumn = Locked<[Int: ColumnStatistics]>([:])
  private let memos = Locked<[String: AnyObject]>([:])

  init(
    key: String, version: UInt64, kind: String, userMetadata: String, schema: Schema, batches: [RecordBatch], partitions: [Partition],
    sizeBytes: Int, createdAt: Double, expiresAt: Double?, buildSeconds: Double?
  ) {
    (self.key, self.version, self.kind, self.userMetadata) = (key, version, kind, userMetadata)
    (self.schema, self.batches, self.partitions, self.sizeBytes) = (schema, batches, partitions, sizeBytes)
    rowCount = batches.reduce(0) { $0 + $1.rowCount }
    (self.createdAt, self.buildSeconds) = (createdAt, buildSeconds)
    record = Locked(AccessRecord(lastAccessedAt: createdAt, accessCount: 0, expiresAt: expiresAt))
  }

  public var access: AccessRecord { record.withLock { $0 } }

  /// Statistics of column `column` over partition `partition`: computed when first asked for, then kept.
  public func statistics(partition: Int, column: Int) -> ColumnStatistics { .unknown(rowCount: partitions[partition].rowCount) }

  /// What `setMemo` has kept under this name.
  public func memo(_ name: String) -> AnyObject? { memos.withLock { $0[name] } }

  /// Keeps an object of the caller's beside the entry, as long as this version lives; nil drops it.
  /// What it replaces is dropped after every lock has been given back. `byteCount` is memory of its own.
  public func setMemo(_ name: String, _ value: AnyObject?, byteCount: Int = 0) {
    let replaced = memos.withLock { memos in
      let old = memos[name]
      memos[name] = value
      return old
    }
    withExtendedLifetime(replaced) {}
  }

  /// Rows `offset ..< offset + limit` (nil: to the end) of these columns (nil: all), as slices of the batches; past the end no rows.
  public func reader(offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil) -> any BatchSource {
    EntryReader(self, offset: offset, limit: limit, columns: columns)
  }
}

private final class EntryReader: BatchSource {
  let schema: Schema
  init(_ entry: Entry, offset: Int, limit: Int?, columns: [Int]?) { schema = entry.schema.selecting(columns) }
  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool { false }
}
