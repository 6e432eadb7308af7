import ArrowData
import Primitives

/// Reads a stream into segments and partitions: copies what is to be copied, and writes to disk what has no room in memory. Calls the
/// producer, and blocks for room: never under a lock.
struct Intake {
  enum Copying {
    case nothing
    case everything
    case columns(Set<Int>)

    /// The columns to copy of so many.
    func columns(of count: Int) -> Set<Int> {
      switch self {
      case .nothing: []
      case .everything: Set(0..<count)
      case .columns(let columns): columns
      }
    }
  }

  /// A copy is cut into segments of at most this share of the limit, so that some of it can leave.
  private static let segmentsPerLimit = 8
  /// What a compressed piece may take of the limit: it is decompressed as a whole, by several threads.
  private static let piecesPerLimit = 16
  private static let maximumTries = 16

  let schema: Schema
  let holding: Holding
  private let tiers: Tiers
  private let copiedColumns: Set<Int>
  private(set) var request: RoomRequest
  /// Buffers of the old version, each as often as it holds it, where they go with the end of the put.
  private var replaced: [BufferSpan]
  private var plan: PartitionPlan
  private var rowCount = 0
  private var segments: [Segment] = []
  /// Every distinct buffer behind the segments in memory, and about the bytes of the others.
  private var buffers = BufferSet()
  private var diskBytes = 0
  /// Why rows of this table could not go to disk.
  private var diskFailure: CacheError?
  private let dictionaries = DictionaryCopies()

  init(
    schema: Schema, copying: Copying, plan: PartitionPlan, holding: Holding, request: RoomRequest, replaced: [BufferSpan], tiers: Tiers
  ) {
    (self.schema, self.plan, self.holding) = (schema, plan, holding)
    (self.request, self.replaced, self.tiers) = (request, replaced, tiers)
    copiedColumns = copying.columns(of: schema.fields.count)
  }

  var content: Entry.Content {
    Entry.Content(
      schema: schema, segments: segments, rowCount: rowCount, sizeBytes: buffers.totalBytes.saturatingSum(diskBytes), partitions: plan.partitions)
  }

  /// Reads to the end of the stream.
  mutating func read(_ stream: StreamReader) throws(CacheError) {
    while let batch = try stream.next() { if batch.rowCount > 0 { try add(batch) } }
  }

  private mutating func add(_ batch: RecordBatch) throws(CacheError) {
    guard !rowCount.addingReportingOverflow(batch.rowCount).overflow else {
      throw CacheError(.stream, "the stream has more rows than can be counted")
    }
    rowCount += batch.rowCount
    let (batch, copied) = try encoded(batch)
    let dictionaryBytes = batch.dictionaryByteCount
    let bytes = batch.byteCount(offset: 0, count: batch.rowCount)
    let rowBytes = plan.maximumBytes == .max && copied.isEmpty ? 0 : Double(bytes) / Double(batch.rowCount)
    let maximumRows = maximumSegmentRows(batch, bytes, dictionaryBytes, copied)
    let pieceRows = maximumPieceRows(batch, bytes)
    var first = 0
    while first < batch.rowCount {
      var pieces: [Range<Int>] = []
      var end = first
      // Partitions end where segments do, or within them.
      while end < batch.rowCount, end - first < maximumRows {
        let count = min(plan.room(remaining: batch.rowCount - end, rowBytes: rowBytes), maximumRows - (end - first), pieceRows)
        plan.add(SegmentSlice(segmentIndex: segments.count, offset: end - first, count: count), rowBytes: rowBytes)
        pieces.append(end..<end + count)
        end += count
      }
      try add(batch, rows: first..<end, pieces, copied, dictionaryBytes)
      first = end
    }
  }

  /// The batch with texts encoded where that pays and there is room for it, and the columns of it that are still to be copied.
  private func encoded(_ batch: RecordBatch) throws(CacheError) -> (batch: RecordBatch, copied: Set<Int>) {
    guard isToBeEncoded(batch) else { return (batch, copiedColumns) }
    let (columns, byteCount) = batch.encodableColumns()
    // What alone takes most of the memory goes to disk as it is.
    guard !columns.isEmpty, byteCount <= (tiers.memory.limitBytes ?? .max) / 2 else { return (batch, copiedColumns) }
    let reservation: Reservation
    do throws(CacheError) {
      reservation = try tiers.makeRoom(for: byteCount, request)
    } catch {
      // They may still go to disk.
      if error.code == .memoryLimit { return (batch, copiedColumns) }
      throw error
    }
    defer { withExtendedLifetime(reservation) {} }
    guard let encoded = try batch.encoded(columns: columns, threads: tiers.options.threadCount) else { return (batch, copiedColumns) }
    let isEncoded = Set(encoded.schema.fields.indices.filter { encoded.schema.fields[$0].encodedFormat != nil })
    return (encoded, copiedColumns.subtracting(isEncoded))
  }

