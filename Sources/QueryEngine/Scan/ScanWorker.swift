import ArrowData
import CacheStore
import Primitives

/// One thread's place in a scan.
final class ScanWorker {
  struct Rows {
    /// The columns that the scan reads; nil where it reads none.
    let batch: RecordBatch?
    let offset: Int
    let count: Int
    /// Whether the memory goes before the query ends: vectors must not point into it.
    let isTransient: Bool
    /// How many rows after them will be asked for next, at most a vector full.
    var upcomingCount = 0
    /// The rows that are meant, counted from `offset`; nil: `count` of them in a row.
    var picks: ArraySlice<UInt32>?
    /// The number of the row from which picks are counted, or of the first one; 0 where nobody wants it.
    var firstRow = 0

    /// The numbers of the rows within the entry.
    func writeNumbers(to target: UnsafeMutablePointer<UInt32>) {
      let first = UInt32(truncatingIfNeeded: firstRow)
      guard let picks else {
        for index in 0..<count { target[index] = first &+ UInt32(truncatingIfNeeded: index) }
        return
      }
      for (index, pick) in picks.enumerated() { target[index] = first &+ pick }
    }
  }

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
  private var slices: ArraySlice<SegmentSlice> = []
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
    for (index, slice) in read.enumerated() where index <= current {
      byteCount += slice.batch.copyByteCount(columns: nil, offset: slice.offset, count: index < current || picks != nil ? slice.count : offset)
    }
    if byteCount > 0 { counters?.count(bytes: byteCount, fromDisk: false) }
  }

  /// The next rows, at most a vector full, from one batch; nil at the end. Throws where rows on disk cannot be read.
  func next(_ state: ScanState) throws(CacheError) -> Rows? {
    while true {
      if state.columns.isEmpty, let slice = slices.first {
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
      } else if let slice = slices.popFirst() {
        try load(slice, state)
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

  private func load(_ slice: SegmentSlice, _ state: ScanState) throws(CacheError) {
    countRows()
    var known: RecordBatchSlice?
    if let batch = resident.batch, resident.segment == slice.segmentIndex, slice.offset + slice.count <= batch.rowCount {
      known = RecordBatchSlice(batch, offset: slice.offset, count: slice.count)
    }
    guard let (rows, picks) = try state.select(slice, resident: known) else {
      (read, current, offset, isTransient) = ([], 0, 0, false)
      return
    }
    (self.picks, start, sliceRow) = (picks.map { $0[...] }, 0, state.firstRow(slice))
    if let known {
      countsBytes = true
      (read, current, offset, isTransient) = (state.compact(slice, [known], wantedCount: picks?.count ?? slice.count), 0, 0, false)
      return
    }
    if rows.isFromDisk { state.countFromDisk(morselIndex) }
    let given = rows.isTransient ? rows.slices : state.compact(slice, rows.slices, wantedCount: picks?.count ?? slice.count)
    (read, current, offset, isTransient) = (given, 0, 0, rows.isTransient)
    countsBytes = !rows.isFromDisk
    // The first of a segment's batches has the segment's first row, and the next runs will mostly be in it too.
    let first = rows.slices.count == 1 && rows.slices[0].offset == slice.offset && !rows.isTransient ? rows.slices[0].batch : nil
    resident = (slice.segmentIndex, first)
  }

  private func claim(_ state: ScanState) -> Bool {
    if !hasJoined {
      hasJoined = true
      state.join()
      counters = state.binding.counters
    }
    countRows()
    if isScanning { state.finish() }
    let last = isScanning ? state.partition(of: morselIndex) : -1
    isScanning = false
    guard let index = state.claim(readsAhead: diskReads.haveHappened()) else {
      read = []
      resident.batch = nil
      return false
    }
    // Let go of before more is read; but what is decompressed for the partition serves its next morsel too.
    if state.partition(of: index) != last { (read, isTransient) = ([], false) }
    (isScanning, morselIndex) = (true, index)
    slices = state.begin(state.morsels[index])[...]
    (current, offset) = (read.count, 0)
    return true
  }
}
