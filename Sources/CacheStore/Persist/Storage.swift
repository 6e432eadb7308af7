import Glibc
import Primitives

/// The folder that a store keeps its entries in beyond its own life. One store at a time has it.
final class Storage: Sendable {
  static let lockName = "storage.lock"
  /// A copy of what is in the manifests, for users to query; see `CatalogWriter`.
  static let catalogName = "catalog.duckdb"

  /// From the root.
  let path: String
  let files: any FileSystem
  /// Of parts that are mapped when they are first read.
  let mappings = OpenMappings(limit: 8192)
  private let deletesFilesOnClose: Bool
  private let hasMadeFolder: Bool
  /// nil once it is closed.
  private let lock: Locked<FileLock?>
  private let process = getpid()

  /// Makes the folder where it is not there, and takes it. Throws `.storage` with the owner's words where another store has it.
  init(_ path: String, deletesFilesOnClose: Bool, files: any FileSystem) throws(CacheError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw CacheError(.configuration, "storage_path is empty or has a zero byte: give the path of a folder")
    }
    self.path = try absolutePath(path)
    (self.deletesFilesOnClose, self.files) = (deletesFilesOnClose, files)
    hasMadeFolder = try files.status(self.path) == nil
    try files.makeFolders(self.path)
    switch try files.lock("\(self.path)/\(Self.lockName)", owner: "process \(getpid()) keeps a cache of arrow_cache here\n") {
    case .acquired(let lock): self.lock = Locked(lock)
    case .held(let owner):
      let owner = owner.isEmpty ? "another process" : String(owner.prefix { $0 != "\n" })
      throw CacheError(
        .storage, "storage_path '\(self.path)' is in use (\(owner)): close that cache, give another storage_path, or open it with read_only")
    }
  }

  /// Throws `.storage` where the folder is the storage of a store that is open: what others write there, it would not know of.
  static func requireNoOwner(_ path: String, _ files: any FileSystem) throws(CacheError) {
    let lockPath = "\(path)/\(lockName)"
    for attempt in 1... {
      guard try files.status(lockPath) != nil else { return }
      guard case .held(let owner) = try files.lock(lockPath, owner: "process \(getpid()) looks whether a cache is here\n") else { return }
      guard attempt == 3 else {
        // Somebody else may be looking, as here.
        usleep(20_000)
        continue
      }
      let words = owner.isEmpty ? "another process" : String(owner.prefix { $0 != "\n" })
      throw CacheError(
        .storage, "cannot persist to '\(path)': it is the storage of a cache that is open (\(words)): persist to another folder, or close that cache")
    }
  }

  func folder(_ key: String) -> PersistedFolder { PersistedFolder(key: key, in: path, files: files) }

  /// A folder with a manifest, and what that says, or why it cannot be read.
  struct Found {
    let folder: PersistedFolder
    var manifest: Manifest?
    /// Its parts, not mapped; none where only manifests were asked for.
    var files: [PersistedFile] = []
    var failure: CacheError?
  }

  /// Every folder that has a manifest. What killed processes have left without one goes; where the parts are opened, also what no manifest
  /// names.
  func contents(opensParts: Bool = false) throws(CacheError) -> [Found] {
    let names = try files.list(path).filter { $0 != Self.lockName && !$0.hasPrefix(Self.catalogName) }
    let found = Locked([Found?](repeating: nil, count: names.count))
    let schemas = SchemaShelf()
    let chunkCount = (names.count + Self.chunk - 1) / Self.chunk
    try parallel(count: chunkCount, threads: Self.threads) { _, chunk in
      for index in chunk * Self.chunk..<min(names.count, (chunk + 1) * Self.chunk) {
        guard let item = look(names[index], schemas, opensParts: opensParts) else { continue }
        found.withLock { $0[index] = item }
      }
    }
    return found.withLock { $0.compactMap { $0 } }
  }

  private static let chunk = 64
  /// The kernel's work for a folder is most of it.
  private static let threads = 2

  private func look(_ name: String, _ schemas: SchemaShelf, opensParts: Bool) -> Found? {
    var found = Found(folder: PersistedFolder(path: "\(path)/\(name)", files: files))
    do throws(CacheError) {
      guard let manifest = try Manifest.read(in: found.folder.path, files: files) else {
        if PersistedFolder.isFolderName(name) { found.folder.remove() }
        return nil
      }
      found.manifest = manifest
      guard opensParts else { return found }
      guard folder(manifest.key).path == found.folder.path else {
        throw CacheError(.storage, "'\(found.folder.path)' has the entry '\(manifest.key)', whose folder has another name")
      }
      found.files = try PersistedFile.open(manifest, in: found.folder, mappings: mappings, schemas: schemas)
      found.folder.sweep(keeping: Set(manifest.parts.map(\.name)), unlocks: true)
    } catch {
      if error.systemError == ENOTDIR { return nil }
      found.failure = error
    }
    return found
  }

  /// Removes what a key has here; where that is to be durable, it is not there any more after a power cut either. What is mapped stays
  /// readable.
  func forget(_ folder: PersistedFolder, isDurable: Bool = true) throws(CacheError) {
    if try files.unlink("\(folder.path)/\(Manifest.name)"), isDurable { try files.synchronizeFolder(folder.path) }
    folder.remove()
  }

  /// Gives the folder up, after removing what is in it and was not persisted by name, where that is wanted. A second call does nothing, nor
  /// does one in a child made by fork.
  func close() {
    guard process == getpid() else { return }
    let held = lock.withLock { lock in
      defer { lock = nil }
      return lock
    }
    guard let held else { return }
    if deletesFilesOnClose {
      attempt { () throws(CacheError) in
        for found in try contents() where found.manifest.map({ !$0.isKept }) ?? false {
          attempt { () throws(CacheError) in try forget(found.folder, isDurable: false) }
        }
      }
    }
    if deletesFilesOnClose { removeCatalog() }
    attempt { () throws(CacheError) in try files.unlink(held.path) }
    held.release()
    if hasMadeFolder { attempt { () throws(CacheError) in try files.removeFolder(path) } }
  }

  /// Removes the catalog, and what is left of one that was being written.
  func removeCatalog() {
    for end in ["", ".wal", ".new", ".new.wal"] {
      attempt { () throws(CacheError) in try files.unlink("\(path)/\(Self.catalogName)\(end)") }
    }
  }

  /// Gives the folder up as it is: what has not been opened is not to be removed.
  func abandon() {
    guard process == getpid() else { return }
    lock.withLock { lock in
      defer { lock = nil }
      return lock
    }?.release()
  }
}
