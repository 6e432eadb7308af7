import ArrowData
import Primitives

/// The rows of a segment in the files of the partitions that it lies in: what lets it leave memory without being written again.
final class PersistedRows: SegmentFile, @unchecked Sendable {
  /// Rows of a file, and where they begin in the segment.
  struct Stretch {
    let file: PersistedFile
    let fileOffset: Int
    let start: Int
    let count: Int
  }

  private let stretches: [Stretch]

  /// Stretches that follow each other. The files are kept mapped: what becomes of their names does not matter.
  init(_ stretches: [Stretch], schema: Schema, folder: PersistedFolder) throws(CacheError) {
    self.stretches = stretches
    var pieces: [Range<Int>] = []
    var byteCount = 0
    for stretch in stretches {
      try stretch.file.keepMapped()
      byteCount = byteCount.saturatingSum(Int(Double(stretch.file.byteCount) * Double(stretch.count) / Double(max(1, stretch.file.rowCount))))
      for piece in stretch.file.pieces {
        let rows = piece.clamped(to: stretch.fileOffset..<stretch.fileOffset + stretch.count)
        if !rows.isEmpty { pieces.append((rows.lowerBound - stretch.fileOffset + stretch.start)..<(rows.upperBound - stretch.fileOffset + stretch.start)) }
      }
    }
    super.init(
      folder.path, byteCount: byteCount, pieces: pieces, schema: schema, identity: [],
      isCompressed: stretches.contains { $0.file.isCompressed }, mappings: nil, files: folder.files, words: PersistedFile.words)
  }

  override func keepMapped() throws(CacheError) {}
  override func closeMapping() {}

  override func read(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> [RecordBatchSlice] {
    var slices: [RecordBatchSlice] = []
    for (file, rows) in parts(offset, count) { slices += try file.read(offset: rows.lowerBound, count: rows.count, columns: columns) }
    return slices
  }

  override func decompressedBytes(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> Int {
    var total = 0
    for (file, rows) in parts(offset, count) {
      total = total.saturatingSum(try file.decompressedBytes(offset: rows.lowerBound, count: rows.count, columns: columns))
    }
    return total
  }

  override func storedBytes(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> Int {
    var total = 0
    for (file, rows) in parts(offset, count) {
      total = total.saturatingSum(try file.storedBytes(offset: rows.lowerBound, count: rows.count, columns: columns))
    }
    return total
  }

  override func prefetch(offset: Int, count: Int, columns: [Int]?) throws(CacheError) {
    for (file, rows) in parts(offset, count) { try file.prefetch(offset: rows.lowerBound, count: rows.count, columns: columns) }
  }

  override func releasePages(offset: Int, count: Int, columns: [Int]?) {
    for (file, rows) in parts(offset, count) { file.releasePages(offset: rows.lowerBound, count: rows.count, columns: columns) }
  }

  override func maps(_ address: UInt) -> Bool { stretches.contains { $0.file.maps(address) } }

  /// The files with some of the rows, and which of their own these are.
  private func parts(_ offset: Int, _ count: Int) -> [(file: PersistedFile, rows: Range<Int>)] {
    let start = min(max(offset, 0), rowCount)
    let wanted = start..<start + min(max(count, 0), rowCount - start)
    return stretches.compactMap { stretch in
      let rows = wanted.clamped(to: stretch.start..<stretch.start + stretch.count)
      guard !rows.isEmpty else { return nil }
      let first = rows.lowerBound - stretch.start + stretch.fileOffset
      return (stretch.file, first..<first + rows.count)
    }
  }
}

extension Tiers {
  /// Files that are kept mapped for rows that have left memory; the system limits how many mappings a process may have.
  private static let mostKept = 8192

  /// The rows of a segment in what the storage has of its entry, where that is all there and as it was written; nil where they must be
  /// written to a file of their own.
  func persistedRows(_ item: Catalog.Leaving) -> SegmentFile? {
    guard let storagePath, !item.segment.schema.hasEncodedColumns, persisted.fileCount < Self.mostKept else { return nil }
    let entry = catalog.withLock { catalog in
      catalog.slots[item.holding.key].flatMap { $0.holding === item.holding ? $0.entry : nil }
    }
    guard let entry else { return nil }
    let folder = PersistedFolder(key: entry.key, in: storagePath, files: options.files)
    guard let names = entry.persisted.withLock({ $0[folder.path] }), names.count == max(1, entry.partitions.count) else { return nil }
    do throws(CacheError) {
      guard let manifest = try Manifest.read(in: folder.path, files: folder.files), manifest.parts.map(\.name) == names else { return nil }
      return try persistedRows(entry, item.index, manifest, folder)
    } catch {
      return nil  // The rows are still in memory: they can be written.
    }
  }

  private func persistedRows(
    _ entry: Entry, _ segmentIndex: Int, _ manifest: Manifest, _ folder: PersistedFolder
  ) throws(CacheError) -> SegmentFile? {
    var stretches: [PersistedRows.Stretch] = []
    for (index, partition) in entry.partitions.enumerated() where manifest.parts[index].rowCount == partition.rowCount {
      var fileOffset = 0
      var file: PersistedFile?
      for slice in partition.slices {
        defer { fileOffset += slice.count }
        guard slice.segmentIndex == segmentIndex, slice.count > 0 else { continue }
        let part: PersistedFile
        if let file { part = file } else {
          part = try PersistedFile(index, of: manifest, in: folder, schema: entry.schema, isVerified: false, threadCount: 1, isOpened: true)
          part.count(in: persisted)
        }
        file = part
        stretches.append(PersistedRows.Stretch(file: part, fileOffset: fileOffset, start: slice.offset, count: slice.count))
      }
    }
    stretches.sort { $0.start < $1.start }
    var end = 0
    for stretch in stretches {
      guard stretch.start == end else { return nil }
      end += stretch.count
    }
    guard end == entry.segments[segmentIndex].rowCount else { return nil }
    return try PersistedRows(stretches, schema: entry.schema, folder: folder)
  }
}
