/// What a `FileSystem` can be asked to do; a hint is no operation.
public enum FileOperation: String, Sendable, CaseIterable {
  case create, open, write, read, preallocate, synchronize, synchronizeFolder, rename, unlink, makeFolder, removeFolder, list, status
  case map, freeBytes, lock
}

/// Files that fail where a test says so, over files that work. Counts every call, and can call the test before each.
public final class FaultyFiles: FileSystem {
  public struct Fault: Sendable {
    public enum Effect: Sendable {
      /// The call does nothing and throws, as the system would with this error number.
      case error(Int32)
      /// A write takes only so many bytes, which is no error.
      case shortWrite(byteCount: Int)
    }

    public let operation: FileOperation
    /// The first call of the operation that is meant, counted from 1.
    public let call: Int
    public let effect: Effect
    /// Whether every later call is meant too.
    public let isLasting: Bool

    public init(_ operation: FileOperation, call: Int = 1, _ effect: Effect, isLasting: Bool = false) {
      (self.operation, self.call, self.effect, self.isLasting) = (operation, call, effect, isLasting)
    }
  }

  /// Called with the operation, its path and the number of calls before it, of any operation; may end the process.
  public typealias Hook = @Sendable (FileOperation, String, Int) -> Void

  private struct State {
    var faults: [Fault]
    var counts: [FileOperation: Int] = [:]
    var total = 0
    var failed: [String] = []
    /// From which call on, of any operation, every one fails.
    var end: (total: Int, errorNumber: Int32)?
  }

  private let files: any FileSystem
  private let hook: Hook?
  private let state: Locked<State>

  public init(_ faults: [Fault] = [], over files: any FileSystem = SystemFiles(), hook: Hook? = nil) {
    (self.files, self.hook) = (files, hook)
    state = Locked(State(faults: faults))
  }

  /// Calls so far, those that failed included.
  public var counts: [FileOperation: Int] { state.withLock { $0.counts } }
  public var total: Int { state.withLock { $0.total } }
  /// What calls that were made to fail were about, those of short writes included.
  public var failedPaths: [String] { state.withLock { $0.failed } }

  /// Puts other faults in place of those that are left; their calls are counted from here on.
  public func replaceFaults(_ faults: [Fault]) {
    state.withLock { state in
      state.faults = faults
      state.counts = [:]
      state.end = nil
    }
  }

  /// Has every call fail after so many more of any operation, as if the disk were gone.
  public func end(after callCount: Int, errorNumber: Int32) { state.withLock { $0.end = ($0.total + callCount, errorNumber) } }

  /// Counts a call; returns how many bytes a short write may take, if it is one.
  @discardableResult
  private func enter(_ operation: FileOperation, _ path: String) throws(CacheError) -> Int? {
    let (effect, before) = state.withLock { (state: inout State) -> (Fault.Effect?, Int) in
      let before = state.total
      state.total += 1
      let call = (state.counts[operation] ?? 0) + 1
      state.counts[operation] = call
      let fault = state.faults.first { $0.operation == operation && ($0.call == call || $0.isLasting && $0.call < call) }
      if let end = state.end, before >= end.total { return (.error(end.errorNumber), before) }
      if fault != nil { state.failed.append("\(operation) \(path)") }
      return (fault?.effect, before)
    }
    hook?(operation, path, before)
    switch effect {
    case .error(let errorNumber): throw .file(operation.rawValue, path, errorNumber: errorNumber)
    case .shortWrite(let byteCount): return byteCount
    case nil: return nil
    }
  }

  public func create(_ path: String) throws(CacheError) -> OpenFile {
    try enter(.create, path)
    return try files.create(path)
  }

  public func open(_ path: String) throws(CacheError) -> OpenFile {
    try enter(.open, path)
    return try files.open(path)
  }

  public func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int) throws(CacheError) -> Int {
    guard let limit = try enter(.write, file.path) else { return try files.write(bytes, to: file, at: offset) }
    return limit == 0 ? 0 : try files.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(limit)), to: file, at: offset)
  }

  public func read(_ path: String, limitBytes: Int) throws(CacheError) -> [UInt8] {
    try enter(.read, path)
    return try files.read(path, limitBytes: limitBytes)
  }

  public func preallocate(_ file: OpenFile, offset: Int, byteCount: Int) throws(CacheError) {
    try enter(.preallocate, file.path)
    try files.preallocate(file, offset: offset, byteCount: byteCount)
  }

  public func synchronize(_ file: OpenFile) throws(CacheError) {
    try enter(.synchronize, file.path)
    try files.synchronize(file)
  }

  public func synchronizeFolder(_ path: String) throws(CacheError) {
    try enter(.synchronizeFolder, path)
    try files.synchronizeFolder(path)
  }

  public func rename(_ path: String, to target: String) throws(CacheError) {
    try enter(.rename, path)
    try files.rename(path, to: target)
  }

  @discardableResult
  public func unlink(_ path: String) throws(CacheError) -> Bool {
    try enter(.unlink, path)
    return try files.unlink(path)
  }

  @discardableResult
  public func makeFolder(_ path: String) throws(CacheError) -> Bool {
    try enter(.makeFolder, path)
    return try files.makeFolder(path)
  }

  @discardableResult
  public func removeFolder(_ path: String) throws(CacheError) -> Bool {
    try enter(.removeFolder, path)
    return try files.removeFolder(path)
  }

  public func list(_ path: String) throws(CacheError) -> [String] {
    try enter(.list, path)
    return try files.list(path)
  }

  public func status(_ path: String) throws(CacheError) -> FileStatus? {
    try enter(.status, path)
    return try files.status(path)
  }

  public func map(_ path: String) throws(CacheError) -> FileMapping {
    try enter(.map, path)
    return try files.map(path)
  }

  public func advise(_ advice: FileAdvice, _ file: OpenFile, offset: Int, byteCount: Int) {
    files.advise(advice, file, offset: offset, byteCount: byteCount)
  }

  public func advise(_ advice: FileAdvice, _ mapping: FileMapping, offset: Int, byteCount: Int) {
    files.advise(advice, mapping, offset: offset, byteCount: byteCount)
  }

  public func freeBytes(_ path: String) throws(CacheError) -> Int {
    try enter(.freeBytes, path)
    return try files.freeBytes(path)
  }

  public func lock(_ path: String, owner: String) throws(CacheError) -> FileLockResult {
    try enter(.lock, path)
    return try files.lock(path, owner: owner)
  }
}
