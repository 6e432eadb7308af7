import Glibc
import Primitives

/// A storage that another store, in this process or another, keeps and changes: read without a lock, and without changing it.
///
/// It remembers of each entry's manifest which file it was, so that a look at that tells whether there is something new.
final class StorageReader: Sendable {
  /// From the root.
  let path: String
  let files: any FileSystem
  /// Of parts that nobody has asked for yet.
  let mappings = OpenMappings(limit: 8192)
  let schemas = SchemaShelf()
  private let known = Locked<[String: Seen]>([:])
  private let damaged = Locked<Set<String>>([])

  /// What a folder had in it when it was looked at.
  struct Seen {
    let key: CacheKey
    /// Of the manifest's bytes.
    let hash: UInt64
    fileprivate var status: FileStatus
    fileprivate var lookedAt: Double
    let expiresAt: Double?
  }

  /// Throws `.storage` where the folder is not there.
  init(_ path: String, files: any FileSystem) throws(CacheError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw CacheError(.configuration, "storage_path is empty or has a zero byte: give the path of a folder")
    }
    (self.path, self.files) = (try absolutePath(path), files)
    guard try files.status(self.path)?.isFolder ?? false else {
      throw CacheError(
        .storage, "cannot open '\(self.path)' for reading only: there is no such folder; give the storage_path of a cache with persistent storage")
    }
  }

  func folder(_ key: String) -> PersistedFolder { PersistedFolder(key: key, in: path, files: files) }

  /// The folders of entries; none where the storage has gone.
  func folders() throws(CacheError) -> [PersistedFolder] {
    do throws(CacheError) {
      return try files.list(path).filter(PersistedFolder.isFolderName).map { PersistedFolder(path: "\(path)/\($0)", files: files) }
    } catch {
      guard error.isMissingFile else { throw error }
      return []
    }
  }

  func status(_ folder: PersistedFolder) throws(CacheError) -> FileStatus? { try files.status("\(folder.path)/\(Manifest.name)") }

  func seen(_ folder: PersistedFolder) -> Seen? { known.withLock { $0[folder.path] } }
  func seenFolders() -> [String] { known.withLock { Array($0.keys) } }
  func forget(_ folder: PersistedFolder) { known.withLock { $0[folder.path] = nil } }

  /// Whether this has not been asked of the folder before.
  func isNewDamage(_ folder: PersistedFolder) -> Bool { damaged.withLock { $0.insert(folder.path).inserted } }

  /// Whether a manifest is surely the one that was seen.
  func isSame(_ folder: PersistedFolder, _ status: FileStatus) -> Bool {
    guard let seen = seen(folder) else { return false }
    // Clocks of file systems move in steps, and numbers of files come again: a file that was quite new then may be another by now.
    return seen.status == status && seen.lookedAt - status.modifiedAt > Self.settlingSeconds
  }

  private static let settlingSeconds = 0.1

  func note(_ folder: PersistedFolder, _ read: Read) {
    let seen = Seen(
      key: CacheKey(read.manifest.key), hash: read.hash, status: read.status, lookedAt: read.lookedAt, expiresAt: read.manifest.expiresAt)
    known.withLock { $0[folder.path] = seen }
  }

  /// A manifest, and which file it was.
  struct Read {
    let manifest: Manifest
    let hash: UInt64
    fileprivate let status: FileStatus
    fileprivate let lookedAt: Double
  }

  /// nil: there is none. Throws `.storage` where it is damaged or of another key than its folder's, `.type` where it is of a later format.
  func read(_ folder: PersistedFolder) throws(CacheError) -> Read? {
    let path = "\(folder.path)/\(Manifest.name)"
    let lookedAt = SystemClock().now()
    // Looked at first: what changes after that shows the next time.
    guard let status = try status(folder) else { return nil }
    let bytes: [UInt8]
    do throws(CacheError) {
      bytes = try files.read(path, limitBytes: Manifest.limitBytes)
    } catch {
      guard error.isMissingFile else { throw error }
      return nil
    }
    let manifest = try Manifest(bytes, path)
    guard self.folder(manifest.key).path == folder.path else {
      throw CacheError(.storage, "'\(folder.path)' has the entry '\(manifest.key)', whose folder has another name")
    }
    return Read(manifest: manifest, hash: XXHash64(bytes).value, status: status, lookedAt: lookedAt)
  }
}
