import Glibc
import Primitives

/// A sub-folder of the spill directory that belongs to one process, for as long as that holds the lock in it.
///
/// ```
/// <spill directory>/arrow-cache-<process>-<random>/lock           locked as long as the owner lives
///                                                  <number>.arrow  spilled rows
///                                                  queries/        DuckDB's temporary files
/// ```
/// Another process takes a folder whose lock is free for left over and removes it. One that has just been made has no lock yet: such
/// a folder is only removed where it is empty, and its maker, finding it gone, makes another.
final class SpillHome: Sendable {
  static let lockName = "lock"
  static let queriesName = "queries"
  private static let prefix = "arrow-cache-"

  let path: String
  let name: String
  private let lock: FileLock
  private let process = getpid()

  private init(path: String, name: String, lock: FileLock) { (self.path, self.name, self.lock) = (path, name, lock) }

  var queriesPath: String { "\(path)/\(Self.queriesName)" }

  /// Makes a folder in `parent` and locks it; `preferred` is its name where that is free.
  static func make(in parent: String, preferred: String? = nil, files: any FileSystem) throws(CacheError) -> SpillHome {
    var name = preferred ?? newName()
    for _ in 0..<16 {
      defer { name = newName() }
      do throws(CacheError) {
        try files.makeFolders(parent, isDurable: false)
        let path = "\(parent)/\(name)"
        if try files.makeFolder(path), let lock = try lock(path, files) { return SpillHome(path: path, name: name, lock: lock) }
      } catch {
        // Somebody has removed the folder, or the one that it is in, between two steps.
        guard error.isMissingFile else { throw error }
      }
    }
    throw CacheError(.storage, "cannot make a folder in '\(parent)': others remove it again and again")
  }

  /// nil: whoever sweeps has come first.
  private static func lock(_ path: String, _ files: any FileSystem) throws(CacheError) -> FileLock? {
    do throws(CacheError) {
      let owner = "process \(getpid()) keeps spilled tables of arrow_cache here; the folder goes with it\n"
      if case .acquired(let lock) = try files.lock("\(path)/\(lockName)", owner: owner) { return lock }
      return nil
    } catch {
      attempt { () throws(CacheError) in try files.unlink("\(path)/\(lockName)") }
      attempt { () throws(CacheError) in try files.removeFolder(path) }
      throw error
    }
  }

  private static func newName() -> String { "\(prefix)\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36))" }

  /// Whether a folder of this name is one of ours, of whatever process.
  static func isHome(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "arrow" && parts[1] == "cache" && UInt32(parts[2]) != nil && UInt64(parts[3], radix: 36) != nil
  }

  /// Whether a file of this name is one that is made in such a folder.
  static func isOwnFile(_ name: String) -> Bool {
    guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")), UInt64(name[..<dot]) != nil else { return false }
    let rest = name[dot...]
    return rest == ".arrow" || rest.hasPrefix(".arrow.tmp.") && AtomicFile.isTemporary(name)
  }

  /// Removes what is ours, and the folder where nothing else is in it. In a child made by fork it does nothing.
  func remove(_ files: any FileSystem) {
    guard process == getpid() else { return }
    Self.clear(path, files)
    lock.release()
  }

  /// Removes the files in a folder whose lock is held, and it; what is foreign stays, and the folder with it.
  static func clear(_ path: String, _ files: any FileSystem) {
    let queries = "\(path)/\(queriesName)"
    attempt { () throws(CacheError) in
      for name in try files.list(path) where isOwnFile(name) { attempt { () throws(CacheError) in try files.unlink("\(path)/\(name)") } }
    }
    attempt { () throws(CacheError) in
      guard let status = try files.status(queries), status.isFolder, !status.isLink else { return }
      for name in try files.list(queries) where name.hasPrefix("duckdb_temp_") {
        attempt { () throws(CacheError) in try files.unlink("\(queries)/\(name)") }
      }
      try files.removeFolder(queries)
    }
    attempt { () throws(CacheError) in try files.unlink("\(path)/\(lockName)") }
    attempt { () throws(CacheError) in try files.removeFolder(path) }
  }
}

/// Does what may fail: what is left over then is swept by whoever comes next.
func attempt(_ body: () throws(CacheError) -> Void) {
  do throws(CacheError) { try body() } catch {}
}
