import CacheStore

/// A stretch of rows that one thread scans: a partition, or a piece of a large one, in row order.
struct Morsel: Sendable {
  /// As many rows as a row group of DuckDB's own tables has.
  static let rowTarget = 122_880

  /// Its place among the partitions that are scanned.
  let partition: Int
  /// Whether it has the partition's first row.
  let isFirst: Bool
  var slices: [SegmentSlice] = []
  var rowCount = 0

  /// The morsels of these partitions, none of which crosses a partition.
  static func cut(_ partitions: some Sequence<Partition>) -> [Morsel] {
    var morsels: [Morsel] = []
    for (index, partition) in partitions.enumerated() where partition.rowCount > 0 {
      var morsel = Morsel(partition: index, isFirst: true)
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
            morsel = Morsel(partition: index, isFirst: false)
          }
        }
      }
      if morsel.rowCount > 0 { morsels.append(morsel) }
    }
    return morsels
  }
}
