import ArrowData
import CacheStore
import Primitives

/// One thread's place in a scan.
final class ScanWorker {
  /// As many rows as a vector of DuckDB holds.
  static let vectorSize = 2048
  /// The morsel being scanned; orders the output of parallel scans.
  private(set) var morselIndex = 0
  private var hasJoined = false
  /// What counts the rows that have been handed out since it was last told.
  private var counters: ScanCounters?
  private var uncountedRows = 0
  /// Whether what has been read is in memory, and not counted yet.
  private var countsBytes = false
  private var diskReads = DiskReads()
  private var isScanning = false
  /// What is left to read of the morsel.
  private var slices: ArraySlice<(slice: SegmentSlice, partition: Int)> = []
  /// The partition that was read last.
  private var partition = -1
  /// The wanted rows of the first slice that is left, where it has been looked at before its turn.
  private var ahead: (rows: SegmentRows, picks: [UInt32]?)?
  /// What has been read of it, and how far it has been handed out.
  private var read: [RecordBatchSlice] = [] { didSet { kinds.removeAll(keepingCapacity: true) } }
  private var isTransient = false
  /// The columns of a segment in memory that were read last.
  private var resident: (segment: Int, batch: RecordBatch?) = (-1, nil)
  private var current = 0 { didSet { kinds.removeAll(keepingCapacity: true) } }
  /// How the columns of what is being handed out get into vectors, as far as it has been asked.
  private var kinds: [ColumnKind?] = []
  private var offset = 0
  /// The rows that are wanted of the slice, counted from its first one, as far as they have not been handed out; nil: all.
  private var picks: ArraySlice<UInt32>?
  /// The slices that have been looked at for them, where they are of several: the others lie between them.
  private var pickedSlices: [SegmentSlice] = []
  /// Where in the slice what is being handed out starts.
  private var start = 0
  /// The number of the slice's first row.
  private var sliceRow = 0
  private(set) lazy var picked = PickedColumn()
  /// DuckDB's converters for this thread, by column; of the engine that drives the scan.
  var converters: [Int: AnyObject] = [:]
  /// Headers of dictionaries, by column.
  var headers: [Int: DictionaryHeaders] = [:]

  deinit { countRows() }

  /// How a column gets into a vector; for the batch of the rows that have been handed out last.
  func kind(of column: Int, in batch: RecordBatch, usual: ColumnKind) -> ColumnKind {
    if column < kinds.count, let known = kinds[column] { return known }
    let kind = ColumnKind.of(column, in: batch, usual: usual)
    while kinds.count <= column { kinds.append(nil) }
    kinds[column] = kind
    return kind
  }

  private func countRows() {
    if uncountedRows > 0 { counters?.count(rows: uncountedRows) }
    uncountedRows = 0
    guard countsBytes else { return }
    countsBytes = false
    var byteCount = 0
    for slice in pickedSlices { byteCount += resident.batch?.copyByteCount(columns: nil, offset: slice.offset, count: slice.count) ?? 0 }
    for (index, slice) in read.enumerated() where index <= current && pickedSlices.isEmpty {
      byteCount += slice.batch.copyByteCount(columns: nil, offset: slice.offset, count: index < current || picks != nil ? slice.count : offset)
    }
    if byteCount > 0 { counters?.count(bytes: byteCount, fromDisk: false) }
  }

  /// The next rows, at most a vector full, from one batch; nil at the end. Throws where rows on disk cannot be read.
  func next(_ state: ScanState) throws(CacheError) -> Rows? {
    while true {
      if state.columns.isEmpty, let (slice, _) = slices.first {
        let count = min(slice.count - offset, ScanWorker.vectorSize)
        let first = state.firstRow(slice) + offset
        offset += count
        uncountedRows += count
        if offset == slice.count { (slices, offset) = (slices.dropFirst(), 0) }
        return Rows(batch: nil, offset: 0, count: count, isTransient: false, firstRow: first)
      }
      if current < read.count {
        let slice = read[current]
        if picks != nil {
          if let rows = nextPicked(slice, state) {
            uncountedRows += rows.count
            return rows
          }
          (current, start) = (current + 1, start + slice.count)
          continue
        }
        if offset < slice.count {
          let count = min(slice.count - offset, ScanWorker.vectorSize)
          let upcoming = min(slice.count - offset - count, ScanWorker.vectorSize)
          defer { offset += count }
          uncountedRows += count
          return Rows(
            batch: slice.batch, offset: slice.offset + offset, count: count, isTransient: isTransient, upcomingCount: upcoming,
            firstRow: sliceRow + start + offset)
        }
        (current, offset, start) = (current + 1, 0, start + slice.count)
      } else if let (slice, partition) = slices.popFirst() {
        try load(slice, of: partition, state)
      } else if !claim(state) {
        return nil
      }
    }
  }

