import Glibc
import Primitives

/// The folder that a store keeps its entries in beyond its own life. One store at a time has it.
final class Storage: Sendable {
  static let lockName = "storage.lock"

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
    try PersistedFolder.makeFolders(self.path, files)
    switch try files.lock("\(self.path)/\(Self.lockName)", owner: "process \(getpid()) keeps a cache of arrow_cache here\n") {
    case .acquired(let lock): self.lock = Locked(lock)
    case .held(let owner):
      let owner = owner.isEmpty ? "another process" : String(owner.prefix { $0 != "\n" })
      throw CacheError(
        .storage, "storage_path '\(self.path)' is in use (\(owner)): close that cache, give another storage_path, or `load` single entries from it")
    }
  }

  func folder(_ key: String) -> PersistedFolder { PersistedFolder(key: key, in: path, files: files) }

  /// Every folder that has a manifest, with what that says, or why it cannot be read. What killed processes have left without one goes.
  func contents() throws(CacheError) -> [(folder: PersistedFolder, manifest: Manifest?, failure: CacheError?)] {
    var found: [(folder: PersistedFolder, manifest: Manifest?, failure: CacheError?)] = []
    for name in try files.list(path) where name != Self.lockName {
      let folder = PersistedFolder(path: "\(path)/\(name)", files: files)
      do throws(CacheError) {
        if let manifest = try Manifest.read(in: folder.path, files: files) {
          found.append((folder, manifest, nil))
        } else if PersistedFolder.isFolderName(name) {
          folder.remove()
        }
      } catch {
        if error.systemError != ENOTDIR { found.append((folder, nil, error)) }
      }
    }
    return found
  }

  /// Removes what a key has here; it is not there any more after a power cut either. What is mapped stays readable.
  func forget(_ folder: PersistedFolder) throws(CacheError) {
    guard try files.unlink("\(folder.path)/\(Manifest.name)") else { return folder.remove() }
    try files.synchronizeFolder(folder.path)
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
        for (folder, manifest, _) in try contents() where manifest.map({ !$0.isKept }) ?? false {
          attempt { () throws(CacheError) in try forget(folder) }
        }
      }
    }
    attempt { () throws(CacheError) in try files.unlink(held.path) }
    held.release()
    if hasMadeFolder { attempt { () throws(CacheError) in try files.removeFolder(path) } }
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
