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
  private let compaction: ScanCompaction?
  /// What is tested of the rows before DuckDB has them; nil: nothing.
  private let filter: ScanFilter?
  /// Whether rows can be picked one by one; else only stretches of them.
  let picksRows: Bool
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
    picksRows = columns.allSatisfy { binding.columns[$0].kind.canBePicked }
    let source = binding.source
    filter = binding.filter(wanted: columns)
    compaction = ScanCompaction(binding, columns: Set(columns).union(filter?.columns ?? []))
    stretches = source.stretches.all
    partitions = source.partitions
    let top = binding.topBlocks
    plan = ScanPlan(source: source, predicates: binding.predicates, top: top)
    let rows = plan.knownRows()
    morsels = binding.morsels(of: rows, stretches)
    tally = Locked(ScanTally(rows, stretches, partitionCount: partitions.count))
    binding.scan.begin(binding.predicates, readsTop: top != nil)
    let skipped = tally.withLock { ($0.skippedPartitions, $0.skippedBlocks) }
    binding.counters.count(partitionsSkipped: skipped.0, blocksSkipped: skipped.1)
  }

  /// Why the scan cannot deliver what it is asked for, if so.
  var failure: String? { binding.renewalFailure ?? (binding.isParked ? ScanBinding.parkedFailure : columns.lazy.compactMap { self.binding.columns[$0].failure }.first) }

  var progress: Double { morsels.isEmpty ? 1 : Double(finished.load(ordering: .relaxed)) / Double(morsels.count) }

  func join() { workers.wrappingAdd(1, ordering: .relaxed) }

  /// The next morsel for a thread, nil at the end. Can have the system read what the thread will claim after that.
  func claim(readsAhead: Bool) -> Int? {
    let index = claimed.wrappingAdd(1, ordering: .relaxed).oldValue
    guard index < morsels.count else { return nil }
    let ahead = index + max(1, workers.load(ordering: .relaxed))
    if readsAhead, ahead < morsels.count { prefetch(morsels[ahead]) }
    return index
  }

  /// Has the system read what a morsel needs: what tells which rows these are, where that is not known yet.
  private func prefetch(_ morsel: Morsel) {
    for part in morsel.parts {
      let columns = part.rows == nil ? plan.columns : columns
      guard !columns.isEmpty else { continue }
      for slice in slices(part.stretch, part.rows ?? [stretches[part.stretch].rows]) { binding.source.prefetch(slice, columns: columns) }
    }
  }

  private func slices(_ stretch: Int, _ rows: ScanPlan.Rows) -> [SegmentSlice] {
    let partition = partitions[stretches[stretch].partition]
    return rows.count == 1 ? partition.slices(of: rows[0]) : rows.flatMap(partition.slices)
  }

  /// Where the rows of a morsel lie, and of which partitions they are.
  func begin(_ morsel: Morsel) -> [(slice: SegmentSlice, partition: Int)] {
    morsel.parts.flatMap { part in
      let stretch = stretches[part.stretch]
      let rows = part.rows ?? plan.rows(ofStretch: part.stretch)
      let (isFirstOfPartition, skipped) = tally.withLock { $0.begin(part, rows, stretch) }
      binding.counters.count(partitionsScanned: isFirstOfPartition ? 1 : 0, blocksScanned: ScanTally.blocks(rows))
      if skipped.partitions + skipped.blocks > 0 { binding.counters.count(partitionsSkipped: skipped.partitions, blocksSkipped: skipped.blocks) }
      return slices(part.stretch, rows).map { ($0, stretch.partition) }
    }
  }

  /// The number of a slice's first row; 0 where rows are not numbered.
  func firstRow(_ slice: SegmentSlice) -> Int {
    segmentStarts.indices.contains(slice.segmentIndex) ? segmentStarts[slice.segmentIndex] + slice.offset : 0
  }

  /// The rows of a slice that may be wanted: what is read of it, and which rows of that in order (nil: all); nil where there is none.
  ///
  /// - Parameter resident: the slice, where it has been read already.
  func select(_ slice: SegmentSlice, resident: RecordBatchSlice?) throws(CacheError) -> (rows: SegmentRows, picks: [UInt32]?)? {
    let known = resident.map { SegmentRows(slices: [$0], isFromDisk: false, byteCount: 0) }
    guard let filter else {
      if let known { return (known, nil) }
      return (try read(slice, besides: nil), nil)
    }
    var tested: SegmentRows?
    var found = filter.known(slice)
    if found == nil, let known, filter.columns.allSatisfy(columns.contains) {
      found = filter.test(slice, self.tested(known, slice, columns, by: filter)) { self.columns.firstIndex(of: $0) }
    } else if found == nil {
      let rows = try binding.source.read(slice, columns: filter.columns)
      found = filter.test(slice, self.tested(rows, slice, filter.columns, by: filter)) { filter.columns.firstIndex(of: $0) }
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

  /// The rows in which a filter looks at its columns: compact ones, which all of its scans read whole.
  private func tested(_ rows: SegmentRows, _ slice: SegmentSlice, _ columns: [Int], by filter: ScanFilter) -> SegmentRows {
    guard let compaction, !rows.isTransient, rows.slices.count == 1,
      let compact = compaction.compact(slice, rows.slices[0], columns: columns, wanted: filter.columns, makes: true)
    else { return rows }
    return SegmentRows(slices: [compact], isFromDisk: rows.isFromDisk, byteCount: rows.byteCount)
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
    // What is transient goes with the morsel: its strings are copied.
    if hasText, !rows.isTransient { binding.hold(rows.slices.map(\.batch)) }
    return rows
  }

  /// Rows in memory with compact columns in place of plain ones, where there are some.
  func compact(_ slice: SegmentSlice, _ rows: [RecordBatchSlice], wantedCount: Int) -> [RecordBatchSlice] {
    guard let compaction, rows.count == 1,
      let compact = compaction.compact(slice, rows[0], columns: columns, makes: wantedCount == slice.count)
    else { return rows }
    if hasText { binding.hold([compact.batch]) }
    return [compact]
  }

  func firstPartition(of morsel: Int) -> Int? { morsels[morsel].parts.first.map { stretches[$0.stretch].partition } }

  func countFromDisk(partition: Int) {
    if tally.withLock({ $0.isFirstFromDisk(partition) }) { binding.counters.countPartitionFromDisk() }
  }
  func finish() { finished.wrappingAdd(1, ordering: .relaxed) }
}
