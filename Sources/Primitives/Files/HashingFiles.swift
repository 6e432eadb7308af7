/// Takes the hash of what is written to new files, in the order of the writes and by where they go; one writer at a time.
///
/// Over other files it passes everything on; over none, nothing is written: it tells what a file would be.
public final class HashingFiles: FileSystem {
  private struct State {
    var hash: XXHash64
    /// Where the last write ended.
    var end = 0
    var byteCount = 0
  }

  private let files: (any FileSystem)?
  private let state: Locked<State>

  /// `salt` is hashed before all else.
  public init(over files: (any FileSystem)?, salt: UInt64) {
    self.files = files
    var hash = XXHash64()
    hash.add(salt)
    state = Locked(State(hash: hash))
  }

  /// Sixteen hexadecimal digits.
  public var digits: String { state.withLock { $0.hash.digits } }
  /// The size that the file has, or would have.
  public var byteCount: Int { state.withLock { $0.byteCount } }

  public func create(_ path: String) throws(CacheError) -> OpenFile {
    if let files { return try files.create(path) }
    return try SystemFiles().open("/dev/null")
  }

  public func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int) throws(CacheError) -> Int {
    let count = if let files { try files.write(bytes, to: file, at: offset) } else { bytes.count }
    guard count > 0, count <= bytes.count else { return count }
    state.withLock { state in
      if offset != state.end { state.hash.add(UInt64(bitPattern: Int64(offset))) }
      state.hash.add(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      state.end = offset + count
      state.byteCount = max(state.byteCount, state.end)
    }
    return count
  }

  public func preallocate(_ file: OpenFile, offset: Int, byteCount: Int) throws(CacheError) {
    try files?.preallocate(file, offset: offset, byteCount: byteCount)
  }

  public func synchronize(_ file: OpenFile) throws(CacheError) { try files?.synchronize(file) }
  public func synchronizeFolder(_ path: String) throws(CacheError) { try files?.synchronizeFolder(path) }
  public func rename(_ path: String, to target: String) throws(CacheError) { try files?.rename(path, to: target) }
  public func unlink(_ path: String) throws(CacheError) -> Bool { try files?.unlink(path) ?? false }
  public func status(_ path: String) throws(CacheError) -> FileStatus? { try files?.status(path) ?? nil }

  public func advise(_ advice: FileAdvice, _ file: OpenFile, offset: Int, byteCount: Int) {
    files?.advise(advice, file, offset: offset, byteCount: byteCount)
  }

  // What writers of files have no need of goes to the files below.
  private var below: any FileSystem { files ?? SystemFiles() }
  public func open(_ path: String) throws(CacheError) -> OpenFile { try below.open(path) }
  public func read(_ path: String, limitBytes: Int) throws(CacheError) -> [UInt8] { try below.read(path, limitBytes: limitBytes) }
  public func makeFolder(_ path: String) throws(CacheError) -> Bool { try below.makeFolder(path) }
  public func removeFolder(_ path: String) throws(CacheError) -> Bool { try below.removeFolder(path) }
  public func list(_ path: String) throws(CacheError) -> [String] { try below.list(path) }
  public func map(_ path: String) throws(CacheError) -> FileMapping { try below.map(path) }
  public func freeBytes(_ path: String) throws(CacheError) -> Int { try below.freeBytes(path) }
  public func lock(_ path: String, owner: String) throws(CacheError) -> FileLockResult { try below.lock(path, owner: owner) }

  public func advise(_ advice: FileAdvice, _ mapping: FileMapping, offset: Int, byteCount: Int) {
    below.advise(advice, mapping, offset: offset, byteCount: byteCount)
  }
}
