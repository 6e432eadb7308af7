import CArrow
import Primitives

/// An Arrow file that is mapped into memory, and the record batches in it.
///
/// Opening reads the footer alone. Uncompressed columns are never copied: their batches point into the mapping, which lives as long as
/// the last of them, also when the file's name is gone. Compressed columns are decompressed when they are asked for. Any thread may
/// call anything; what a call decompresses belongs to its batch.
public final class IPCFile: Sendable {
  public let path: String
  public let schema: Schema
  /// What the writer said about the file, without what is the format's own business.
  public let metadata: KeyValues
  public let batchCount: Int
  /// Whether this engine wrote the file, and its footer is as it was written.
  public let isSealed: Bool
  /// The file's bytes. Buffers of batches that lie in it take memory of the page cache only.
  public let mapping: FileMapping

  let files: any FileSystem
  let options: IPCReadOptions
  let fields: [NumberedField]
  let blocks: IPCBlocks
  /// Where each dictionary is.
  let dictionaryBlocks: [Int: Int]
  let dictionaries = Locked<[Int: IPCDictionary]>([:])

  /// Maps and opens a file.
  ///
  /// `expected` is the schema that the file was written with, where the caller has it: it is then used in place of an equal copy,
  /// and another one is refused. Throws `.storage` where the file cannot be read or is damaged, `.type` for types that are not known.
  public convenience init(
    _ path: String, files: any FileSystem = SystemFiles(), options: IPCReadOptions = IPCReadOptions(), expecting expected: Schema? = nil
  ) throws(CacheError) {
    try self.init(try files.map(path), files: files, options: options, expecting: expected)
  }

  /// Opens a file that has been mapped.
  public init(
    _ mapping: FileMapping, files: any FileSystem = SystemFiles(), options: IPCReadOptions = IPCReadOptions(), expecting expected: Schema? = nil
  ) throws(CacheError) {
    let path = mapping.path
    let footer: IPCFooter
    let dictionaryBlocks: [Int: Int]
    do throws(CacheError) {
      footer = try IPCFooter(mapping, options, expecting: expected)
      dictionaryBlocks = try footer.blocks.dictionaryNumbers()
    } catch {
      throw error.located(path, options.remedy)
    }
    (self.path, self.mapping, self.files, self.options) = (path, mapping, files, options)
    (schema, fields, metadata) = (footer.schema, footer.fields, footer.metadata)
    (blocks, isSealed, self.dictionaryBlocks) = (footer.blocks, footer.isSealed, dictionaryBlocks)
    batchCount = footer.blocks.batches.count
  }

  /// The number of rows of a batch.
  public func rowCount(_ batch: Int) throws(CacheError) -> Int { try located { () throws(CacheError) in try header(batch).rowCount } }

  /// A record batch, or these columns of it in this order; indices beyond the columns are left out.
  public func batch(_ index: Int, columns: [Int]? = nil) throws(CacheError) -> RecordBatch {
    try located { () throws(CacheError) in try readBatch(index, columns: columns?.filter(fields.indices.contains)) }
  }

  /// Verifies every checksum of a sealed file.
  public func verify() throws(CacheError) {
    try located { () throws(CacheError) in
      guard isSealed else { throw damaged("it has no checksums: it was not written by this engine") }
      try blocks.verify(threads: options.threadCount)
    }
  }

  /// The bytes of the file that these columns of a batch take (nil: all), dictionaries not counted.
  public func storedBytes(_ batch: Int, columns: [Int]? = nil) throws(CacheError) -> Int {
    try located { () throws(CacheError) in
      try spans(batch, columns).reduce(0) { $0.addingSaturated($1.count) }
    }
  }

  /// The memory that reading these columns of a batch will take for decompressed buffers: 0 where nothing is compressed.
  public func decompressedBytes(_ batch: Int, columns: [Int]? = nil) throws(CacheError) -> Int {
    try located { () throws(CacheError) in
      let header = try header(batch)
      var total = 0
      for span in try spans(batch, columns) {
        if let byteCount = try header.decompressedBytes(span) { total = total.addingSaturated(aligned(byteCount)) }
      }
      return total
    }
  }

  /// Has the system start reading these columns of a batch (nil: all) from the disk.
  public func prefetch(_ batch: Int, columns: [Int]? = nil) throws(CacheError) {
    try located { () throws(CacheError) in
      guard let start = mapping.bytes.baseAddress else { return }
      for span in try spans(batch, columns) {
        guard let address = span.baseAddress, span.count > 0 else { continue }
        files.advise(.willNeed, mapping, offset: address - start, byteCount: span.count)
      }
    }
  }

  func header(_ batch: Int) throws(CacheError) -> IPCBatchHeader {
    guard blocks.batches.indices.contains(batch) else {
      throw CacheError(.argument, "'\(path)' has \(batchCount) record batches, none with the number \(batch)")
    }
    return try blocks.batchHeader(batch)
  }

  func spans(_ batch: Int, _ columns: [Int]?) throws(CacheError) -> [UnsafeRawBufferPointer] {
    let header = try header(batch)
    let extents = try header.extents(fields)
    var spans: [UnsafeRawBufferPointer] = []
    for column in columns?.filter(fields.indices.contains) ?? Array(fields.indices) {
      for buffer in extents[column].buffers..<extents[column + 1].buffers { spans.append(try header.buffer(buffer)) }
    }
    return spans
  }

  func located<Result>(_ body: () throws(CacheError) -> Result) throws(CacheError) -> Result {
    do throws(CacheError) { return try body() } catch { throw error.located(path, options.remedy) }
  }
}

extension CacheError {
  /// The error with the file that it is about.
  fileprivate func located(_ path: String, _ remedy: String) -> CacheError {
    switch code {
    case .storage: CacheError(.storage, "cannot read '\(path)': \(message); \(remedy)", cause: cause, systemError: systemError)
    case .type: CacheError(.type, "cannot read '\(path)': \(message)", cause: cause)
    default: self
    }
  }
}
