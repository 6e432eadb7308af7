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
  /// The rows, in order; no segment is empty.
  public let segments: [Segment]
  public let rowCount: Int
  /// Bytes of the distinct buffers, as they are in memory.
  public let sizeBytes: Int
  /// The row ranges that are skipped, scanned and kept as one; none where there is no row.
  public let partitions: [Partition]
  public let createdAt: Double
  /// How long the caller took to make what was put, where it said so.
  public let buildSeconds: Double?

  let usage: Usage
  let memos: MemoShelf
  private let known = Locked<[StatisticsKey: ColumnStatistics]>([:])
  /// Statistics of blocks, by column, then one for each stretch of the table's partitions; made when first asked for.
  private let blocks = Locked<[Int: [BlockStatistics?]]>([:])

  /// The files that have this version's partitions, by the folder that it has been persisted to or loaded from.
  let persisted = Locked<[String: [String]]>([:])

  /// How many different values columns have, where that has been asked for.
  let distinct = Locked<[StatisticsKey: Int]>([:])

  struct StatisticsKey: Hashable {
    let partition: Int
    let column: Int
  }

  /// What a put has read.
  struct Content {
    let schema: Schema
    let segments: [Segment]
    let rowCount: Int
    let sizeBytes: Int
    let partitions: [Partition]
  }

  /// What the caller says about it.
  struct Label {
    let key: String
    let kind: String
    let userMetadata: String
    let buildSeconds: Double?
  }

  init(_ label: Label, _ content: Content, version: UInt64, createdAt: Double, usage: Usage, memos: MemoBudget) {
    (key, kind, userMetadata, buildSeconds) = (label.key, label.kind, label.userMetadata, label.buildSeconds)
    (schema, segments, rowCount) = (content.schema, content.segments, content.rowCount)
    (sizeBytes, partitions) = (content.sizeBytes, content.partitions)
    stretches = Stretches(content.partitions)
    (self.version, self.createdAt, self.usage) = (version, createdAt, usage)
    self.memos = MemoShelf(memos)
  }

  /// How the entry has been used, and until when it lives.
  public var access: AccessRecord { usage.record }

  /// Columns of texts that repeat, kept as indices into a dictionary: `reader` gives a copy of them, decoded.
  public var encodedColumns: [Int] {
    schema.fields.indices.filter { column in segments.contains { $0.schema.fields[column].encodedFormat != nil } }
  }

  /// Whether all rows are in memory.
  public var isInMemory: Bool { segments.allSatisfy(\.isInMemory) }

  /// Statistics of a column over a partition: computed when first asked for, then kept. Unknown for what is not there, and for rows
  /// that cannot be read.
  public func statistics(partition: Int, column: Int) -> ColumnStatistics {
    guard partitions.indices.contains(partition), schema.fields.indices.contains(column) else { return .unknown(rowCount: 0) }
    let key = StatisticsKey(partition: partition, column: column)
    if let known = known.withLock({ $0[key] }) { return known }
    var parts: [ColumnStatistics] = []
    for stretch in stretches.of(partition) {
      guard let statistics = blockStatistics(stretch: stretch, column: column) else { return .unknown(rowCount: partitions[partition].rowCount) }
      parts.append(statistics.whole)
    }
    let statistics = ColumnStatistics(merging: parts)
    known.withLock { $0[key] = statistics }
    return statistics
  }

  /// The stretches of blocks of all partitions, in order of the rows.
  public let stretches: Stretches

  /// Statistics of the blocks of a stretch: computed when first asked for, in one pass over its rows, then kept. nil for rows that cannot be read.
  public func blockStatistics(stretch: Int, column: Int) -> BlockStatistics? {
    guard stretches.all.indices.contains(stretch), schema.fields.indices.contains(column) else { return nil }
    if let known = blocks.withLock({ $0[column]?[stretch] }) { return known }
    let made: BlockStatistics
    do throws(CacheError) {
      made = BlockStatistics(of: try rows(partition: stretches.all[stretch].partition, stretches.all[stretch].rows, column: column), column: 0)
    } catch {
      return nil
    }
    let partition = stretches.all[stretch].partition
    let parts = blocks.withLock { blocks -> [BlockStatistics] in
      blocks[column, default: [BlockStatistics?](repeating: nil, count: stretches.all.count)][stretch] = made
      return stretches.of(partition).compactMap { blocks[column]?[$0] }
    }
    if parts.count == stretches.of(partition).count {
      let whole = parts.count == 1 ? made.whole : ColumnStatistics(merging: parts.map(\.whole))
      known.withLock { $0[StatisticsKey(partition: partition, column: column)] = whole }
    }
    return made
  }

  /// One column of rows of a partition, as it is kept.
  public func rows(partition: Int, _ range: Range<Int>, column: Int) throws(CacheError) -> [RecordBatchSlice] {
    guard partitions.indices.contains(partition), schema.fields.indices.contains(column) else { return [] }
    var rows: [RecordBatchSlice] = []
    for slice in partitions[partition].slices(of: range) {
      rows += try segments[slice.segmentIndex].read(offset: slice.offset, count: slice.count, columns: [column])
    }
    return rows
  }

  /// Whether no block of the partition has a value below one of the block before it, and none is null; nil: not known.
  public func blocksAscend(partition: Int, column: Int) -> Bool? {
    let parts = blocks.withLock { blocks in stretches.of(partition).map { blocks[column]?[$0] } }
    guard !parts.isEmpty, !parts.contains(where: { $0 == nil }) else { return nil }
    let known = parts.compactMap { $0 }
    // One block alone tells nothing of the order within it.
    guard known.reduce(0, { $0 + $1.blockCount }) > 1 else { return nil }
    return BlockStatistics.ascend(known)
  }

  /// The statistics of a partition where they are known already.
  public func knownStatistics(partition: Int, column: Int) -> ColumnStatistics? {
    known.withLock { $0[StatisticsKey(partition: partition, column: column)] }
  }

  /// What is known already of a column's blocks: one for each stretch, or none at all.
  public func knownBlocks(column: Int) -> [BlockStatistics?] { blocks.withLock { $0[column] ?? [] } }

  /// The statistics that have been asked for: by partition, by column.
  public var knownStatistics: [Int: [Int: ColumnStatistics]] {
    let known = known.withLock { $0 }
    return known.reduce(into: [:]) { found, item in found[item.key.partition, default: [:]][item.key.column] = item.value }
  }

  /// Takes over statistics that were computed before.
  func keep(_ statistics: [Int: ColumnStatistics], partition: Int) {
    guard partitions.indices.contains(partition) else { return }
    known.withLock { known in
      for (column, statistics) in statistics where schema.fields.indices.contains(column) && statistics.rowCount == partitions[partition].rowCount {
        known[StatisticsKey(partition: partition, column: column)] = statistics
      }
    }
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
  public func memo(_ name: String) -> AnyObject? { memos[name] }

  /// Keeps an object of the caller's beside the entry, as long as this version lives; nil drops it.
  ///
  /// `byteCount` is memory of its own: it counts against the memory limit. The object is not kept (false) without room for it, and goes
  /// when an entry needs the room. What `holdsRows`, a table over them for instance, is kept as long as all rows are in memory: it would
  /// keep them there. What is replaced is let go with no lock held.
  @discardableResult
  public func setMemo(_ name: String, _ value: AnyObject?, byteCount: Int = 0, holdsRows: Bool = true) -> Bool {
    guard let value else {
      memos.remove(name)
      return true
    }
    guard !holdsRows || isInMemory else { return false }
    let isKept = memos.keep(value, name, byteCount, holdsRows: holdsRows)
    // Rows may have left in between, and what took the memos out then has not seen this one.
    if isKept, holdsRows, !isInMemory {
      memos.remove(name)
      return false
    }
    return isKept
  }
}