  /// The next rows among those that are wanted; nil where this part of what has been read has no more.
  private func nextPicked(_ slice: RecordBatchSlice, _ state: ScanState) -> Rows? {
    guard let rest = picks, let first = rest.first, Int(first) < start + slice.count else { return nil }
    // Of rows that are converted a stretch is taken, with those in between.
    let end = UInt32(clamping: start + slice.count)
    let limit = state.picksRows ? end : min(end, UInt32(clamping: Int(first) + ScanWorker.vectorSize))
    var taken = rest.prefix(ScanWorker.vectorSize)
    if let last = taken.last, last >= limit { taken = taken.prefix { $0 < limit } }
    guard let last = taken.last else { return nil }
    picks = rest.dropFirst(taken.count)
    let width = Int(last - first) + 1
    let offset = slice.offset - start
    if width == taken.count || !state.picksRows {
      return Rows(batch: slice.batch, offset: offset + Int(first), count: width, isTransient: isTransient, firstRow: sliceRow + Int(first))
    }
    return Rows(batch: slice.batch, offset: offset, count: taken.count, isTransient: isTransient, picks: taken, firstRow: sliceRow)
  }

  private func load(_ slice: SegmentSlice, of partition: Int, _ state: ScanState) throws(CacheError) {
    countRows()
    pickedSlices = []
    // Let go of before more is read; but what is decompressed for the partition serves all of its rows.
    if partition != self.partition { (read, isTransient, self.partition) = ([], false, partition) }
    let known = inResident(slice)
    let selected = if let ahead { ahead } else { try state.select(slice, resident: known) }
    ahead = nil
    guard let (rows, picks) = selected else {
      (read, current, offset, isTransient) = ([], 0, 0, false)
      return
    }
    (start, sliceRow) = (0, state.firstRow(slice))
    if known == nil {
      if rows.isFromDisk { state.countFromDisk(partition: partition) }
      // The first of a segment's batches has the segment's first row, and the next runs will mostly be in it too.
      let first = rows.slices.count == 1 && rows.slices[0].offset == slice.offset && !rows.isTransient ? rows.slices[0].batch : nil
      resident = (slice.segmentIndex, first)
    }
    countsBytes = !rows.isFromDisk
    if let picks, RowSet.isSparse(picks.count, of: slice.count), try join(slice, rows, picks, state) { return }
    self.picks = picks.map { $0[...] }
    let given = rows.isTransient ? rows.slices : state.compact(slice, rows.slices, wantedCount: picks?.count ?? slice.count)
    (read, current, offset, isTransient) = (given, 0, 0, rows.isTransient)
  }

  /// The slice where it lies in the batch that was read last.
  private func inResident(_ slice: SegmentSlice) -> RecordBatchSlice? {
    guard let batch = resident.batch, resident.segment == slice.segmentIndex, slice.offset + slice.count <= batch.rowCount else { return nil }
    return RecordBatchSlice(batch, offset: slice.offset, count: slice.count)
  }

  /// Brings the few wanted rows of a slice together with those of the slices after it in the same batch: a chunk for each would cost more than they do.
  /// False where there are none.
  private func join(_ slice: SegmentSlice, _ rows: SegmentRows, _ picks: [UInt32], _ state: ScanState) throws(CacheError) -> Bool {
    guard state.picksRows, let batch = resident.batch, resident.segment == slice.segmentIndex, !rows.isFromDisk else { return false }
    var (all, looked) = (picks, [slice])
    while all.count < Self.vectorSize, let next = slices.first?.slice, next.offset > slice.offset, let known = inResident(next) {
      let distance = next.offset - slice.offset
      guard distance + next.count <= Int(UInt32.max) else { break }
      guard let (rows, more) = try state.select(next, resident: known) else {
        looked.append(next)
        slices.removeFirst()
        continue
      }
      guard let more, RowSet.isSparse(more.count, of: next.count) else {
        ahead = (rows, more)
        break
      }
      for pick in more { all.append(pick &+ UInt32(truncatingIfNeeded: distance)) }
      looked.append(next)
      slices.removeFirst()
    }
    guard looked.count > 1, let last = looked.last else { return false }
    (self.picks, pickedSlices) = (all[...], looked)
    let whole = RecordBatchSlice(batch, offset: slice.offset, count: last.offset + last.count - slice.offset)
    (read, current, offset, isTransient) = ([whole], 0, 0, false)
    return true
  }

  private func claim(_ state: ScanState) -> Bool {
    if !hasJoined {
      hasJoined = true
      state.join()
      counters = state.binding.counters
    }
    countRows()
    if isScanning { state.finish() }
    isScanning = false
    guard let index = state.claim(readsAhead: diskReads.haveHappened()) else {
      (read, pickedSlices) = ([], [])
      resident.batch = nil
      return false
    }
    (isScanning, morselIndex) = (true, index)
    // To begin may look at rows, for their statistics.
    if state.firstPartition(of: index) != partition { (read, isTransient) = ([], false) }
    slices = state.begin(state.morsels[index])[...]
    (current, offset) = (read.count, 0)
    return true
  }
}
