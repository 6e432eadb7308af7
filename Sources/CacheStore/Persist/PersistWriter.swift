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
  let isCancelled: (@Sendable () -> Bool)?
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

  var files: any FileSystem { folder.files }

  /// Returns the bytes that have been written, manifest not counted.
  func write() throws(CacheError) -> Int {
    try replacing { (old) throws(CacheError) in
      let (parts, fresh) = try writeParts(old)
      return (parts, fresh.reduce(0) { $0 + parts[$1].byteCount }, .arrow)
    }
  }

  /// Has `writeParts`, which gets the manifest that is there, make the parts that are missing, and then the manifest take its place.
  func replacing(
    _ writeParts: (Manifest?) throws(CacheError) -> (parts: [Manifest.Part], writtenBytes: Int, format: PartFormat)
  ) throws(CacheError) -> Int {
    let isNew = try files.status(folder.path) == nil
    var isWhole = false
    // What has been made in vain goes.
    defer { if isNew, !isWhole { attempt { () throws(CacheError) in try files.removeFolder(folder.path) } } }
    let lock = try folder.lockForWriting()
    defer { folder.unlock(lock) }
    let old = try knownManifest()
    let oldNames = Set(old?.parts.map(\.name) ?? [])
    do throws(CacheError) {
      let (parts, writtenBytes, format) = try writeParts(old)
      if writtenBytes > 0 { try files.synchronizeFolder(folder.path) }
      let manifest = try Manifest(
        entry, expiresAt: expiresAt, compression: compression, isKept: isKept ?? old?.isKept ?? false, order: order ?? old?.order, parts: parts,
        format: format)
      try write(manifest, unless: old)
      let names = parts.map(\.name)
      entry.persisted.withLock { $0[folder.path] = names }
      folder.sweep(keeping: Set(names))
      isWhole = true
      return writtenBytes
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

  /// What is known of a part before its rows are looked at.
  private enum Known {
    /// It is there, as this version has it.
    case there(Manifest.Part)
    /// A part that the folder has in its place.
    case maybe(Manifest.Part)
    case missing
  }

  /// Every part as the manifest will have it, those that were missing written and durable, and the numbers of these.
  private func writeParts(_ old: Manifest?) throws(CacheError) -> (parts: [Manifest.Part], fresh: [Int]) {
    let before = entry.persisted.withLock { $0[folder.path] } ?? []
    var known: [Known] = []
    // A table without a row has a file for its schema.
    for index in 0..<max(1, entry.partitions.count) { known.append(try whatIsKnown(index, old, before)) }
    let open = known.indices.filter { if case .there = known[$0] { false } else { true } }
    let interruption = CacheError(.interrupted, "persisting '\(entry.key)' was cancelled")
    let pipeline = PersistPipeline(count: open.count, writerCount: writerCount, interruption: interruption, isCancelled: isCancelled)
    let made = Locked<(parts: [Int: Manifest.Part], fresh: [Int])>(([:], []))
    try pipeline.run { number throws(CacheError) in
      let index = open[number]
      let (part, isFresh) = try write(index, known[index], pipeline)
      made.withLock { $0.parts[index] = part }
      return isFresh
    } settle: { number throws(CacheError) in
      let index = open[number]
      guard let part = made.withLock({ $0.parts[index] }) else { return }
      let provisional = provisionalPath(index)
      try files.synchronize(try files.open(provisional))
      try files.rename(provisional, to: "\(folder.path)/\(part.name)")
      made.withLock { $0.fresh.append(index) }
    }
    let written = made.withLock { $0 }
    let parts = known.enumerated().compactMap { index, known in
      if case .there(let part) = known { part } else { written.parts[index] }
    }
    return (parts, written.fresh)
  }

  /// Threads that write parts at the same time: one where each takes memory for rows that are decompressed.
  private var writerCount: Int {
    let isPlain = compression == .none && entry.segments.allSatisfy { $0.isInMemory || !($0.file?.isCompressed ?? false) }
    return isPlain ? min(max(1, threadCount), Self.mostWriters) : 1
  }

  private static let mostWriters = 8

  private func provisionalPath(_ index: Int) -> String { "\(folder.path)/\(PersistedFolder.partName(index, content: "new"))" }

  private func whatIsKnown(_ index: Int, _ old: Manifest?, _ before: [String]) throws(CacheError) -> Known {
    guard let old, old.format == .arrow, old.compression == compression, old.parts.indices.contains(index) else { return .missing }
    let known = old.parts[index]
    guard try files.status("\(folder.path)/\(known.name)")?.byteCount == known.byteCount else { return .missing }
    guard before.indices.contains(index), before[index] == known.name else { return .maybe(known) }
    return .there(part(index, known.name, known.byteCount, known.memoryBytes, known.batchRows))
  }

  /// Writes a part under a name that it has until it is durable, unless it is there already.
  private func write(_ index: Int, _ known: Known, _ pipeline: PersistPipeline) throws(CacheError) -> (part: Manifest.Part, isFresh: Bool) {
    let slices = try rows(index)
    if case .maybe(let known) = known, known.name == PersistedFolder.partName(index, content: try content(slices, index, pipeline)) {
      return (part(index, known.name, known.byteCount, known.memoryBytes, known.batchRows), false)
    }
    let provisional = provisionalPath(index)
    try files.unlink(provisional)
    let (content, facts) = try write(slices, index, to: provisional, pipeline)
    let memoryBytes = slices.reduce(0) { $0.saturatingSum($1.batch.byteCount(offset: $1.offset, count: $1.count)) }
    return (part(index, PersistedFolder.partName(index, content: content), facts.byteCount, memoryBytes, facts.batchRows), true)
  }

  /// With what is known of its columns by now.
  func part(_ index: Int, _ part: Manifest.Part) -> Manifest.Part {
    Manifest.Part(
      name: part.name, byteCount: part.byteCount, memoryBytes: part.memoryBytes, batchRows: part.batchRows, statistics: statistics[index] ?? [:],
      checksum: part.checksum)
  }

  private func part(_ index: Int, _ name: String, _ byteCount: Int, _ memoryBytes: Int, _ batchRows: [Int]) -> Manifest.Part {
    Manifest.Part(
      name: name, byteCount: byteCount, memoryBytes: memoryBytes, batchRows: batchRows, statistics: statistics[index] ?? [:])
  }

  func rows(_ index: Int) throws(CacheError) -> [RecordBatchSlice] {
    guard entry.partitions.indices.contains(index) else { return [] }
    var slices: [RecordBatchSlice] = []
    for slice in entry.partitions[index].slices {
      slices += try entry.segments[slice.segmentIndex].readPlain(offset: slice.offset, count: slice.count)
    }
    return slices
  }

  /// The hash of the rows as an uncompressed file of one thread, and of how they are compressed.
  private func content(_ slices: [RecordBatchSlice], _ index: Int, _ pipeline: PersistPipeline) throws(CacheError) -> String {
    let hashing = HashingFiles(over: nil, salt: salt)
    try IPCWriter(files: hashing, options: options(index, .none, threads: 1, pipeline)).write(slices, schema: entry.schema, to: folder.path)
    return hashing.digits
  }

  private var salt: UInt64 { XXHash64("\(compression.rawValue) \(compression == .none ? 0 : level)".utf8).value }

  private func write(
    _ slices: [RecordBatchSlice], _ index: Int, to path: String, _ pipeline: PersistPipeline
  ) throws(CacheError) -> (content: String, facts: IPCFileFacts) {
    guard compression == .none else {
      let facts = try IPCWriter(files: files, options: options(index, compression, threads: threadCount, pipeline))
        .write(slices, schema: entry.schema, to: path)
      return (try content(slices, index, pipeline), facts)
    }
    let hashing = HashingFiles(over: files, salt: salt)
    let facts = try IPCWriter(files: hashing, options: options(index, .none, threads: 1, pipeline)).write(slices, schema: entry.schema, to: path)
    return (hashing.digits, facts)
  }

  private func options(_ index: Int, _ compression: IPCCompression, threads: Int, _ pipeline: PersistPipeline) -> IPCWriteOptions {
    var options = IPCWriteOptions()
    (options.compression, options.level, options.threadCount, options.writesEarly) = (compression, level, threads, true)
    options.metadata = PersistedFile.identity(key: entry.key, kind: entry.kind, partition: index)
    options.isCancelled = { pipeline.isStopped }
    return options
  }
}
