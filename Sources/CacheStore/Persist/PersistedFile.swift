import ArrowData
import Glibc
import Primitives

/// Rows of a persisted partition. The file belongs to its folder and stays there; it is mapped as long as this lives, so that
/// whoever persists another version meanwhile does not disturb it.
final class PersistedFile: SegmentFile, @unchecked Sendable {

  static func identity(key: String, kind: String, partition: Int) -> KeyValues {
    func pair(_ name: String, _ value: String) -> KeyValue { KeyValue(key: [UInt8](name.utf8), value: [UInt8](value.utf8)) }
    return [pair("arrow_cache.key", key), pair("arrow_cache.kind", kind), pair("arrow_cache.partition", "\(partition)")]
  }

  /// Opens a part of what a manifest describes; with a schema, no other is taken. `isVerified` compares every byte with its checksum.
  ///
  /// Throws `.storage` where the file is missing, damaged, or not the one that was written.
  init(
    _ index: Int, of manifest: Manifest, in folder: PersistedFolder, schema: Schema?, isVerified: Bool, threadCount: Int
  ) throws(CacheError) {
    let part = manifest.parts[index]
    let path = "\(folder.path)/\(part.name)"
    var options = IPCReadOptions()
    (options.trust, options.threadCount, options.remedy) = (.sealed, threadCount, Self.remedy)
    let file = try IPCFile(path, files: folder.files, options: options, expecting: schema)
    func other(_ what: String) -> CacheError { CacheError(.storage, "cannot read '\(path)': \(what); \(Self.remedy)") }
    guard file.mapping.bytes.count == part.byteCount else {
      throw other("it has \(file.mapping.bytes.count) bytes, its manifest says \(part.byteCount)")
    }
    let identity = Self.identity(key: manifest.key, kind: manifest.kind, partition: index)
    guard file.metadata == identity, file.batchCount == part.batchRows.count else {
      throw other("it is another file than the one that its manifest names")
    }
    var pieces: [Range<Int>] = []
    for (batch, rowCount) in part.batchRows.enumerated() {
      guard try file.rowCount(batch) == rowCount else { throw other("it has other rows than its manifest says") }
      let start = pieces.last?.upperBound ?? 0
      pieces.append(start..<start + rowCount)
    }
    if isVerified { try file.verify() }
    let isCompressed = manifest.compression != .none
    let mapping = SpillMapping(file, number: 0, isCompressed: isCompressed, files: folder.files)
    super.init(
      path, byteCount: part.byteCount, pieces: pieces, schema: file.schema, identity: identity, isCompressed: isCompressed, mappings: nil,
      files: folder.files, words: Words(rows: "persisted rows", remedy: Self.remedy))
    adopt(mapping, isKept: true)
  }

  /// A part in a folder that nobody else writes to: mapped when it is read. Only its size is looked at, and without a schema that.
  init(
    _ index: Int, of manifest: Manifest, in folder: PersistedFolder, schema: Schema?, mappings: OpenMappings
  ) throws(CacheError) {
    let part = manifest.parts[index]
    let path = "\(folder.path)/\(part.name)"
    guard let status = try folder.files.status(path) else { throw .file("open", path, errorNumber: ENOENT) }
    guard status.byteCount == part.byteCount else {
      throw CacheError(.storage, "cannot read '\(path)': it has \(status.byteCount) bytes, its manifest says \(part.byteCount); \(Self.remedy)")
    }
    var known = schema
    if known == nil {
      var options = IPCReadOptions()
      (options.trust, options.remedy) = (.sealed, Self.remedy)
      known = try IPCFile(path, files: folder.files, options: options).schema
    }
    var pieces: [Range<Int>] = []
    for rowCount in part.batchRows {
      let start = pieces.last?.upperBound ?? 0
      pieces.append(start..<start + rowCount)
    }
    super.init(
      path, byteCount: part.byteCount, pieces: pieces, schema: known ?? Schema(fields: []),
      identity: Self.identity(key: manifest.key, kind: manifest.kind, partition: index), isCompressed: manifest.compression != .none,
      mappings: mappings, files: folder.files, words: Words(rows: "persisted rows", remedy: Self.remedy))
  }

  deinit { closeMapping() }

  private static let remedy = "persist the entry anew or restore the folder from a copy"
}
