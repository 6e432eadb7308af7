import Glibc

extension SystemFiles {
  @discardableResult
  public func makeFolder(_ path: String) throws(CacheError) -> Bool {
    if mkdir(path, 0o700) == 0 { return true }
    let errorNumber = errno
    if errorNumber == EEXIST, let status = try status(path), status.isFolder { return false }
    throw .file("make the folder", path, errorNumber: errorNumber)
  }

  @discardableResult
  public func removeFolder(_ path: String) throws(CacheError) -> Bool {
    if rmdir(path) == 0 { return true }
    guard errno == ENOENT else { throw .file("remove the folder", path, errorNumber: errno) }
    return false
  }

  public func list(_ path: String) throws(CacheError) -> [String] {
    guard let folder = opendir(path) else { throw .file("list", path, errorNumber: errno) }
    defer { closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        guard errno == 0 else { throw .file("list", path, errorNumber: errno) }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  public func status(_ path: String) throws(CacheError) -> FileStatus? {
    var facts = stat()
    var result = lstat(path, &facts)
    let isLink = result == 0 && facts.st_mode & S_IFMT == S_IFLNK
    if isLink { result = stat(path, &facts) }
    guard result == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .file("look at", path, errorNumber: errno)
    }
    return FileStatus(facts, isLink: isLink)
  }

  public func freeBytes(_ path: String) throws(CacheError) -> Int {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { throw .file("ask for the free space at", path, errorNumber: errno) }
    let (byteCount, overflow) = UInt(facts.f_bavail).multipliedReportingOverflow(by: UInt(facts.f_frsize))
    return overflow ? .max : Int(exactly: byteCount) ?? .max
  }

  public func lock(_ path: String, owner: String) throws(CacheError) -> FileLockResult {
    while true {
      let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else { throw .file("open the lock", path, errorNumber: errno) }
      let file = OpenFile(path: path, descriptor: descriptor)
      if let result = try withExtendedLifetime(file, { () throws(CacheError) in try lock(file, owner: owner) }) { return result }
    }
  }

  /// nil: the name belongs to another file by now, or a signal came.
  private func lock(_ file: OpenFile, owner: String) throws(CacheError) -> FileLockResult? {
    if flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
      let errorNumber = errno
      if errorNumber == EINTR { return nil }
      guard errorNumber == EWOULDBLOCK else { throw .file("lock", file.path, errorNumber: errorNumber) }
      return .held(owner: String(decoding: try read(file.path, limitBytes: 4096), as: UTF8.self))
    }
    // Whoever had it may have removed the name since it was opened: a lock on a file without a name keeps nobody out.
    var facts = stat()
    guard fstat(file.descriptor, &facts) == 0 else { throw .file("look at", file.path, errorNumber: errno) }
    guard let named = try status(file.path), named.inode == UInt64(facts.st_ino), named.device == UInt64(facts.st_dev) else { return nil }
    guard ftruncate(file.descriptor, 0) == 0 else { throw .file("write", file.path, errorNumber: errno) }
    try [UInt8](owner.utf8).withUnsafeBufferPointer { bytes throws(CacheError) in
      try writeAll(UnsafeRawBufferPointer(bytes), to: file, at: 0)
    }
    return .acquired(FileLock(file))
  }
}

extension FileStatus {
  fileprivate init(_ facts: stat, isLink: Bool) {
    self.init(
      byteCount: Int(facts.st_size), allocatedBytes: Int(facts.st_blocks) * 512, isFolder: facts.st_mode & S_IFMT == S_IFDIR,
      isLink: isLink, modifiedAt: Double(facts.st_mtim.tv_sec) + Double(facts.st_mtim.tv_nsec) / 1e9, device: UInt64(facts.st_dev),
      inode: UInt64(facts.st_ino))
  }
}
