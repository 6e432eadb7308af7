import ArrowData
import Glibc
import Primitives
import Synchronization

/// Where one cache spills to: a folder of its own in the spill directory, made when it is first needed, gone with the cache.
///
/// Making it sweeps what killed processes have left there. When somebody removes it, the next write makes it anew; rows that were in
/// files without a reader are lost then, and reading them says so. Any thread may call anything; nothing is locked while it works.
public final class SpillFolder: Sendable {
  private struct State {
    var home: SpillHome?
    var isMaking = false
    var isClosed = false
    /// Whether the spill directory itself was made here.
    var hasMadeParent = false
  }

  private enum Step {
    case use(SpillHome)
    case make(preferred: String?)
    case closed
  }

  /// The spill directory, from the root.
  public let parent: String
  public let options: SpillOptions
  let files: any FileSystem
  let mappings: OpenMappings
  private let state = Locked(State())
  private let process = getpid()
  private let nextNumber = Atomic(1)
  private let counts = SpillCounts()
  private let live = Locked<[ObjectIdentifier: WeakFile]>([:])

  /// `parent` is made when it is needed; from the working directory where it does not start with a slash.
  ///
  /// Throws `.configuration` for what is no path.
  public init(
    parent: String, options: SpillOptions = SpillOptions(), files: any FileSystem = SystemFiles()
  ) throws(CacheError) {
    guard !parent.isEmpty, !parent.utf8.contains(0) else {
      throw CacheError(.configuration, "spill_directory is empty or has a zero byte: give the path of a folder")
    }
    self.parent = try absolutePath(parent)
    (self.options, self.files) = (options, files)
    mappings = OpenMappings(limit: options.mappedFileLimit)
  }

  deinit { close() }

  /// Where the files are; nil before the first write and after `close`.
  public var path: String? { state.withLock { $0.home?.path } }

  /// Spilled files that are there, their bytes on disk, and how many could not be removed.
  public var fileCount: Int { counts.files.load(ordering: .relaxed) }
  public var fileBytes: Int { counts.bytes.load(ordering: .relaxed) }
  public var unremovedCount: Int { counts.unremoved.load(ordering: .relaxed) }

