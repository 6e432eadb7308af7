import ArrowData
import Glibc
import Primitives

/// Rows of a persisted partition. The file belongs to its folder and stays there; it is mapped as long as this lives, so that
/// whoever persists another version meanwhile does not disturb it.
final class PersistedFile: SegmentFile, @unchecked Sendable {
  private let charge = Locked<PersistedCharge?>(nil)

  /// Counts the file as one that an entry has rows in, as long as this lives.
  func count(in ledger: PersistedLedger) {
    charge.withLock { charge in charge = charge ?? PersistedCharge(ledger, path, byteCount: byteCount) }
  }

  static func identity(key: String, kind: String, partition: Int) -> KeyValues {
    func pair(_ name: String, _ value: String) -> KeyValue { KeyValue(key: [UInt8](name.utf8), value: [UInt8](value.utf8)) }
    return [pair("arrow_cache.key", key), pair("arrow_cache.kind", kind), pair("arrow_cache.partition", "\(partition)")]
  }

  /// A part of what a manifest describes, mapped from now on: what becomes of its name does not matter.
  ///
  /// Its size is compared with the manifest's; the rest when it is first read, or at once where `isOpened`, without a schema, which it then tells, and where
  /// `isVerified` has every byte compared with its checksum. Throws `.storage` where the file is missing, damaged, or not the one that was written.
  init(
    _ index: Int, of manifest: Manifest, in folder: PersistedFolder, schema: Schema?, isVerified: Bool, threadCount: Int, isOpened: Bool = false
  ) throws(CacheError) {
    let part = manifest.parts[index]
    let path = "\(folder.path)/\(part.name)"
    try manifest.requireArrow(path)
    let bytes = try folder.files.map(path)
    guard bytes.bytes.count == part.byteCount else { throw Self.otherSize(path, bytes.bytes.count, part) }
    let opened = isOpened || isVerified || schema == nil ? try Self.open(bytes, index, of: manifest, in: folder, schema, threadCount) : nil
    if isVerified { try opened?.verify() }
    let isCompressed = manifest.compression != .none
    super.init(
      path, byteCount: part.byteCount, pieces: Self.pieces(part), schema: opened?.schema ?? schema ?? Schema(fields: []),
      identity: Self.identity(key: manifest.key, kind: manifest.kind, partition: index), isCompressed: isCompressed, mappings: nil,
      files: folder.files, words: Self.words)
    if let opened {
      adopt(SpillMapping(opened, number: 0, isCompressed: isCompressed, files: folder.files), isKept: true)
    } else {
      adopt(bytes)
    }
  }

  private static func open(
    _ bytes: FileMapping, _ index: Int, of manifest: Manifest, in folder: PersistedFolder, _ schema: Schema?, _ threadCount: Int
  ) throws(CacheError) -> IPCFile {
    let part = manifest.parts[index]
    var options = IPCReadOptions()
    (options.trust, options.threadCount, options.remedy) = (.sealed, threadCount, remedy)
    let file = try IPCFile(bytes, files: folder.files, options: options, expecting: schema)
    func other(_ what: String) -> CacheError { CacheError(.storage, "cannot read '\(file.path)': \(what); \(remedy)") }
    guard file.metadata == identity(key: manifest.key, kind: manifest.kind, partition: index), file.batchCount == part.batchRows.count else {
      throw other("it is another file than the one that its manifest names")
    }
    for (batch, rowCount) in part.batchRows.enumerated() {
      guard try file.rowCount(batch) == rowCount else { throw other("it has other rows than its manifest says") }
    }
    return file
  }

  private static func otherSize(_ path: String, _ byteCount: Int, _ part: Manifest.Part) -> CacheError {
    CacheError(.storage, "cannot read '\(path)': it has \(byteCount) bytes, its manifest says \(part.byteCount); \(remedy)")
  }

  private static func pieces(_ part: Manifest.Part) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    for rowCount in part.batchRows {
      let start = pieces.last?.upperBound ?? 0
      pieces.append(start..<start + rowCount)
    }
    return pieces
  }

  /// A part that is mapped when it is read. Only its size is looked at.
  private init(
    _ index: Int, of manifest: Manifest, in folder: PersistedFolder, schema: Schema, mappings: OpenMappings
  ) throws(CacheError) {
    let part = manifest.parts[index]
    let path = "\(folder.path)/\(part.name)"
    guard let status = try folder.files.status(path) else { throw .file("open", path, errorNumber: ENOENT) }
    guard status.byteCount == part.byteCount else { throw Self.otherSize(path, status.byteCount, part) }
    super.init(
      path, byteCount: part.byteCount, pieces: Self.pieces(part), schema: schema,
      identity: Self.identity(key: manifest.key, kind: manifest.kind, partition: index), isCompressed: manifest.compression != .none,
      mappings: mappings, files: folder.files, words: Self.words)
  }

  /// The parts that a manifest names, mapped when they are read. Only their sizes are looked at, and the schema of one where the manifest
  /// does not have it.
  static func open(
    _ manifest: Manifest, in folder: PersistedFolder, mappings: OpenMappings, schemas: SchemaShelf
  ) throws(CacheError) -> [PersistedFile] {
    if let first = manifest.parts.first { try manifest.requireArrow("\(folder.path)/\(first.name)") }
    let schema: Schema
    if let known = schemas.schema(manifest.schema) {
      schema = known
    } else if let first = manifest.parts.first {
      var options = IPCReadOptions()
      (options.trust, options.remedy) = (.sealed, Self.remedy)
      schema = try IPCFile("\(folder.path)/\(first.name)", files: folder.files, options: options).schema
    } else {
      schema = Schema(fields: [])
    }
    var opened: [PersistedFile] = []
    opened.reserveCapacity(manifest.parts.count)
    for index in manifest.parts.indices {
      opened.append(try PersistedFile(index, of: manifest, in: folder, schema: schema, mappings: mappings))
    }
    return opened
  }

  deinit { closeMapping() }

  static let words = Words(rows: "persisted rows", remedy: remedy)
  private static let remedy = "persist the entry anew or restore the folder from a copy"
}

extension Manifest {
  fileprivate func requireArrow(_ path: String) throws(CacheError) {
    guard format != .arrow else { return }
    throw CacheError(
      .storage, "'\(path)' is no Arrow file, which alone can be mapped: `load` the entry in Python, or open it with any reader of \(format.rawValue)")
  }
}

/// Schemas by how manifests have them: many entries have the same one.
final class SchemaShelf: Sendable {
  private let known = Locked<[String: Schema]>([:])

  /// nil: the manifest does not have it, or not as this engine writes it.
  func schema(_ encoded: String?) -> Schema? {
    guard let encoded else { return nil }
    if let schema = known.withLock({ $0[encoded] }) { return schema }
    guard let bytes = bytes(base64: encoded) else { return nil }
    do throws(CacheError) {
      let schema = try Schema(encoded: bytes)
      known.withLock { $0[encoded] = schema }
      return schema
    } catch {
      return nil  // the part itself says it, or what is wrong
    }
  }
}
