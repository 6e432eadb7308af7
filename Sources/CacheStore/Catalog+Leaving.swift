import ArrowData
import Primitives

/// Which rows leave memory.
extension Catalog {
  /// A segment that is on its way to disk.
  struct Leaving {
    let holding: Holding
    let index: Int
    let segment: Segment
    /// What is to be written.
    let rows: [RecordBatchSlice]
    /// Where its rows are on disk already.
    let file: SegmentFile?
  }

  /// What a segment is part of, as long as the store wants it.
  func holding(of segment: Segment) -> Holding? {
    guard let holding = segment.key.flatMap({ slots[$0]?.holding }), holding.segments.contains(where: { $0 === segment }) else { return nil }
    return holding
  }

  /// A segment has come to be in memory, or its move has ended.
  mutating func rankForSpilling(_ holding: Holding) {
    guard holding.isLive, pins[holding.key] == nil, !holding.isRanked else { return }
    spilling.restore(holding)
  }

  mutating func append(_ segment: Segment, to holding: Holding) {
    holding.append(segment)
    if holding.isRanked { spilling.resize(holding) } else { rankForSpilling(holding) }
  }

  /// Marks the coldest segments, of about so many bytes, as leaving memory.
  mutating func beginLeaving(_ byteCount: Int) -> [Leaving] {
    var chosen: [Leaving] = []
    var bytes = 0
    while bytes < byteCount, let item = spilling.victim() {
      guard let holding = item as? Holding else {
        spilling.remove(item, isEvicted: false)
        continue
      }
      let candidates = holding.leavable()
      var taken = 0
      for (index, segment) in candidates where bytes < byteCount {
        taken += 1
        guard let (rows, file) = segment.beginLeaving() else { continue }
        chosen.append(Leaving(holding: holding, index: index, segment: segment, rows: rows, file: file))
        bytes = bytes.saturatingSum(max(1, segment.byteCount))
      }
      if taken == candidates.count { spilling.remove(item, isEvicted: true) }
    }
    return chosen
  }

  /// The store does not want the rows any more.
  mutating func discard(_ holding: Holding) {
    holding.isLive = false
    spilling.remove(holding, isEvicted: false)
  }
}
