import ArrowData
import CacheStore
import Primitives
import Synchronization

/// A running scan, shared by its threads: the morsels that may hold wanted rows, and how many have been claimed.
final class ScanState: Sendable {
  /// A vector of the output chunk that wants a column.
  struct Output: Sendable {
    let position: Int
    /// In the table.
    let column: Int
    /// In what is read.
    let index: Int
    let kind: ColumnKind
  }

  let binding: ScanBinding
  /// The columns of the table that are read, each once.
  let columns: [Int]
  let outputs: [Output]
  /// The vector that wants the numbers of the rows.
  let numbersPosition: Int?
  /// The first row of each segment, where rows are numbered.
  private let segmentStarts: [Int]
  let morsels: [Morsel]
  private let plan: ScanPlan
  private let stretches: [Stretches.Stretch]
  private let partitions: [Partition]
  private let tally: Locked<ScanTally>
  private let codes: ScanCodes?
  /// What is tested of the rows before DuckDB has them; nil: nothing.
  private let filter: ScanFilter?
  /// Whether rows can be picked one by one; else only stretches of them.
  fileprivate let picksRows: Bool
  /// Whether vectors may point into what is read.
  private let hasText: Bool
  private let claimed = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)
  private let workers = Atomic<Int>(0)

  /// - Parameter wanted: for each vector of the output chunk the column it wants; what is none of the table's stays empty.
  init(binding: ScanBinding, wanted: [Int]) {
    self.binding = binding
    // The vectors of rows that are only counted stay as they are.
    let wanted = binding.wantsCountOnly ? [] : wanted
    var columns: [Int] = []
    outputs = wanted.enumerated().compactMap { position, column in
      guard binding.columns.indices.contains(column) else { return nil }
      let index = columns.firstIndex(of: column) ?? columns.count
      if index == columns.count { columns.append(column) }
      return Output(position: position, column: column, index: index, kind: binding.columns[column].kind)
    }
    self.columns = columns
    numbersPosition = binding.numbersRows ? wanted.firstIndex(of: binding.columns.count) : nil
    let segments = numbersPosition == nil ? [] : (binding.source as? Entry)?.segments ?? []
    segmentStarts = segments.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rowCount) }
    hasText = columns.contains { binding.columns[$0].kind.isText }
    picksRows = !columns.contains { binding.columns[$0].kind == .converted }
    let source = binding.source
    filter = binding.filter(wanted: columns)
    codes = ScanCodes(binding, columns: columns)
    stretches = source.stretches.all
    partitions = source.partitions
    let top = binding.topBlocks
    plan = ScanPlan(source: source, predicates: binding.predicates, top: top)
    let rows = plan.knownRows()
    morsels = Morsel.cut(rows, stretches)
    tally = Locked(ScanTally(rows, stretches, partitionCount: partitions.count))
    binding.scan.begin(binding.predicates, readsTop: top != nil)
    let skipped = tally.withLock { ($0.skippedPartitions, $0.skippedBlocks) }
    binding.counters.count(partitionsSkipped: skipped.0, blocksSkipped: skipped.1)
  }

  /// Why the scan cannot deliver what it is asked for, if so.
  var failure: String? { binding.isParked ? ScanBinding.parkedFailure : columns.lazy.compactMap { self.binding.columns[$0].failure }.first }

  var progress: Double { morsels.isEmpty ? 1 : Double(finished.load(ordering: .relaxed)) / Double(morsels.count) }

  fileprivate func join() { workers.wrappingAdd(1, ordering: .relaxed) }

  /// The next morsel for a thread, nil at the end. Can have the system read what the thread will claim after that.
  fileprivate func claim(readsAhead: Bool) -> Int? {
    let index = claimed.wrappingAdd(1, ordering: .relaxed).oldValue
    guard index < morsels.count else { return nil }
    let ahead = index + max(1, workers.load(ordering: .relaxed))
    if readsAhead, ahead < morsels.count { prefetch(morsels[ahead]) }
    return index
  }

  /// Has the system read what a morsel needs: what tells which rows these are, where that is not known yet.
  private func prefetch(_ morsel: Morsel) {
    let columns = morsel.rows == nil ? plan.columns : columns
    guard !columns.isEmpty else { return }
    for slice in slices(morsel.stretch, morsel.rows ?? [stretches[morsel.stretch].rows]) { binding.source.prefetch(slice, columns: columns) }
  }

  private func slices(_ stretch: Int, _ rows: ScanPlan.Rows) -> [SegmentSlice] {
    let partition = partitions[stretches[stretch].partition]
    return rows.count == 1 ? partition.slices(of: rows[0]) : rows.flatMap(partition.slices)
  }

  /// Where the rows of a morsel lie.
  fileprivate func begin(_ morsel: Morsel) -> [SegmentSlice] {
    let rows = morsel.rows ?? plan.rows(ofStretch: morsel.stretch)
    let (isFirstOfPartition, skipped) = tally.withLock { $0.begin(morsel, rows, stretches[morsel.stretch]) }
    binding.counters.count(partitionsScanned: isFirstOfPartition ? 1 : 0, blocksScanned: ScanTally.blocks(rows))
    if skipped.partitions + skipped.blocks > 0 { binding.counters.count(partitionsSkipped: skipped.partitions, blocksSkipped: skipped.blocks) }
    return slices(morsel.stretch, rows)
  }

  /// The number of a slice's first row; 0 where rows are not numbered.
  fileprivate func firstRow(_ slice: SegmentSlice) -> Int {
    segmentStarts.indices.contains(slice.segmentIndex) ? segmentStarts[slice.segmentIndex] + slice.offset : 0
  }

  fileprivate func partition(of morsel: Int) -> Int { stretches[morsels[morsel].stretch].partition }

  /// The rows of a slice that may be wanted: what is read of it, and which rows of that in order (nil: all); nil where there is none.
  ///
  /// - Parameter resident: the slice, where it has been read already.
  fileprivate func select(_ slice: SegmentSlice, resident: RecordBatchSlice?) throws(CacheError) -> (rows: SegmentRows, picks: [UInt32]?)? {
    let known = resident.map { SegmentRows(slices: [$0], isFromDisk: false, byteCount: 0) }
    guard let filter else {
      if let known { return (known, nil) }
      return (try read(slice, besides: nil), nil)
    }
    var tested: SegmentRows?
    var found = filter.known(slice)
    if found == nil, let known, filter.columns.allSatisfy(columns.contains) {
      found = filter.test(slice, known) { self.columns.firstIndex(of: $0) }
    } else if found == nil {
      let rows = try binding.source.read(slice, columns: filter.columns)
      found = filter.test(slice, rows) { filter.columns.firstIndex(of: $0) }
      tested = rows
    }
    let picks = found?.rows(count: slice.count)
    if let picks { binding.counters.remembered.count(rowsLeftOut: slice.count - picks.count) }
    if picks?.isEmpty ?? false {
      if let tested { binding.counters.count(bytes: tested.byteCount, fromDisk: tested.isFromDisk) }
      return nil
    }
    if let known { return (known, picks) }
    return (try read(slice, besides: tested), picks)
  }

  /// - Parameter tested: the filter's columns, where they have been read already.
  private func read(_ slice: SegmentSlice, besides tested: SegmentRows?) throws(CacheError) -> SegmentRows {
    let rows: SegmentRows
    if let filter, let tested {
      rows = try filter.read(slice, columns, from: binding.source, besides: tested)
    } else {
      rows = try binding.source.read(slice, columns: columns)
    }
    // What is in memory is counted as it is handed out.
    if rows.isFromDisk { binding.counters.count(bytes: rows.byteCount, fromDisk: true) }
    // From a file they go with the morsel: their strings are copied.
    if hasText, !rows.isFromDisk { binding.hold(rows.slices.map(\.batch)) }
    return rows
  }

  /// Rows in memory with codes in place of texts, where there are some.
  fileprivate func coded(_ slice: SegmentSlice, _ rows: [RecordBatchSlice], wantedCount: Int) -> [RecordBatchSlice] {
    guard let codes, rows.count == 1, let coded = codes.coded(slice, rows[0], wantedCount: wantedCount) else { return rows }
    binding.hold([coded.batch])
    return [coded]
  }

  fileprivate func countFromDisk(_ morsel: Int) {
    if tally.withLock({ $0.isFirstFromDisk(partition(of: morsel)) }) { binding.counters.countPartitionFromDisk() }
  }
  fileprivate func finish() { finished.wrappingAdd(1, ordering: .relaxed) }
}

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
      (read, current, offset, isTransient) = (state.coded(slice, [known], wantedCount: picks?.count ?? slice.count), 0, 0, false)
      return
    }
    if rows.isFromDisk { state.countFromDisk(morselIndex) }
    let given = rows.isFromDisk ? rows.slices : state.coded(slice, rows.slices, wantedCount: picks?.count ?? slice.count)
    (read, current, offset, isTransient) = (given, 0, 0, rows.isFromDisk)
    countsBytes = !rows.isFromDisk
    // The first of a segment's batches has the segment's first row, and the next runs will mostly be in it too.
    let first = rows.slices.count == 1 && rows.slices[0].offset == slice.offset && !rows.isFromDisk ? rows.slices[0].batch : nil
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

