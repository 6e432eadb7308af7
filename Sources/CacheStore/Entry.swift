import ArrowData
import Primitives
import Synchronization

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

  // Written under the catalog's lock, read without: each by itself is whole.
  private let lastAccessedAt: Atomic<UInt64>
  private let accessCount = Atomic(0)
  private let expiresAt: Atomic<UInt64>
  private let beside = Locked(Beside())
  private let memoBudget: MemoBudget

  /// What comes to lie beside the rows later.
  private struct Beside {
    var statistics: [StatisticsKey: ColumnStatistics] = [:]
    var memos: [String: Memo] = [:]
  }

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
    partitions: [Partition], sizeBytes: Int, createdAt: Double, expiresAt: Double?, buildSeconds: Double?, memoBudget: MemoBudget
  ) {
    (self.key, self.version, self.kind, self.userMetadata) = (key, version, kind, userMetadata)
    (self.schema, self.batches, self.rowCount) = (schema, batches, rowCount)
    (self.partitions, self.sizeBytes) = (partitions, sizeBytes)
    (self.createdAt, self.buildSeconds, self.memoBudget) = (createdAt, buildSeconds, memoBudget)
    lastAccessedAt = Atomic(createdAt.bitPattern)
    self.expiresAt = Atomic((expiresAt ?? .infinity).bitPattern)
  }

  deinit {
    let byteCount = beside.withLock { $0.memos.values.reduce(0) { $0 + $1.byteCount } }
    if byteCount != 0 { _ = memoBudget.take(-byteCount) }
  }

  /// How the entry has been used, and until when it lives.
  public var access: AccessRecord {
    let expiry = Double(bitPattern: expiresAt.load(ordering: .relaxed))
    return AccessRecord(
      lastAccessedAt: Double(bitPattern: lastAccessedAt.load(ordering: .relaxed)), accessCount: accessCount.load(ordering: .relaxed),
      expiresAt: expiry == .infinity ? nil : expiry)
  }

  func recordAccess(_ now: Double) {
    lastAccessedAt.store(now.bitPattern, ordering: .relaxed)
    accessCount.wrappingAdd(1, ordering: .relaxed)
  }

  func recordExpiry(_ expiry: Double?) { expiresAt.store((expiry ?? .infinity).bitPattern, ordering: .relaxed) }

  /// Statistics of a column over a partition: computed when first asked for, then kept. Unknown for what is not there.
  public func statistics(partition: Int, column: Int) -> ColumnStatistics {
    guard partitions.indices.contains(partition), schema.fields.indices.contains(column) else { return .unknown(rowCount: 0) }
    let key = StatisticsKey(partition: partition, column: column)
    if let known = beside.withLock({ $0.statistics[key] }) { return known }
    let parts = partitions[partition].slices.map { slice in
      ColumnStatistics(of: batches[slice.batchIndex], column: column, offset: slice.offset, count: slice.count)
    }
    let statistics = ColumnStatistics(merging: parts)
    beside.withLock { $0.statistics[key] = statistics }
    return statistics
  }

  /// The box around the geometries of a column of well-known binary; nil for other columns, and where no geometry has a place.
  public func boundingBox(column: Int) -> BoundingBox? {
    guard schema.fields.indices.contains(column), schema.fields[column].isWellKnownBinary else { return nil }
    var boxes: [BoundingBox] = []
    for partition in partitions.indices {
      switch statistics(partition: partition, column: column).bounds {
      case .box(let box): boxes.append(box)
      case .noValues: break
      default: return nil
      }
    }
    return BoundingBox.around(boxes)
  }

  /// What `setMemo` has kept under this name.
  public func memo(_ name: String) -> AnyObject? { beside.withLock { $0.memos[name]?.value } }

  /// Keeps an object of the caller's beside the entry, as long as this version lives; nil drops it.
  ///
  /// `byteCount` is memory of its own: it counts against the memory limit, so that without room for it the object is not kept (false),
  /// and goes when an entry needs the room. What is replaced is let go with no lock held.
  @discardableResult
  public func setMemo(_ name: String, _ value: AnyObject?, byteCount: Int = 0) -> Bool {
    let memo = value.map { Memo(value: $0, byteCount: max(0, byteCount)) }
    var replaced: Memo?
    let isKept = beside.withLock { beside in
      replaced = beside.memos[name]
      guard memoBudget.take((memo?.byteCount ?? 0) - (replaced?.byteCount ?? 0)) else { return false }
      beside.memos[name] = memo
      return true
    }
    withExtendedLifetime(replaced) {}
    return isKept
  }

  /// Takes out what has memory of its own; the caller lets go of it with no lock held.
  func takeMemos() -> [AnyObject] {
    beside.withLock { beside in
      let heavy = beside.memos.filter { $0.value.byteCount > 0 }
      for (name, memo) in heavy {
        beside.memos[name] = nil
        _ = memoBudget.take(-memo.byteCount)
      }
      return heavy.values.map(\.value)
    }
  }
}
