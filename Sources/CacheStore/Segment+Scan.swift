import ArrowData
import Primitives

/// Rows of a segment that have been read for a scan.
public struct SegmentRows: Sendable {
  public let slices: [RecordBatchSlice]
  /// Whether they come from a file.
  public let isFromDisk: Bool
  /// Whether their memory goes with the slices, before the query ends.
  public let isTransient: Bool
  /// What was looked at: of the columns in memory, or as the file stores them.
  public let byteCount: Int

  public init(slices: [RecordBatchSlice], isFromDisk: Bool, isTransient: Bool? = nil, byteCount: Int) {
    (self.slices, self.isFromDisk, self.byteCount) = (slices, isFromDisk, byteCount)
    self.isTransient = isTransient ?? isFromDisk
  }
}

extension Segment {
  /// As `read`, and tells where the rows came from.
  public func scan(offset: Int, count: Int, columns: [Int]) throws(CacheError) -> SegmentRows {
    // Rows may move in between: taken for such from disk they are copied once too often, for such in memory held a little too long.
    let isFromDisk = !isInMemory
    let stored = isFromDisk ? try compressedBytes(offset: offset, count: count, columns: columns) : nil
    let slices = try read(offset: offset, count: count, columns: columns)
    if let stored { return SegmentRows(slices: slices, isFromDisk: true, byteCount: stored) }
    // A file that is not compressed stores rows as memory does.
    let bytes = slices.reduce(0) { $0.saturatingSum($1.batch.copyByteCount(columns: nil, offset: $1.offset, count: $1.count)) }
    return SegmentRows(slices: slices, isFromDisk: isFromDisk, byteCount: bytes)
  }

  /// Has the system read rows from the disk that will be wanted soon; nothing where they are in memory.
  public func prefetch(offset: Int, count: Int, columns: [Int]) {
    guard !isInMemory, let file else { return }
    // Only a hint: what is wrong with the file shows when it is read.
    do throws(CacheError) { try file.prefetch(offset: offset, count: count, columns: columns) } catch {}
  }

  /// The share of the file's bytes that these columns of these rows have; nil where nothing is compressed.
  private func compressedBytes(offset: Int, count: Int, columns: [Int]) throws(CacheError) -> Int? {
    guard let file, try file.decompressedBytes(offset: offset, count: count, columns: columns) > 0 else { return nil }
    var total = 0.0
    for piece in file.pieces where piece.overlaps(offset..<offset + count) {
      let bytes = try file.storedBytes(offset: piece.lowerBound, count: piece.count, columns: columns)
      total += Double(bytes) * Double(piece.clamped(to: offset..<offset + count).count) / Double(max(1, piece.count))
    }
    return Int(total)
  }
}