/// Which partitions of a scan have been read, and which have turned out to hold nothing.
private struct ScanTally {
  private struct Part {
    /// Stretches of which it is not known yet.
    var pending = 0
    var isWanted = false
    var isRead = false
    var isFromDisk = false
  }

  private var parts: [Part]
  /// What is known from the start.
  private(set) var skippedPartitions = 0
  private(set) var skippedBlocks = 0

  init(_ wanted: [ScanPlan.Rows?], _ stretches: [Stretches.Stretch], partitionCount: Int) {
    parts = [Part](repeating: Part(), count: partitionCount)
    for (rows, stretch) in zip(wanted, stretches) {
      if let rows {
        skippedBlocks += Self.blocks([stretch.rows]) - Self.blocks(rows)
        if !rows.isEmpty { parts[stretch.partition].isWanted = true }
      } else {
        parts[stretch.partition].pending += 1
      }
    }
    skippedPartitions = parts.count { !$0.isWanted && $0.pending == 0 }
  }

  /// Whether these are the first rows of the partition to be read, and what has turned out to be skipped.
  mutating func begin(
    _ morsel: Morsel, _ rows: ScanPlan.Rows, _ stretch: Stretches.Stretch
  ) -> (isFirstOfPartition: Bool, skipped: (partitions: Int, blocks: Int)) {
    var part = parts[stretch.partition]
    defer { parts[stretch.partition] = part }
    var skipped = (partitions: 0, blocks: 0)
    if morsel.rows == nil {
      part.pending -= 1
      skipped.blocks = Self.blocks([stretch.rows]) - Self.blocks(rows)
      if !rows.isEmpty { part.isWanted = true }
      if part.pending == 0, !part.isWanted { skipped.partitions = 1 }
    }
    let isFirst = !rows.isEmpty && !part.isRead
    if isFirst { part.isRead = true }
    return (isFirst, skipped)
  }

  mutating func isFirstFromDisk(_ partition: Int) -> Bool {
    defer { parts[partition].isFromDisk = true }
    return !parts[partition].isFromDisk
  }

  static func blocks(_ rows: ScanPlan.Rows) -> Int {
    let size = BlockStatistics.blockRows
    return rows.reduce(0) { $0 + ($1.upperBound + size - 1) / size - $1.lowerBound / size }
  }
}