  /// Writes a batch to a file of its own, a record batch for each of `pieces`, which are all of its rows, in order.
  ///
  /// Blocks for as long as the system takes to copy the bytes, not for the disk. Throws `.storage` where the disk fails or is full
  /// (`isOutOfSpace`), `.type` for what Arrow files cannot hold, `.interrupted` once `isCancelled` says so, which is asked before
  /// each piece, `.closed` after `close`; nothing is left behind then.
  public func write(
    _ batch: RecordBatch, pieces: [Range<Int>], schema: Schema, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> SpillFile {
    let pieces = try checkedPieces(pieces, rowCount: batch.rowCount)
    return try write(
      pieces.map { RecordBatchSlice(batch, offset: $0.lowerBound, count: $0.count) }, schema: schema, isCancelled: isCancelled)
  }

  /// As above, a record batch for each slice. `companion` is kept as long as the file is there.
  public func write(
    _ slices: [RecordBatchSlice], schema: Schema, keeping companion: (any AnyObject & Sendable)? = nil,
    isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> SpillFile {
    let slices = slices.filter { $0.count > 0 }
    var pieces: [Range<Int>] = []
    for slice in slices {
      let start = pieces.last?.upperBound ?? 0
      pieces.append(start..<start + slice.count)
    }
    let file = try inHome { home throws(CacheError) in
      let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
      let identity = KeyValue(key: SpillFile.identityKey, value: [UInt8]("\(home.name)/\(number)".utf8))
      var writing = IPCWriteOptions()
      writing.compression = options.compression
      writing.level = options.level
      writing.threadCount = options.threadCount
      writing.mergesSlices = false
      writing.metadata = [identity]
      writing.isCancelled = isCancelled
      let path = "\(home.path)/\(number).arrow"
      let facts = try IPCWriter(files: files, options: writing).write(slices, schema: schema, to: path)
      return SpillFile(path, facts, pieces: pieces, schema: schema, identity: identity, folder: self, counts: counts, keeping: companion)
    }
    // Closed meanwhile: the folder has been cleared without this file, which goes here.
    if state.withLock({ $0.isClosed }) {
      let folder = folder(of: file.path)
      attempt { () throws(CacheError) in try files.unlink(file.path) }
      SpillHome.clear(folder, files)
      removeParent()
      throw Self.closed
    }
    return file
  }

  /// The folder for DuckDB's temporary files; it is there when this returns.
  public var queryFolder: String {
    get throws(CacheError) {
      try inHome { home throws(CacheError) in
        try files.makeFolder(home.queriesPath)
        return home.queriesPath
      }
    }
  }

  /// The bytes of DuckDB's temporary files.
  public func queryBytes() -> Int {
    guard let queries = state.withLock({ $0.home?.queriesPath }) else { return 0 }
    var total = 0
    attempt { () throws(CacheError) in
      guard try files.status(queries) != nil else { return }
      for name in try files.list(queries) { total += try files.status("\(queries)/\(name)")?.byteCount ?? 0 }
    }
    return total
  }

  /// Removes the folder and all of ours in it, and the spill directory where it was made here and is empty. Files that are mapped
  /// stay readable. Nothing can be written afterwards. In a child made by fork it does nothing.
  public func close() {
    guard process == getpid() else { return }
    let home = state.signal { state in
      defer { (state.home, state.isClosed) = (nil, true) }
      return state.home
    }
    guard let home else { return }
    // What is still held is held by readers. A file that cannot be mapped any more is lost, as the reader will be told.
    for file in live.withLock({ $0.values.compactMap(\.file) }) { attempt { () throws(CacheError) in try file.keepMapped() } }
    home.remove(files)
    removeParent()
  }

  /// Removes the spill directory where it was made here and nothing is in it.
  private func removeParent() {
    guard state.withLock({ $0.hasMadeParent }) else { return }
    attempt { () throws(CacheError) in try files.removeFolder(parent) }
  }

  func noteOpen(_ file: SpillFile) { live.withLock { $0[ObjectIdentifier(file)] = WeakFile(file: file) } }
  func noteGone(_ file: ObjectIdentifier) { _ = live.withLock { $0.removeValue(forKey: file) } }

  /// Does something in the folder, which is made anew, once, where it has vanished.
  private func inHome<Result>(_ body: (SpillHome) throws(CacheError) -> Result) throws(CacheError) -> Result {
    do throws(CacheError) {
      let home = try home()
      do throws(CacheError) {
        return try body(home)
      } catch {
        guard error.isMissingFile, try files.status(home.path) == nil else { throw error }
        return try body(try self.home(insteadOf: home))
      }
    } catch {
      guard error.code == .storage else { throw error }
      throw CacheError(
        .storage, "cannot spill: \(error.message) (the folder is set by spill_directory)", cause: error.cause,
        systemError: error.systemError)
    }
  }

  private func home(insteadOf gone: SpillHome? = nil) throws(CacheError) -> SpillHome {
    guard process == getpid() else {
      throw CacheError(.fork, "the cache was made in process \(process), this is \(getpid()): make a new one after fork")
    }
    // Let go of with no lock held: its own lock is a file to close.
    var old: SpillHome?
    let step = state.wait { state -> Step? in
      if state.isClosed { return .closed }
      if state.isMaking { return nil }
      if let home = state.home, home !== gone { return .use(home) }
      state.isMaking = true
      old = state.home
      return .make(preferred: old?.name)
    }
    defer { withExtendedLifetime(old) {} }
    switch step {
    case .use(let home): return home
    case .make(let preferred): return try make(preferred)
    case .closed, nil: throw Self.closed
    }
  }

  private func make(_ preferred: String?) throws(CacheError) -> SpillHome {
    let isParentMissing: Bool
    let made: SpillHome
    do throws(CacheError) {
      isParentMissing = try files.status(parent) == nil
      made = try SpillHome.make(in: parent, preferred: preferred, files: files)
    } catch {
      state.signal { $0.isMaking = false }
      throw error
    }
    let isClosed = state.signal { state in
      state.isMaking = false
      if !state.isClosed { state.home = made }
      state.hasMadeParent = state.hasMadeParent || isParentMissing
      return state.isClosed
    }
    guard !isClosed else {
      made.remove(files)
      removeParent()
      throw Self.closed
    }
    sweepSpillFolders(in: parent, besides: made.name, files: files)
    return made
  }

  private static var closed: CacheError { CacheError(.closed, "the cache has been closed: nothing can be spilled any more") }

  private func checkedPieces(_ pieces: [Range<Int>], rowCount: Int) throws(CacheError) -> [Range<Int>] {
    var end = 0
    for piece in pieces {
      guard piece.lowerBound == end else { throw CacheError(.argument, "the pieces to spill leave out or repeat rows at \(end)") }
      end = piece.upperBound
    }
    guard end == rowCount else { throw CacheError(.argument, "the pieces to spill have \(end) rows of \(rowCount)") }
    return pieces.filter { !$0.isEmpty }
  }
}

private struct WeakFile: @unchecked Sendable { weak var file: SpillFile? }

/// What is in a folder, counted by the files themselves.
final class SpillCounts: Sendable {
  let files = Atomic(0)
  let bytes = Atomic(0)
  let unremoved = Atomic(0)
}

/// The path from the root, without slashes at its end.
package func absolutePath(_ path: String) throws(CacheError) -> String {
  var result = path
  if !path.utf8.starts(with: "/".utf8) {
    guard let here = getcwd(nil, 0) else { throw .file("find the working directory for", path, errorNumber: errno) }
    result = "\(String(cString: here))/\(path)"
    free(here)
  }
  while result.utf8.count > 1, result.utf8.last == UInt8(ascii: "/") { result = String(result.utf8.dropLast()) ?? result }
  return result
}
