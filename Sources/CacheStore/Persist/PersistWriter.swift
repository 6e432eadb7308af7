import ArrowData
import Primitives

/// Writes one version of an entry to its folder, under the folder's lock: parts that are not there yet, then the manifest.
///
/// The manifest changes in one step, when all that it names is on the disk: whoever is killed, or fails, before that leaves the version of
/// before, and nobody ever sees half of one. What it no longer names is removed after that; who has it mapped goes on reading it.
struct PersistWriter {
  let entry: Entry
  let folder: PersistedFolder
  let compression: IPCCompression
  let level: Int
  let threadCount: Int
  private let isCancelled: (@Sendable () -> Bool)?
  private let expiresAt: Double?
  /// nil: as before.
  private let isKept: Bool?
  private let order: Int?
  private let statistics: [Int: [Int: ColumnStatistics]]

  init(
    _ entry: Entry, to folder: PersistedFolder, options: StoreOptions, expiresAt: Double?, isKept: Bool?, order: Int? = nil,
    isCancelled: (@Sendable () -> Bool)? = nil
  ) {
    (self.expiresAt, self.isKept, self.order) = (expiresAt, isKept, order)
    (self.entry, self.folder, self.isCancelled) = (entry, folder, isCancelled)
    (compression, level, threadCount) = (options.compression, options.compressionLevel, options.threadCount)
    statistics = entry.knownStatistics
  }

  private var files: any FileSystem { folder.files }

  /// Returns the bytes that have been written, manifest not counted.
  func write() throws(CacheError) -> Int {
    let lock = try folder.lockForWriting()
    defer { folder.unlock(lock) }
    let old = try knownManifest()
    let oldNames = Set(old?.parts.map(\.name) ?? [])
    do throws(CacheError) {
      let (parts, fresh) = try writeParts(old)
      try settle(parts, fresh)
      if !fresh.isEmpty { try files.synchronizeFolder(folder.path) }
      let manifest = Manifest(entry, expiresAt: expiresAt, compression: compression, isKept: isKept ?? old?.isKept ?? false,
        order: order ?? old?.order, parts: parts)
      try write(manifest, unless: old)
      let names = parts.map(\.name)
      entry.persisted.withLock { $0[folder.path] = names }
      folder.sweep(keeping: Set(names))
      return fresh.keys.reduce(0) { $0 + parts[$1].byteCount }
    } catch {
      // Whatever the manifest says by now, the old version's or the new one's, has what it names.
      if (try? Manifest.read(in: folder.path, files: files))?.parts.map(\.name) ?? [] == old?.parts.map(\.name) ?? [] {
        folder.sweep(keeping: oldNames)
      }
      throw error
    }
  }

  /// What is there; nil where that is nothing that can be read. Throws where it is not this key's, or of a later format.
  private func knownManifest() throws(CacheError) -> Manifest? {
    let found: Manifest?
    do throws(CacheError) {
      found = try Manifest.read(in: folder.path, files: files)
    } catch {
      guard error.code == .storage, error.systemError == nil else { throw error }
      return nil  // damaged: written anew
    }
    guard let found, !found.key.utf8.elementsEqual(entry.key.utf8) else { return found }
    throw CacheError(.storage, "'\(folder.path)' has the entry '\(found.key)', not '\(entry.key)': choose another folder")
  }

  private func write(_ manifest: Manifest, unless old: Manifest?) throws(CacheError) {
    let bytes = manifest.encoded
    if let old, old.encoded == bytes { return }
    let file = try AtomicFile("\(folder.path)/\(Manifest.name)", files: files)
    try bytes.withUnsafeBufferPointer { bytes throws(CacheError) in try file.write(UnsafeRawBufferPointer(bytes), at: 0) }
    try file.publish(isDurable: true, replaces: true)
  }

  // MARK: parts

