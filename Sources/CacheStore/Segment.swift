import ArrowData
import Primitives
import Synchronization

/// Where rows are.
public enum Tier: String, Sendable {
  case memory
  case disk
  /// In memory, and on disk from an earlier spill: leaving memory costs nothing.
  case both
}

/// A run of rows of an entry: the unit of memory and of spilling. Immutable, but for where its rows are.
public final class Segment: @unchecked Sendable {
  /// Where the rows are, since when, and why.
  public struct Placement: Sendable {
    public internal(set) var tier: Tier
    /// Seconds since 1970.
    public internal(set) var since: Double
    /// "put", "threshold", "room", "larger than the limit", "hot", …
    public internal(set) var cause: String
    /// How often the rows have moved.
    public internal(set) var moveCount = 0
    /// Bytes on disk.
    public internal(set) var diskBytes = 0
  }

  private struct State {
    /// In memory: one batch as it was put, or, read back, one for each record batch of the file.
    var batches: [RecordBatch] = []
    var charge: MemoryCharge?
    var file: SegmentFile?
    /// Being written or read back.
    var isMoving = false
    var placement: Placement
    /// The access of the entry that last read from disk, and how many have since the rows went there.
    var lastDiskAccess = -1
    var diskReads = 0
  }

  public let rowCount: Int
  /// Bytes of the distinct buffers, in memory.
  public let byteCount: Int
  /// The record batches of its file.
  let pieces: [Range<Int>]
  /// Of the rows as they are kept: columns may be encoded.
  let schema: Schema
  /// Set once, before anyone else sees the segment.
  var key: CacheKey?
  private let usage: Usage
  private let tiers: Tiers
  private let state: Locked<State>
  /// Grows over all segments: when the rows were last read.
  private let readTick = Atomic<UInt64>(0)

  init(
    schema: Schema, rowCount: Int, byteCount: Int, pieces: [Range<Int>], usage: Usage, tiers: Tiers, content: Content, cause: String, now: Double
  ) {
    (self.schema, self.rowCount, self.byteCount, self.pieces) = (schema, rowCount, byteCount, pieces)
    (self.usage, self.tiers) = (usage, tiers)
    switch content {
    case .memory(let batch, let charge):
      state = Locked(State(batches: [batch], charge: charge, placement: Placement(tier: .memory, since: now, cause: cause)))
    case .file(let file):
      let placement = Placement(tier: .disk, since: now, cause: cause, moveCount: 0, diskBytes: file.byteCount)
      state = Locked(State(file: file, placement: placement))
    }
  }

  enum Content {
    /// A batch that keeps the charge.
    case memory(RecordBatch, MemoryCharge)
    case file(SegmentFile)
  }

  public var placement: Placement { state.withLock { $0.placement } }
  public var isInMemory: Bool { state.withLock { !$0.batches.isEmpty } }
  var file: SegmentFile? { state.withLock { $0.file } }

  /// Rows `offset ..< offset + count` of exactly these columns in this order (nil: all), as slices of batches.
  ///
  /// Copies nothing in memory and from uncompressed files, which are mapped; a compressed column is decompressed, and its memory lives as
  /// long as the batch. Throws `.storage` where the file is lost or damaged, `.memoryLimit` where there is no room to decompress. An entry
  /// that has lost rows goes from the store: who asks again finds nothing in place of an error for ever.
  ///
  /// - Parameter isLent: the batches leave the engine: what was decompressed for them counts as leased then, and not against the limit.
  public func read(offset: Int, count: Int, columns: [Int]? = nil, isLent: Bool = false) throws(CacheError) -> [RecordBatchSlice] {
    readTick.store(tiers.nextTick(), ordering: .relaxed)
    let (batches, file) = state.withLock { ($0.batches, $0.file) }
    if !batches.isEmpty { return slices(of: batches, offset, count, columns) }
    guard let file else { throw CacheError(.storage, "rows of a spilled table are lost: put it again") }
    noteDiskRead()
    do throws(CacheError) {
      let needed = try file.decompressedBytes(offset: offset, count: count, columns: columns)
      guard needed > 0 else { return try file.read(offset: offset, count: count, columns: columns) }
      let reservation = try tiers.makeRoom(for: needed, RoomRequest(purpose: "decompressing a spilled table"))
      let slices = try file.read(offset: offset, count: count, columns: columns)
      let kept = slices.map { slice in
        let charge: AnyObject = isLent ? lease(of: slice.batch, file) : reservation
        return RecordBatchSlice(slice.batch.keeping(charge), offset: slice.offset, count: slice.count)
      }
      withExtendedLifetime(reservation) {}
      return kept
    } catch {
      if file.isTemporary, error.code == .storage, error.systemError == nil || error.isMissingFile {
        tiers.lose(self, error.message)
      }
      throw error
    }
  }

  /// Counts what was decompressed and leaves the engine.
  private func lease(of batch: RecordBatch, _ file: SegmentFile) -> MemoryCharge {
    MemoryCharge(batch.buffers.filter { !file.maps($0.address) }, in: tiers.memory, role: .leased)
  }