  private func isToBeEncoded(_ batch: RecordBatch) -> Bool {
    switch tiers.options.dictionaryEncoding {
    case .never: return false
    case .always: return true
    case .whenMemoryIsShort:
      guard let threshold = tiers.options.thresholdBytes else { return false }
      let shared = batch.selecting(schema.fields.indices.filter { !copiedColumns.contains($0) }).buffers
      let needed = batch.copyByteCount(columns: copiedColumns, offset: 0, count: batch.rowCount).saturatingSum(tiers.memory.missingBytes(shared))
      return tiers.memory.totals.used.saturatingSum(needed) > threshold
    }
  }

  /// Rows of a batch that are kept as one. Memory that is shared with its producer can only be let go as a whole.
  private func maximumSegmentRows(_ batch: RecordBatch, _ bytes: Int, _ dictionaryBytes: Int, _ copied: Set<Int>) -> Int {
    guard let limit = tiers.memory.limitBytes, !copied.isEmpty, bytes > limit / Self.segmentsPerLimit else { return .max }
    // Each file has the whole dictionary, which stays in memory until the last segment has left.
    guard dictionaryBytes <= bytes / 16 else { return .max }
    return max(1, Int(Double(batch.rowCount) / Double(bytes) * Double(limit / Self.segmentsPerLimit)))
  }

  private func maximumPieceRows(_ batch: RecordBatch, _ bytes: Int) -> Int {
    guard tiers.folder != nil, tiers.options.compression != .none, let limit = tiers.memory.limitBytes, bytes > limit / Self.piecesPerLimit
    else { return .max }
    return max(1, Int(Double(batch.rowCount) / Double(bytes) * Double(limit / Self.piecesPerLimit)))
  }

  /// Adds rows of a batch as a segment.
  private mutating func add(
    _ batch: RecordBatch, rows: Range<Int>, _ pieces: [Range<Int>], _ copied: Set<Int>, _ dictionaryBytes: Int
  ) throws(CacheError) {
    var kept: (batch: RecordBatch, charge: MemoryCharge)?
    do throws(CacheError) {
      kept = try keep(batch, rows, copied, dictionaryBytes)
    } catch {
      guard error.code == .memoryLimit, tiers.folder != nil, request.deferral == nil else { throw error }
    }
    if kept == nil, let folder = tiers.folder {
      do throws(CacheError) { return try writeThrough(batch, pieces, folder) } catch let failure {
        // The disk takes nothing: what is there goes once the table is known to fit without.
        diskFailure = failure
        request.deferral = Deferral(tiers.memory)
        // What the old version gives back has been taken by the rows before, perhaps.
        (request.allowance, replaced) = (0, [])
        kept = try keep(batch, rows, copied, dictionaryBytes)
      }
    }
    guard let kept else { return }
    buffers.insert(kept.batch)
    append(batch.schema, .memory(kept.batch, kept.charge), byteCount: kept.charge.byteCount, pieces.map { $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound }, rows.count)
    tiers.noteUse()
  }

  /// The rows in memory, counted; nil where they are to go to disk at once, since they alone would take most of the memory.
  private mutating func keep(
    _ batch: RecordBatch, _ rows: Range<Int>, _ copied: Set<Int>, _ dictionaryBytes: Int
  ) throws(CacheError) -> (batch: RecordBatch, charge: MemoryCharge)? {
    if !replaced.isEmpty {
      // What the new version has too does not go with the old one.
      let shared = Set(batch.buffers.map(\.address))
      replaced.removeAll { shared.contains($0.address) }
      request.allowance = tiers.memory.bytesHeld(byNoneBesides: replaced)
    }
    if copied.isEmpty {
      let spans = batch.buffers
      let needed = tiers.memory.missingBytes(spans)
      guard try belongsInMemory(needed) else { return nil }
      let charge = try charge(spans, try tiers.makeRoom(for: needed, request))
      return (batch.keeping(charge), charge)
    }
    let shared = copied.count == schema.fields.count ? [] : batch.selecting(schema.fields.indices.filter { !copied.contains($0) }).buffers
    let needed = batch.copyByteCount(columns: copied, offset: rows.lowerBound, count: rows.count)
      .saturatingSum(tiers.memory.missingBytes(shared)).saturatingSum(dictionaryBytes)
    guard try belongsInMemory(needed) else { return nil }
    let reservation = try tiers.makeRoom(for: needed, request)
    let copy = try batch.copied(columns: copied, offset: rows.lowerBound, count: rows.count, dictionaries: dictionaries)
    let charge = try charge(copy.buffers, reservation)
    return (copy.keeping(charge), charge)
  }

