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
  let morsels: [Morsel]
  /// Whether vectors may point into what is read.
  private let hasText: Bool
  private let claimed = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)
  private let workers = Atomic<Int>(0)

  /// - Parameter wanted: for each vector of the output chunk the column it wants; what is none of the table's stays empty.
  init(binding: ScanBinding, wanted: [Int]) {
    self.binding = binding
    var columns: [Int] = []
    outputs = wanted.enumerated().compactMap { position, column in
      guard binding.columns.indices.contains(column) else { return nil }
      let index = columns.firstIndex(of: column) ?? columns.count
      if index == columns.count { columns.append(column) }
      return Output(position: position, column: column, index: index, kind: binding.columns[column].kind)
    }
    self.columns = columns
    hasText = columns.contains { binding.columns[$0].kind.isText }
    let source = binding.source
    let partitions = source.partitions
    let predicates = binding.predicates
    let kept = partitions.indices.filter { partition in
      predicates.allSatisfy { $0.mayMatch { source.statistics(partition: partition, column: $0) } }
    }
    morsels = Morsel.cut(kept.lazy.map { partitions[$0] })
    binding.scan.begin()
    let blocks = (all: partitions.reduce(0) { $0 + $1.blockCount }, kept: kept.reduce(0) { $0 + partitions[$1].blockCount })
    binding.counters.count(partitionsSkipped: partitions.count - kept.count, blocksSkipped: blocks.all - blocks.kept)
  }

  /// Why the scan cannot deliver what it is asked for, if so.
  var failure: String? { columns.lazy.compactMap { self.binding.columns[$0].failure }.first }

  var progress: Double { morsels.isEmpty ? 1 : Double(finished.load(ordering: .relaxed)) / Double(morsels.count) }

  fileprivate func join() { workers.wrappingAdd(1, ordering: .relaxed) }

  /// The next morsel for a thread, nil at the end. Can have the system read what the thread will claim after that.
  fileprivate func claim(readsAhead: Bool) -> Int? {
    let index = claimed.wrappingAdd(1, ordering: .relaxed).oldValue
    guard index < morsels.count else { return nil }
    let ahead = index + max(1, workers.load(ordering: .relaxed))
    if readsAhead, ahead < morsels.count, !columns.isEmpty {
      for slice in morsels[ahead].slices { binding.source.prefetch(slice, columns: columns) }
    }
    return index
  }

  fileprivate func read(_ slice: SegmentSlice) throws(CacheError) -> SegmentRows {
    let rows = try binding.source.read(slice, columns: columns)
    binding.counters.count(bytes: rows.byteCount, fromDisk: rows.isFromDisk)
    // From a file they go with the morsel: their strings are copied.
    if hasText, !rows.isFromDisk { binding.hold(rows.slices.map(\.batch)) }
    return rows
  }

  fileprivate func begin(_ morsel: Morsel) {
    binding.counters.count(partitionsScanned: morsel.isFirst ? 1 : 0, blocksScanned: (morsel.rowCount + Partition.blockRows - 1) / Partition.blockRows)
  }

  fileprivate func countPartitionFromDisk() { binding.counters.countPartitionFromDisk() }
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
  }

  /// As many rows as a vector of DuckDB holds.
  static let vectorSize = 2048
  /// The morsel being scanned; orders the output of parallel scans.
  private(set) var morselIndex = 0
  private var hasJoined = false
  /// What counts the rows that have been handed out since it was last told.
  private var counters: ScanCounters?
  private var uncountedRows = 0
  private var diskReads = DiskReads()
  private var isScanning = false
  /// What is left to read of the morsel.
  private var slices: ArraySlice<SegmentSlice> = []
  /// What has been read of it, and how far it has been handed out.
  private var read: [RecordBatchSlice] = []
  private var isTransient = false
  private var current = 0
  private var offset = 0
  /// DuckDB's converters for this thread, by column; of the engine that drives the scan.
  var converters: [Int: AnyObject] = [:]
  /// Headers of dictionaries, by column.
  var headers: [Int: DictionaryHeaders] = [:]

  deinit { countRows() }

  private func countRows() {
    if uncountedRows > 0 { counters?.count(rows: uncountedRows) }
    uncountedRows = 0
  }

  /// The next rows, at most a vector full, from one batch; nil at the end. Throws where rows on disk cannot be read.
  func next(_ state: ScanState) throws(CacheError) -> Rows? {
    while true {
      if state.columns.isEmpty, let slice = slices.first {
        let count = min(slice.count - offset, ScanWorker.vectorSize)
        offset += count
        uncountedRows += count
        if offset == slice.count { (slices, offset) = (slices.dropFirst(), 0) }
        return Rows(batch: nil, offset: 0, count: count, isTransient: false)
      }
      if current < read.count {
        let slice = read[current]
        if offset < slice.count {
          let rows = Rows(
            batch: slice.batch, offset: slice.offset + offset, count: min(slice.count - offset, ScanWorker.vectorSize), isTransient: isTransient)
          offset += rows.count
          uncountedRows += rows.count
          return rows
        }
        (current, offset) = (current + 1, 0)
      } else if let slice = slices.popFirst() {
        try load(slice, state)
      } else if !claim(state) {
        return nil
      }
    }
  }

  private func load(_ slice: SegmentSlice, _ state: ScanState) throws(CacheError) {
    let rows = try state.read(slice)
    if rows.isFromDisk, !isTransient, state.morsels[morselIndex].isFirst { state.countPartitionFromDisk() }
    (read, current, offset, isTransient) = (rows.slices, 0, 0, rows.isFromDisk)
  }

  private func claim(_ state: ScanState) -> Bool {
    if !hasJoined {
      hasJoined = true
      state.join()
      counters = state.binding.counters
    }
    countRows()
    if isScanning { state.finish() }
    let last = isScanning ? state.morsels[morselIndex].partition : -1
    guard let index = state.claim(readsAhead: diskReads.haveHappened()) else {
      isScanning = false
      read = []
      return false
    }
    let morsel = state.morsels[index]
    // Let go of before more is read; but what is decompressed for the partition serves its next morsel too.
    if morsel.partition != last { (read, isTransient) = ([], false) }
    (isScanning, morselIndex, slices) = (true, index, morsel.slices[...])
    (current, offset) = (read.count, 0)
    state.begin(morsel)
    return true
  }
}
