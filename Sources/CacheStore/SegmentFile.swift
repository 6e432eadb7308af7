import ArrowData
import Primitives

/// Rows in a sealed Arrow file: of a `SpillFolder`, or of what has been persisted.
///
/// Reading maps the file. It takes no other file for its own: seal and checksums of footer and metadata are verified each time, the
/// identity that was written, and the size; the bytes of a column of a piece when they are first asked for, once, which costs less
/// than reading them from the disk does. After that values are taken as they are, as a file that only this engine writes to may be.
/// What it cannot see is a file cut short by somebody while a reader looks at it: the system stops the process then.
public class SegmentFile: @unchecked Sendable {
  private struct Opened {
    weak var mapping: SpillMapping?
    /// The mapping, where it must outlive the file's name.
    var kept: SpillMapping?
    /// The bytes of a file that has been mapped and not been looked at.
    var bytes: FileMapping?
  }

  /// How a file is called in errors, and what to do where it is lost.
  struct Words: Sendable {
    let rows: String
    let remedy: String
  }

  public let path: String
  /// The size of the file.
  public let byteCount: Int
  public let rowCount: Int
  /// The rows of each of its record batches.
  public let pieces: [Range<Int>]
  public let schema: Schema

  let files: any FileSystem
  private let identity: KeyValues
  let isCompressed: Bool
  /// nil: the file is kept mapped by who has made this.
  private let mappings: OpenMappings?
  private let words: Words
  private let opened = Locked(Opened())
  /// The columns of each piece, one after the other, whose bytes have been verified.
  private let verified: Locked<[Bool]>

  init(
    _ path: String, byteCount: Int, pieces: [Range<Int>], schema: Schema, identity: KeyValues, isCompressed: Bool, mappings: OpenMappings?,
    files: any FileSystem, words: Words
  ) {
    (self.path, self.byteCount, self.pieces, self.schema) = (path, byteCount, pieces, schema)
    (self.identity, self.isCompressed, self.mappings, self.files, self.words) = (identity, isCompressed, mappings, files, words)
    rowCount = pieces.last?.upperBound ?? 0
    verified = Locked([Bool](repeating: false, count: pieces.count * schema.fields.count))
  }

  /// Whether the file goes with the rows, so that letting go of them frees the disk.
  var isTemporary: Bool { false }

  /// Takes a mapping that is there already.
  func adopt(_ mapping: SpillMapping, isKept: Bool) { opened.withLock { ($0.mapping, $0.kept) = (mapping, isKept ? mapping : nil) } }

  /// Takes the bytes of a file that are mapped, to look at when rows are read; they outlive the file's name.
  func adopt(_ bytes: FileMapping) { opened.withLock { $0.bytes = bytes } }

  /// Keeps the file readable without its name.
  func keepMapped() throws(CacheError) {
    if opened.withLock({ $0.bytes != nil }) { return }
    let mapping = try mapping()
    opened.withLock { $0.kept = mapping }
  }

  /// As `keepMapped`, without looking into the file.
  func keepBytes() throws(CacheError) {
    let isKept = opened.withLock { opened in
      if opened.kept == nil { opened.kept = opened.mapping }
      return opened.kept != nil || opened.bytes != nil
    }
    if isKept { return }
    let bytes = try files.map(path)
    guard bytes.bytes.count == byteCount else { throw damaged("it has \(bytes.bytes.count) bytes of \(byteCount)") }
    opened.withLock { $0.bytes = bytes }
  }

  /// Forgets the mapping, which goes with its last reader.
  func closeMapping() {
    if let mapping = opened.withLock({ $0.mapping }) { mappings?.remove(mapping.number) }
  }