  /// How many rows from `offset` on to read at once: on disk a record batch of the file, so that one after the other is decompressed.
  func stepRows(from offset: Int) -> Int {
    guard !isInMemory else { return rowCount - offset }
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
    }
    return low < pieces.count ? pieces[low].upperBound - offset : rowCount - offset
  }

  /// As `read`, with texts as they were put: those that are kept encoded are decoded, into memory of the reader's own.
  public func readPlain(offset: Int, count: Int, columns: [Int]? = nil, isLent: Bool = false) throws(CacheError) -> [RecordBatchSlice] {
    let rows = try read(offset: offset, count: count, columns: columns, isLent: isLent)
    guard schema.hasEncodedColumns else { return rows }
    return try rows.map { (slice) throws(CacheError) in
      let fields = slice.batch.schema.fields
      let plain = try slice.batch.plain(offset: slice.offset, count: slice.count, threads: tiers.options.threadCount)
      guard isLent else { return RecordBatchSlice(plain) }
      let decoded = plain.selecting(fields.indices.filter { fields[$0].encodedFormat != nil })
      return RecordBatchSlice(plain.keeping(MemoryCharge(decoded.buffers, in: tiers.memory, role: .leased)))
    }
  }

  private func slices(of batches: [RecordBatch], _ offset: Int, _ count: Int, _ columns: [Int]?) -> [RecordBatchSlice] {
    var found: [RecordBatchSlice] = []
    var (offset, count) = (max(0, offset), count)
    for batch in batches where count > 0 {
      if offset < batch.rowCount {
        let taken = min(count, batch.rowCount - offset)
        found.append(RecordBatchSlice(batch.selecting(columns), offset: offset, count: taken))
        count -= taken
      }
      offset = max(0, offset - batch.rowCount)
    }
    return found
  }

  /// The buffers that it has in the account of memory.
  var chargedSpans: [BufferSpan] { state.withLock { $0.charge?.spans ?? [] } }

  /// What is in memory.
  var residentBatches: [RecordBatch] { state.withLock { $0.batches } }

  private func noteDiskRead() {
    let access = usage.accessCount
    let isHot = state.withLock { state in
      guard state.lastDiskAccess != access else { return false }
      state.lastDiskAccess = access
      state.diskReads += 1
      return state.diskReads >= Tiers.hotReads && !state.isMoving
    }
    if isHot { tiers.wantBack(self) }
  }

  // MARK: moving

  var lastRead: UInt64 { readTick.load(ordering: .relaxed) }
  var isLeavable: Bool { state.withLock { !$0.batches.isEmpty && !$0.isMoving } }

  /// Whether somebody else holds the memory, so that leaving it would free nothing now. A hint.
  var isHeldOutside: Bool { state.withLock { $0.batches.contains(where: \.isShared) } }

  /// Marks the segment as moving; nil where there is nothing to move, or it moves already.
  ///
  /// The rows are to be written as these slices, a record batch each, where there is no file that has them.
  func beginLeaving() -> (rows: [RecordBatchSlice], file: SegmentFile?)? {
    state.withLock { state in
      guard !state.isMoving, let first = state.batches.first else { return nil }
      state.isMoving = true
      guard state.file == nil else { return ([], state.file) }
      guard state.batches.count == 1 else { return (state.batches.map { RecordBatchSlice($0) }, nil) }
      return (pieces.map { RecordBatchSlice(first, offset: $0.lowerBound, count: $0.count) }, nil)
    }
  }

  func beginReturning() -> SegmentFile? {
    state.withLock { state in
      guard !state.isMoving, state.batches.isEmpty, let file = state.file else { return nil }
      state.isMoving = true
      return file
    }
  }

  /// The move has failed, or is not wanted any more.
  func abandonMove() {
    state.withLock { state in
      state.isMoving = false
      (state.diskReads, state.lastDiskAccess) = (0, usage.accessCount)
    }
  }

  /// The rows are in the file: the caller lets go of the batches with no lock held, and gives the charge back.
  func finishLeaving(_ file: SegmentFile, _ cause: String, _ now: Double) -> (batches: [RecordBatch], charge: MemoryCharge?) {
    state.withLock { state in
      defer {
        (state.batches, state.charge, state.file, state.isMoving) = ([], nil, file, false)
        (state.diskReads, state.lastDiskAccess) = (0, usage.accessCount)
        move(&state.placement, .disk, cause, now, file.byteCount)
      }
      return (state.batches, state.charge)
    }
  }

  func finishReturning(_ batches: [RecordBatch], _ charge: MemoryCharge, _ now: Double) {
    state.withLock { state in
      (state.batches, state.charge, state.isMoving) = (batches, charge, false)
      move(&state.placement, .both, "hot", now, state.file?.byteCount ?? 0)
    }
  }

  /// Gives up the file of rows that are in memory too; the caller lets go of it with no lock held.
  func takeSpareFile() -> SegmentFile? {
    state.withLock { state in
      guard !state.isMoving, !state.batches.isEmpty, let file = state.file, file.isTemporary else { return nil }
      state.file = nil
      state.placement.tier = .memory
      state.placement.diskBytes = 0
      return file
    }
  }

  private func move(_ placement: inout Placement, _ tier: Tier, _ cause: String, _ now: Double, _ diskBytes: Int) {
    (placement.tier, placement.cause, placement.since, placement.diskBytes) = (tier, cause, now, diskBytes)
    placement.moveCount += 1
  }

  /// The store has let go of the segment; readers may go on. Returns by how many bytes less are resident.
  func leave() -> Int { state.withLock { $0.charge }?.leave() ?? 0 }
}