  /// Counts buffers in place of what was reserved, and of more where others that share them have let them go since then.
  private func charge(_ spans: [BufferSpan], _ reservation: Reservation) throws(CacheError) -> MemoryCharge {
    for _ in 0..<Self.maximumTries {
      if let charge = MemoryCharge(admitting: spans, in: tiers.memory, inPlaceOf: reservation, allowance: request.allowance) { return charge }
      let shortage = tiers.memory.missingBytes(spans) - reservation.reservedBytes
      if shortage > 0 { reservation.add(try tiers.makeRoom(for: shortage, request)) }
    }
    throw CacheError(.memoryLimit, "\(request.purpose) shares buffers that leave memory and come back all the time: put it again")
  }

  /// Throws where the table, without going to disk, is more than the memory limit leaves beside what is pinned.
  private func belongsInMemory(_ needed: Int) throws(CacheError) -> Bool {
    guard let limit = tiers.memory.limitBytes else { return true }
    guard tiers.folder == nil || request.deferral != nil else { return needed <= tiers.options.thresholdBytes ?? limit }
    let pinned = tiers.pinnedBytes(besides: holding.key)
    let total = buffers.totalBytes.saturatingSum(needed)
    guard total.saturatingSum(pinned) > limit else { return true }
    throw CacheError(
      .memoryLimit,
      "'\(holding.key.text)' needs at least \(total) bytes, \(max(0, limit - pinned)) of the memory limit of \(limit) can be made free"
        + (pinned > 0 ? " (\(pinned) are pinned)" : "") + ": raise memory_limit, " + (pinned > 0 ? "unpin an entry, " : "")
        + (diskFailure == nil ? "let it spill (spill_to_disk)" : "see to the disk, which takes nothing,") + " or put less",
      cause: diskFailure?.description)
  }

  private mutating func writeThrough(_ batch: RecordBatch, _ pieces: [Range<Int>], _ folder: SpillFolder) throws(CacheError) {
    guard let first = pieces.first?.lowerBound, let end = pieces.last?.upperBound else { return }
    let bytes = batch.byteCount(offset: first, count: end - first)
    let started = SteadyClock.seconds()
    let file = try tiers.write(
      pieces.map { RecordBatchSlice(batch, offset: $0.lowerBound, count: $0.count) }, byteCount: bytes, schema: batch.schema, to: folder, sparing: holding.key)
    diskBytes = diskBytes.saturatingSum(bytes)
    tiers.counters.withLock { $0.count(\.spilled, "larger than the room", bytes) }
    tiers.events.record(
      .spilled, holding.key.text, version: holding.sequence, segment: segments.count, bytes: bytes, to: .disk,
      cause: "larger than the room", seconds: SteadyClock.seconds() - started, at: tiers.clock.now())
    // Of the batch before, if not of this one, which the reader of the stream holds.
    tiers.noteFreed(bytes)
    append(batch.schema, .file(file), byteCount: bytes, pieces.map { $0.lowerBound - first..<$0.upperBound - first }, end - first)
  }

  private mutating func append(_ schema: Schema, _ content: Segment.Content, byteCount: Int, _ pieces: [Range<Int>], _ rowCount: Int) {
    let segment = Segment(
      schema: schema, rowCount: rowCount, byteCount: byteCount, pieces: pieces, usage: holding.usage, tiers: tiers, content: content,
      cause: content.isFile ? "larger than the room" : "put", now: tiers.clock.now())
    segments.append(segment)
    let holding = holding
    tiers.catalog.withLock { $0.append(segment, to: holding) }
  }
}

extension Segment.Content {
  fileprivate var isFile: Bool { if case .file = self { true } else { false } }
}

extension Tiers {
  /// Bytes of the distinct buffers of pinned entries.
  func pinnedBytes(besides key: CacheKey) -> Int {
    let batches = catalog.withLock { catalog in
      catalog.pins.keys.filter { $0 != key }.flatMap { catalog.slots[$0]?.holding.segments ?? [] }
    }
    var buffers = BufferSet()
    for segment in batches { for batch in segment.residentBatches { buffers.insert(batch) } }
    return buffers.totalBytes
  }
}
