import ArrowData
import CacheStore
import Primitives
import Synchronization

/// A stretch of rows that one thread scans: whole partitions, or pieces of large ones, in row order.
struct Morsel: Sendable {
  /// As many rows as a row group of DuckDB's own tables has.
  static let rowTarget = 122_880
  var slices: [SegmentSlice] = []
  var rowCount = 0

  /// The morsels of these partitions, none of which crosses a partition.
  static func cut(_ partitions: some Sequence<Partition>) -> [Morsel] {
    var morsels: [Morsel] = []
    for partition in partitions where partition.rowCount > 0 {
      var morsel = Morsel()
      for slice in partition.slices {
        var offset = slice.offset
        let end = slice.offset + slice.count
        while offset < end {
          let count = min(end - offset, rowTarget - morsel.rowCount)
          morsel.slices.append(SegmentSlice(segmentIndex: slice.segmentIndex, offset: offset, count: count))
          morsel.rowCount += count
          offset += count
          if morsel.rowCount == rowTarget {
            morsels.append(morsel)
            morsel = Morsel()
          }
        }
      }
      if morsel.rowCount > 0 { morsels.append(morsel) }
    }
    return morsels
  }
}

/// A running scan, shared by its threads: the morsels that may hold wanted rows, and how many have been claimed.
final class ScanState: Sendable {
  let binding: ScanBinding
  /// For each vector of the output chunk the column it wants; -1 where DuckDB wants none of ours.
  let columns: [Int]
  let morsels: [Morsel]
  private let claimed = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)

  init(binding: ScanBinding, columns: [Int]) {
    self.binding = binding
    self.columns = columns.map { binding.columns.indices.contains($0) ? $0 : -1 }
    let source = binding.source
    let partitions = source.partitions
    let predicates = binding.predicates
    let wanted = partitions.indices.filter { partition in
      predicates.allSatisfy { $0.mayMatch { source.statistics(partition: partition, column: $0) } }
    }
    morsels = Morsel.cut(wanted.lazy.map { partitions[$0] })
    binding.counters.count(partitionsScanned: wanted.count, skipped: partitions.count - wanted.count)
  }

  /// Why the scan cannot deliver what it is asked for, if so.
  var failure: String? {
    for column in columns where column >= 0 {
      if let failure = binding.columns[column].failure { return failure }
    }
    return nil
  }

  var progress: Double { morsels.isEmpty ? 1 : Double(finished.load(ordering: .relaxed)) / Double(morsels.count) }

  fileprivate func claim() -> Int? {
    let index = claimed.wrappingAdd(1, ordering: .relaxed).oldValue
    return index < morsels.count ? index : nil
  }

  fileprivate func finish() { finished.wrappingAdd(1, ordering: .relaxed) }
}

/// One thread's place in a scan.
final class ScanWorker {
  struct Rows {
    let batch: RecordBatch
    let offset: Int
    let count: Int
  }

  /// As many rows as a vector of DuckDB holds.
  static let vectorSize = 2048
  /// The morsel being scanned; orders the output of parallel scans.
  private(set) var morselIndex = 0
  private var slices: ArraySlice<SegmentSlice> = []
  /// What has been read of the morsel and not been scanned.
  private var pieces: ArraySlice<RecordBatchSlice> = []
  private var offset = 0
  private var isScanning = false
  /// DuckDB's converters for this thread, by column; of the engine that drives the scan.
  var converters: [Int: AnyObject] = [:]
  /// Headers of dictionaries, by column.
  var headers: [Int: DictionaryHeaders] = [:]

  /// The next rows, at most a vector full, from one batch; nil at the end.
  func next(_ state: ScanState) throws(CacheError) -> Rows? {
    while true {
      if let piece = pieces.first {
        let remaining = piece.count - offset
        if remaining > 0 {
          let rows = Rows(batch: piece.batch, offset: piece.offset + offset, count: min(remaining, ScanWorker.vectorSize))
          offset += rows.count
          return rows
        }
        pieces = pieces.dropFirst()
        offset = 0
        continue
      }
      if let slice = slices.popFirst() {
        pieces = try state.binding.source.read(slice)[...]
        state.binding.hold(pieces.map(\.batch))
        continue
      }
      if isScanning { state.finish() }
      guard let index = state.claim() else {
        isScanning = false
        return nil
      }
      isScanning = true
      morselIndex = index
      slices = state.morsels[index].slices[...]
      state.binding.counters.count(rows: state.morsels[index].rowCount)
    }
  }
}