  /// Rows `offset ..< offset + count` of these columns in this order (nil: all), a slice for each piece; a range beyond the rows is cut to
  /// them, indices beyond the columns are left out. Zero copy where the file is not compressed; else it takes `decompressedBytes`.
  ///
  /// The file and its pages stay as long as anyone reads one of the columns. Throws `.storage` where the file is lost or damaged.
  public func read(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> [RecordBatchSlice] {
    let columns = columns?.filter(schema.fields.indices.contains)
    return try lost { () throws(CacheError) in
      let parts = parts(offset, count)
      guard !parts.isEmpty else { return [] }
      let mapping = try mapping()
      var slices: [RecordBatchSlice] = []
      slices.reserveCapacity(parts.count)
      for part in parts {
        mapping.prefetch(part.piece, columns: columns, rows: isCompressed ? 0..<1 : part.rows, of: isCompressed ? 1 : pieces[part.piece].count)
        let batch = try mapping.batch(part.piece, rowCount: pieces[part.piece].count, columns: columns, owner: self)
        try verify(mapping, part.piece, columns)
        slices.append(RecordBatchSlice(batch, offset: part.rows.lowerBound, count: part.rows.count))
      }
      return slices
    }
  }

  /// The memory that reading will take for decompressed columns: of whole pieces with their dictionaries, 0 where nothing is compressed.
  public func decompressedBytes(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> Int {
    guard isCompressed else { return 0 }
    var dictionaryBytes: Int?
    return try sum(offset, count) { (file, piece) throws(CacheError) in
      var total = try file.decompressedBytes(piece, columns: columns)
      if dictionaryBytes == nil {
        let byteCount = try file.decompressedDictionaryBytes(columns: columns)
        dictionaryBytes = byteCount
        total += byteCount
      }
      return total
    }
  }

  /// The bytes of the file that reading looks at: of whole pieces, dictionaries not among them.
  public func storedBytes(offset: Int, count: Int, columns: [Int]?) throws(CacheError) -> Int {
    try sum(offset, count) { (file, piece) throws(CacheError) in try file.storedBytes(piece, columns: columns) }
  }

  /// Has the system start reading from the disk; of what is compressed, whole pieces.
  public func prefetch(offset: Int, count: Int, columns: [Int]?) throws(CacheError) {
    try lost { () throws(CacheError) in
      let parts = parts(offset, count)
      guard !parts.isEmpty else { return }
      let mapping = try mapping()
      for part in parts {
        mapping.prefetch(part.piece, columns: columns, rows: isCompressed ? 0..<1 : part.rows, of: isCompressed ? 1 : pieces[part.piece].count)
      }
    }
  }

  /// Gives back this process's memory for pages that hold these rows: for who is done with them while others still hold the batch.
  /// They can be read again.
  public func releasePages(offset: Int, count: Int, columns: [Int]?) {
    guard let mapping = opened.withLock({ $0.mapping }) else { return }
    for part in parts(offset, count) { mapping.release(part.piece, columns: columns, rows: part.rows, of: pieces[part.piece].count) }
  }

  /// Whether an address lies in the mapped file, and not in memory that something was decompressed to.
  func maps(_ address: UInt) -> Bool { opened.withLock { $0.mapping }?.file.mapping.contains(address) ?? false }

  private func sum(
    _ offset: Int, _ count: Int, _ body: (IPCFile, Int) throws(CacheError) -> Int
  ) throws(CacheError) -> Int {
    try lost { () throws(CacheError) in
      let parts = parts(offset, count)
      guard !parts.isEmpty else { return 0 }
      let mapping = try mapping()
      var total = 0
      for part in parts { total += try body(mapping.file, part.piece) }
      return total
    }
  }

  /// The pieces that have some of the rows, and which of their own rows these are.
  private func parts(_ offset: Int, _ count: Int) -> [(piece: Int, rows: Range<Int>)] {
    let start = min(max(offset, 0), rowCount)
    let end = start + min(max(count, 0), rowCount - start)
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].upperBound <= start { low = middle + 1 } else { high = middle }
    }
    var parts: [(piece: Int, rows: Range<Int>)] = []
    while low < pieces.count, pieces[low].lowerBound < end {
      let piece = pieces[low]
      parts.append((low, (max(start, piece.lowerBound) - piece.lowerBound)..<(min(end, piece.upperBound) - piece.lowerBound)))
      low += 1
    }
    return parts
  }

  /// The file, mapped if it is not yet.
  func mapping() throws(CacheError) -> SpillMapping {
    let (mapped, bytes) = opened.withLock { ($0.mapping, $0.bytes) }
    if mapped != nil || bytes != nil {
      // A mapping keeps what has no name any more, but no bytes that have been cut off.
      if let status = try files.status(path), status.byteCount < byteCount {
        throw damaged("it has \(status.byteCount) bytes of \(byteCount)")
      }
      if let mapped { return mapped }
    }
    var options = IPCReadOptions()
    options.trust = .sealed
    options.remedy = words.remedy
    let file =
      if let bytes { try IPCFile(bytes, files: files, options: options, expecting: schema) } else {
        try IPCFile(path, files: files, options: options, expecting: schema)
      }
    guard file.mapping.bytes.count == byteCount, file.batchCount == pieces.count, file.metadata == identity else {
      throw damaged("it is another file than the one that was written")
    }
    let mapping = SpillMapping(file, number: mappings?.newNumber() ?? 0, isCompressed: isCompressed, files: files)
    let known = opened.withLock { opened in
      if let earlier = opened.mapping { return earlier }
      opened.mapping = mapping
      if opened.bytes != nil { (opened.kept, opened.bytes) = (mapping, nil) }
      return mapping
    }
    if known === mapping, !mapping.keepsMemory { mappings?.insert(mapping) }
    return known
  }

  private func verify(_ mapping: SpillMapping, _ piece: Int, _ columns: [Int]?) throws(CacheError) {
    let first = piece * schema.fields.count
    let wanted = columns ?? Array(schema.fields.indices)
    let fresh = verified.withLock { verified in wanted.filter { !verified[first + $0] } }
    guard !fresh.isEmpty else { return }
    try mapping.file.prefetch(piece, columns: fresh)
    try mapping.file.verify(piece, columns: fresh)
    // Few of these rows may be wanted, or not for long: they come from the page cache as they are looked at.
    mapping.release(piece, columns: fresh, rows: 0..<1, of: 1)
    verified.withLock { verified in for column in fresh { verified[first + column] = true } }
  }

  private func damaged(_ what: String) -> CacheError {
    CacheError(.storage, "cannot read '\(path)': \(what); \(words.remedy)")
  }

  /// A file that is not there any more, or not what it was, is lost; what the system refuses otherwise may pass.
  private func lost<Result>(_ body: () throws(CacheError) -> Result) throws(CacheError) -> Result {
    do throws(CacheError) {
      return try body()
    } catch {
      guard error.code != .memoryLimit, error.systemError == nil || error.isMissingFile else { throw error }
      let remedy = error.isMissingFile ? "; \(words.remedy)" : ""
      throw CacheError(.storage, "\(words.rows) are lost: \(error.message)\(remedy)", cause: error.cause, systemError: error.systemError)
    }
  }
}
