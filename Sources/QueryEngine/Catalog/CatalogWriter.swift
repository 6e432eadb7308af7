import CacheStore
import Glibc
import Primitives

/// Keeps a `CatalogFile` up to date with a store, on a thread of its own: a while after something has happened, and at the end.
///
/// No call of the store waits for it. What it could not write it tries again later.
public final class CatalogWriter: @unchecked Sendable {
  /// What happens within so many seconds comes into the file at once.
  private static let pause = 1.0
  /// Writing takes at most one part in so many of the time.
  private static let share = 20.0
  /// How long use counts may stay behind where nothing else happens.
  private static let useSeconds = 30.0
  private static let retrySeconds = 5.0

  private struct State {
    var isWoken = true
    var isStopped = false
    /// nil: none runs.
    var thread: EngineThread?
    var writtenHits = -1
    var failureCount = 0
    var lastFailure: CacheError?
    var isOurs: Bool
  }

  public let path: String
  private let file: CatalogFile
  private let store: Store
  private let state: Locked<State>
  private let lock: FileLock?

  /// Opens the catalog of a store, at a path from the root, and gives the store what a catalog that is there says of the time before.
  ///
  /// - Parameter isShared: whether the file's place is the user's choice, so that another cache or something of somebody else's may be there.
  /// - Throws: `.storage` where another cache has the file or its folder cannot be made, `.configuration` where it is a database of another kind.
  public init(_ path: String, of store: Store, libraryPath: String?, isShared: Bool) throws(CacheError) {
    let files = store.options.files
    self.path = path
    self.store = store
    file = CatalogFile(path, files: files, library: try DuckDBLibrary.load(path: libraryPath))
    lock = isShared ? try Self.lock(path, files) : nil
    var isOurs = true
    // What cannot be removed keeps the file from being written, and nothing else from working.
    do throws(CacheError) { try file.removeLeftovers() } catch {}
    do throws(CacheError) {
      switch file.read(store) {
      case .catalog(let history): if store.storesEntries { store.restore(history) }
      case .missing, .otherFormat: break
      case .foreign:
        if isShared { throw CacheError(.configuration, "metadata_db_path '\(path)' is a database of something else: give a path where there is none") }
      case .unreadable(let error):
        // In a place of the user's choice it may be anything.
        if isShared {
          if try files.status(path)?.isFolder ?? false { throw error }
          try files.rename(path, to: "\(path).damaged-\(Int(SystemClock().now() * 1000))")
        }
      case .locked: isOurs = !isShared
      }
    } catch {
      Self.release(lock, files)
      throw error
    }
    state = Locked(State(isOurs: isOurs))
    store.listenToChanges { [weak self] in self?.wake() }
    start()
  }

  private static func lock(_ path: String, _ files: any FileSystem) throws(CacheError) -> FileLock {
    try files.makeFolders(folder(of: path))
    switch try files.lock("\(path).lock", owner: "process \(getpid()) keeps the catalog of a cache of arrow_cache here\n") {
    case .acquired(let lock): return lock
    case .held(let owner):
      let owner = owner.isEmpty ? "another process" : String(owner.prefix { $0 != "\n" })
      throw CacheError(.storage, "metadata_db_path '\(path)' is in use (\(owner)): close that cache or give another path")
    }
  }

  private static func release(_ lock: FileLock?, _ files: any FileSystem) {
    guard let lock else { return }
    do throws(CacheError) { try files.unlink(lock.path) } catch {}  // a lock that nobody holds keeps nobody out
    lock.release()
  }

  /// How often the file could not be written, and why the last time; nil: it has been written since.
  public var failures: (count: Int, last: CacheError?) { state.withLock { ($0.failureCount, $0.lastFailure) } }

  private func wake() { state.signal { $0.isWoken = true } }

  private func start() {
    // Without a thread it is written at the end.
    guard let thread = EngineThread({ [self] in loop() }) else { return }
    state.signal { $0.thread = thread }
  }

  private func loop() {
    var pause = Self.pause
    while rest(Self.useSeconds, untilWoken: true) {
      guard state.withLock({ $0.isWoken || $0.writtenHits != hits }) else { continue }
      guard rest(pause, untilWoken: false) else { return }
      pause = max(Self.pause, Self.share * write())
    }
  }

  /// False once it is stopped.
  private func rest(_ seconds: Double, untilWoken: Bool) -> Bool {
    let isGoingOn = state.wait(waitMillis: Int(min(seconds, 3600) * 1000)) { state -> Bool? in
      if state.isStopped { return false }
      return untilWoken && state.isWoken ? true : nil
    }
    return isGoingOn ?? true
  }

  private var hits: Int { store.hitCount }

  /// Writes the file now; returns how long that took, or how long to wait before it is tried again.
  @discardableResult
  private func write() -> Double {
    let started = SteadyClock.seconds()
    state.withLock { $0.isWoken = false }
    store.lookedAtChanges()
    let hits = hits
    do throws(CacheError) {
      if !state.withLock({ $0.isOurs }) { try claim() }
      try file.write(store)
      state.withLock { ($0.writtenHits, $0.lastFailure) = (hits, nil) }
      return SteadyClock.seconds() - started
    } catch {
      state.withLock { ($0.isWoken, $0.lastFailure, $0.failureCount) = (true, error, $0.failureCount + 1) }
      return Self.retrySeconds / Self.share
    }
  }

  /// Looks again at what another process had open.
  private func claim() throws(CacheError) {
    switch file.read(store) {
    case .missing, .otherFormat, .catalog: state.withLock { $0.isOurs = true }
    case .foreign: throw CacheError(.configuration, "metadata_db_path '\(path)' is a database of something else: give a path where there is none")
    case .unreadable(let error), .locked(let error): throw error
    }
  }

  /// Ends the thread, and writes the file a last time where that is wanted and something has happened. For the process that opened it.
  public func close(writes: Bool) {
    store.listenToChanges(nil)
    let thread = state.signal { state in
      state.isStopped = true
      return state.thread.take()
    }
    thread?.join()
    if writes, state.withLock({ $0.isWoken || $0.writtenHits != hits }) { write() }
    Self.release(lock, store.options.files)
  }
}
