import Glibc

/// The only file calls of the engine, so that a faulty disk can take the place of the system's in tests.
///
/// All calls block. Each throws `CacheError(.storage)` with what it did, the path, the system's words and what to do about it.
public protocol FileSystem: Sendable {
  /// Makes a file that must not be there yet, for reading and writing by its owner alone.
  func create(_ path: String) throws(CacheError) -> OpenFile
  /// Opens a file for reading.
  func open(_ path: String) throws(CacheError) -> OpenFile
  /// Writes some of the bytes, at least one, and returns how many; `writeAll` writes them all.
  func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int) throws(CacheError) -> Int
  /// The file's first bytes, at most this many.
  func read(_ path: String, limitBytes: Int) throws(CacheError) -> [UInt8]
  /// Takes room on the disk for this part of the file, so that a full disk shows before anything is written.
  func preallocate(_ file: OpenFile, offset: Int, byteCount: Int) throws(CacheError)
  /// Returns once the file's bytes and its size survive a power cut.
  func synchronize(_ file: OpenFile) throws(CacheError)
  /// Returns once the folder's names survive a power cut.
  func synchronizeFolder(_ path: String) throws(CacheError)
  /// Gives a file another name, in place of what has that name.
  func rename(_ path: String, to target: String) throws(CacheError)
  /// Removes a file's name; false where there was none. Who has the file open or mapped keeps it.
  @discardableResult func unlink(_ path: String) throws(CacheError) -> Bool
  /// Makes a folder for its owner alone; false where there was one.
  @discardableResult func makeFolder(_ path: String) throws(CacheError) -> Bool
  /// Removes an empty folder; false where there was none.
  @discardableResult func removeFolder(_ path: String) throws(CacheError) -> Bool
  /// The names in a folder, in no order, without "." and "..".
  func list(_ path: String) throws(CacheError) -> [String]
  /// What is known of a file or folder; nil where there is none.
  func status(_ path: String) throws(CacheError) -> FileStatus?
  /// The file's bytes as memory, read from the disk when they are looked at.
  func map(_ path: String) throws(CacheError) -> FileMapping
  /// Tells the system how a part of a file will be used. Only a hint: failures are not told.
  func advise(_ advice: FileAdvice, _ file: OpenFile, offset: Int, byteCount: Int)
  func advise(_ advice: FileAdvice, _ mapping: FileMapping, offset: Int, byteCount: Int)
  /// Bytes that can still be written to the file system that a path is on.
  func freeBytes(_ path: String) throws(CacheError) -> Int
  /// Locks a file, made where it is not there, and writes `owner` into it; returns at once.
  func lock(_ path: String, owner: String) throws(CacheError) -> FileLockResult
}

public struct FileStatus: Hashable, Sendable {
  public let byteCount: Int
  /// What it takes on the disk: less than `byteCount` where it has holes.
  public let allocatedBytes: Int
  public let isFolder: Bool
  /// Whether the path's last part is a symbolic link; all else is told of what it leads to.
  public let isLink: Bool
  /// Seconds since 1970.
  public let modifiedAt: Double
  /// Together these two tell one file from another, whatever its name.
  public let device: UInt64
  public let inode: UInt64

  public init(byteCount: Int, allocatedBytes: Int, isFolder: Bool, isLink: Bool, modifiedAt: Double, device: UInt64, inode: UInt64) {
    (self.byteCount, self.allocatedBytes, self.isFolder, self.isLink) = (byteCount, allocatedBytes, isFolder, isLink)
    (self.modifiedAt, self.device, self.inode) = (modifiedAt, device, inode)
  }
}

public enum FileAdvice: Sendable {
  /// Will be read soon: the system starts reading it.
  case willNeed
  /// Will not be read soon: pages that are on the disk already leave the page cache.
  case dontNeed
  /// Will be made durable soon: the system starts writing it to the disk.
  case willSynchronize
}

extension FileSystem {
  /// Writes all of the bytes, in as many writes as it takes.
  public func writeAll(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int) throws(CacheError) {
    var done = 0
    while done < bytes.count {
      let count = try write(UnsafeRawBufferPointer(rebasing: bytes[done...]), to: file, at: offset + done)
      guard count > 0, count <= bytes.count - done else {
        throw CacheError(
          .storage, "cannot write '\(file.path)': the system took \(done) of \(bytes.count) bytes and then none: check the disk")
      }
      done += count
    }
  }

  /// Makes a folder and those above it that are missing; `isDurable`: their names survive a power cut when it returns.
  public func makeFolders(_ path: String, isDurable: Bool = true) throws(CacheError) {
    if let status = try status(path) {
      guard status.isFolder else { throw .file("make a folder in", path, errorNumber: ENOTDIR) }
      return
    }
    let above = folder(of: path)
    if above != path { try makeFolders(above, isDurable: isDurable) }
    try makeFolder(path)
    if isDurable { try synchronizeFolder(above) }
  }
}

/// The folder that a path's last part is in.
public func folder(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}
