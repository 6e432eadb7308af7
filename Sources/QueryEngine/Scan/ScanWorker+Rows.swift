import ArrowData

extension ScanWorker {
  /// Rows that become a chunk of DuckDB's, of one batch.
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
}
