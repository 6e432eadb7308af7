import ArrowData
import CArrow
import Glibc
import Primitives

/// The bytes of a file with the rows of one part, which are moved in, in a form that somebody else writes.
public typealias PartEncoder = (_ rows: UnsafeMutablePointer<ArrowArrayStream>) throws(CacheError) -> [UInt8]

/// The rows of what a `PartEncoder` has written, as a table of this schema.
public typealias PartDecoder = (_ bytes: [UInt8], _ schema: Schema) throws(CacheError) -> ArrowArrayStream

// Parts in another format than Arrow's: whole files with a checksum in the manifest, read into memory and not mapped.
extension PersistWriter {
  /// As `write`, in files that `encode` makes. A part that is there with the same rows is not made anew.
  func write(_ format: PartFormat, _ encode: PartEncoder) throws(CacheError) -> Int {
    try replacing { (old) throws(CacheError) in
      let before = entry.persisted.withLock { $0[folder.path] } ?? []
      var parts: [Manifest.Part] = []
      var writtenBytes = 0
      for index in 0..<max(1, entry.partitions.count) {
        if isCancelled?() ?? false { throw CacheError(.interrupted, "persisting '\(entry.key)' was cancelled") }
        var known = old.flatMap { $0.format == format && $0.compression == compression && $0.parts.indices.contains(index) ? $0.parts[index] : nil }
        if let part = known, try files.status("\(folder.path)/\(part.name)")?.byteCount != part.byteCount { known = nil }
        var name = known?.name
        if known == nil || !(before.indices.contains(index) && before[index] == name) {
          name = PersistedFolder.partName(index, content: try contentHash(index, format), format)
          if known?.name != name { known = nil }
        }
        guard let name else { continue }
        let partition = entry.partitions.indices.contains(index) ? entry.partitions[index] : nil
        if let known {
          parts.append(part(index, known))
          continue
        }
        let bytes = try fileBytes(partition, encode)
        try write(bytes, as: name, provisional: PersistedFolder.partName(index, content: "new", format))
        writtenBytes += bytes.count
        let facts = Manifest.Part(
          name: name, byteCount: bytes.count, memoryBytes: try memoryBytes(index), batchRows: partition.map { [$0.rowCount] } ?? [], statistics: [:],
          checksum: bytes.withUnsafeBytes { CRC32C($0).value })
        parts.append(part(index, facts))
      }
      return (parts, writtenBytes, format)
    }
  }

  private func fileBytes(_ partition: Partition?, _ encode: PartEncoder) throws(CacheError) -> [UInt8] {
    var stream = ArrowArrayStream()
    exportStream(entry.reader(offset: partition?.firstRow ?? 0, limit: partition?.rowCount ?? 0), to: &stream)
    defer { stream.release?(&stream) }
    return try encode(&stream)
  }

  /// Of the rows as an Arrow file, and of the format.
  private func contentHash(_ index: Int, _ format: PartFormat) throws(CacheError) -> String {
    let hashing = HashingFiles(over: nil, salt: XXHash64("\(format.rawValue) \(compression.rawValue) \(level)".utf8).value)
    var options = IPCWriteOptions()
    options.isCancelled = isCancelled
    try IPCWriter(files: hashing, options: options).write(try rows(index), schema: entry.schema, to: folder.path)
    return hashing.digits
  }

  private func memoryBytes(_ index: Int) throws(CacheError) -> Int {
    try rows(index).reduce(0) { $0.saturatingSum($1.batch.byteCount(offset: $1.offset, count: $1.count)) }
  }

  private func write(_ bytes: [UInt8], as name: String, provisional: String) throws(CacheError) {
    let path = "\(folder.path)/\(provisional)"
    try files.unlink(path)
    let file = try files.create(path)
    try bytes.withUnsafeBufferPointer { bytes throws(CacheError) in
      try files.writeAll(UnsafeRawBufferPointer(bytes), to: file, at: 0)
    }
    try files.synchronize(file)
    try files.rename(path, to: "\(folder.path)/\(name)")
  }
}

/// The rows of such parts, one after the other.
final class EncodedParts: BatchSource {
  let schema: Schema
  private let manifest: Manifest
  private let folder: PersistedFolder
  private let decode: PartDecoder
  private let isCancelled: (@Sendable () -> Bool)?
  private var nextPart = 0
  private var current: StreamReader?
  private var rowsLeft = 0
  /// What ended it.
  private(set) var failure: CacheError?

  init(
    _ manifest: Manifest, in folder: PersistedFolder, isCancelled: (@Sendable () -> Bool)?, decode: @escaping PartDecoder
  ) throws(CacheError) {
    guard let schema = SchemaShelf().schema(manifest.schema) else {
      throw CacheError(.storage, "cannot read '\(folder.path)/\(Manifest.name)': it has no schema; persist the entry anew or restore the folder from a copy")
    }
    (self.manifest, self.folder, self.decode, self.isCancelled, self.schema) = (manifest, folder, decode, isCancelled, schema)
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    do throws(CacheError) {
      while true {
        if isCancelled?() ?? false { throw CacheError(.interrupted, "loading '\(manifest.key)' was cancelled") }
        if let batch = try current?.next() {
          rowsLeft -= batch.rowCount
          batch.export(offset: 0, count: batch.rowCount, to: array)
          return true
        }
        if current != nil, rowsLeft != 0 { throw Self.damaged(path, "it has other rows than its manifest says") }
        current?.close()
        current = nil
        guard manifest.parts.indices.contains(nextPart) else { return false }
        try open()
      }
    } catch {
      failure = error
      throw error
    }
  }

  private var path: String { "\(folder.path)/\(manifest.parts[max(0, nextPart - 1)].name)" }

  private func open() throws(CacheError) {
    let part = manifest.parts[nextPart]
    nextPart += 1
    let bytes = try Self.bytes(of: part, in: folder)
    do throws(CacheError) {
      var stream = try decode(bytes, schema)
      let reader = try StreamReader(moving: &stream)
      guard reader.schema.fields == schema.fields else { throw Self.damaged(path, "it has other columns than its manifest says") }
      (current, rowsLeft) = (reader, part.rowCount)
    } catch {
      guard error.code != .storage, error.code != .interrupted else { throw error }
      throw CacheError(error.code, "cannot read '\(path)': \(error.message)", cause: error.cause)
    }
  }

  /// A part's file, as it was written. Throws `.storage` where it is missing or damaged.
  static func bytes(of part: Manifest.Part, in folder: PersistedFolder) throws(CacheError) -> [UInt8] {
    let path = "\(folder.path)/\(part.name)"
    guard let status = try folder.files.status(path) else { throw .file("open", path, errorNumber: ENOENT) }
    guard status.byteCount == part.byteCount else { throw damaged(path, "it has \(status.byteCount) bytes, its manifest says \(part.byteCount)") }
    let bytes = try folder.files.read(path, limitBytes: part.byteCount)
    guard bytes.count == part.byteCount, bytes.withUnsafeBytes({ CRC32C($0).value }) == part.checksum else {
      throw damaged(path, "its bytes have another checksum than its manifest says")
    }
    return bytes
  }

  private static func damaged(_ path: String, _ what: String) -> CacheError {
    CacheError(.storage, "cannot read '\(path)': \(what); persist the entry anew or restore the folder from a copy")
  }
}