  /// Every part as the manifest will have it, and of those that have been written, the names that they have until they are durable.
  private func writeParts(_ old: Manifest?) throws(CacheError) -> (parts: [Manifest.Part], fresh: [Int: String]) {
    var parts: [Manifest.Part] = []
    var fresh: [Int: String] = [:]
    let before = entry.persisted.withLock { $0[folder.path] } ?? []
    // A table without a row has a file for its schema.
    for index in 0..<max(1, entry.partitions.count) {
      if isCancelled?() ?? false { throw CacheError(.interrupted, "persisting '\(entry.key)' was cancelled") }
      var known = old.flatMap { $0.compression == compression && $0.parts.indices.contains(index) ? $0.parts[index] : nil }
      if let part = known, try files.status("\(folder.path)/\(part.name)")?.byteCount != part.byteCount { known = nil }
      if let known, before.indices.contains(index), before[index] == known.name {
        parts.append(part(index, known.name, known.byteCount, known.memoryBytes, known.batchRows))
        continue
      }
      let slices = try rows(index)
      if let known, known.name == PersistedFolder.partName(index, content: try content(slices, index)) {
        parts.append(part(index, known.name, known.byteCount, known.memoryBytes, known.batchRows))
        continue
      }
      let provisional = "\(folder.path)/\(PersistedFolder.partName(index, content: "new"))"
      try files.unlink(provisional)
      let written = try write(slices, index, to: provisional)
      let memoryBytes = slices.reduce(0) { $0.saturatingSum($1.batch.byteCount(offset: $1.offset, count: $1.count)) }
      fresh[index] = provisional
      parts.append(
        part(index, PersistedFolder.partName(index, content: written.content), written.byteCount, memoryBytes, try batchRows(provisional)))
    }
    return (parts, fresh)
  }

  private func part(_ index: Int, _ name: String, _ byteCount: Int, _ memoryBytes: Int, _ batchRows: [Int]) -> Manifest.Part {
    Manifest.Part(
      name: name, byteCount: byteCount, memoryBytes: memoryBytes, batchRows: batchRows, statistics: statistics[index] ?? [:])
  }

  private func rows(_ index: Int) throws(CacheError) -> [RecordBatchSlice] {
    guard entry.partitions.indices.contains(index) else { return [] }
    var slices: [RecordBatchSlice] = []
    for slice in entry.partitions[index].slices {
      slices += try entry.segments[slice.segmentIndex].readPlain(offset: slice.offset, count: slice.count)
    }
    return slices
  }

  /// The hash of the rows as an uncompressed file of one thread, and of how they are compressed.
  private func content(_ slices: [RecordBatchSlice], _ index: Int) throws(CacheError) -> String {
    let hashing = HashingFiles(over: nil, salt: salt)
    try IPCWriter(files: hashing, options: options(index, .none, threads: 1)).write(slices, schema: entry.schema, to: folder.path)
    return hashing.digits
  }

  private var salt: UInt64 { XXHash64("\(compression.rawValue) \(compression == .none ? 0 : level)".utf8).value }

  private func write(_ slices: [RecordBatchSlice], _ index: Int, to path: String) throws(CacheError) -> (content: String, byteCount: Int) {
    guard compression == .none else {
      let facts = try IPCWriter(files: files, options: options(index, compression, threads: threadCount))
        .write(slices, schema: entry.schema, to: path)
      return (try content(slices, index), facts.byteCount)
    }
    let hashing = HashingFiles(over: files, salt: salt)
    let facts = try IPCWriter(files: hashing, options: options(index, .none, threads: 1)).write(slices, schema: entry.schema, to: path)
    return (hashing.digits, facts.byteCount)
  }

  private func options(_ index: Int, _ compression: IPCCompression, threads: Int) -> IPCWriteOptions {
    var options = IPCWriteOptions()
    (options.compression, options.level, options.threadCount) = (compression, level, threads)
    options.metadata = PersistedFile.identity(key: entry.key, kind: entry.kind, partition: index)
    options.isCancelled = isCancelled
    return options
  }

  private func batchRows(_ path: String) throws(CacheError) -> [Int] {
    let file = try IPCFile(path, files: files)
    var rows: [Int] = []
    for batch in 0..<file.batchCount { rows.append(try file.rowCount(batch)) }
    return rows
  }

  /// Makes files durable, several at a time so that the disk always has something to do, and then gives them their names.
  private func settle(_ parts: [Manifest.Part], _ fresh: [Int: String]) throws(CacheError) {
    let written = fresh.sorted { $0.key < $1.key }
    try parallel(count: written.count, threads: min(Self.syncThreads, written.count)) { _, index throws(CacheError) in
      try files.synchronize(try files.open(written[index].value))
    }
    for (index, provisional) in written { try files.rename(provisional, to: "\(folder.path)/\(parts[index].name)") }
  }

  private static let syncThreads = 8
}
