import Glibc

/// The files of this machine.
public struct SystemFiles: FileSystem {
  public init() {}

  public func create(_ path: String) throws(CacheError) -> OpenFile {
    try descriptor("create", path, O_RDWR | O_CREAT | O_EXCL)
  }

  public func open(_ path: String) throws(CacheError) -> OpenFile {
    // O_NONBLOCK: a pipe of that name must not make the caller wait for a writer.
    try descriptor("open", path, O_RDONLY | O_NONBLOCK)
  }

  private func descriptor(_ action: String, _ path: String, _ flags: Int32) throws(CacheError) -> OpenFile {
    guard !path.utf8.contains(0) else { throw CacheError(.storage, "cannot \(action) a path with a zero byte: choose another") }
    while true {
      let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
      if descriptor >= 0 { return OpenFile(path: path, descriptor: descriptor) }
      if errno != EINTR { throw .file(action, path, errorNumber: errno) }
    }
  }

  public func write(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, at offset: Int) throws(CacheError) -> Int {
    while true {
      let count = pwrite(file.descriptor, bytes.baseAddress, bytes.count, off_t(offset))
      if count >= 0 { return count }
      if errno != EINTR { throw .file("write", file.path, errorNumber: errno) }
    }
  }

  public func read(_ path: String, limitBytes: Int) throws(CacheError) -> [UInt8] {
    let file = try open(path)
    return try withExtendedLifetime(file) { () throws(CacheError) -> [UInt8] in
      var result: [UInt8] = []
      var block = [UInt8](repeating: 0, count: min(max(limitBytes, 0), 64 << 10))
      while result.count < limitBytes {
        let wanted = min(block.count, limitBytes - result.count)
        let count = pread(file.descriptor, &block, wanted, off_t(result.count))
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .file("read", path, errorNumber: errno) }
        if count == 0 { break }
        result += block[..<count]
      }
      return result
    }
  }

  public func preallocate(_ file: OpenFile, offset: Int, byteCount: Int) throws(CacheError) {
    guard byteCount > 0 else { return }
    while true {
      let status = posix_fallocate(file.descriptor, off_t(offset), off_t(byteCount))
      switch status {
      case 0, EINVAL, EOPNOTSUPP: return  // what the file system cannot do shows when the file is written
      case EINTR: continue
      default: throw .file("make room for \(byteCount) bytes in", file.path, errorNumber: status)
      }
    }
  }

  public func synchronize(_ file: OpenFile) throws(CacheError) {
    guard fdatasync(file.descriptor) == 0 else { throw .file("make durable", file.path, errorNumber: errno) }
  }

  public func synchronizeFolder(_ path: String) throws(CacheError) {
    let folder = try descriptor("open", path, O_RDONLY | O_DIRECTORY)
    try withExtendedLifetime(folder) { () throws(CacheError) in
      guard fsync(folder.descriptor) == 0 else { throw .file("make durable the names in", path, errorNumber: errno) }
    }
  }

  public func rename(_ path: String, to target: String) throws(CacheError) {
    guard Glibc.rename(path, target) == 0 else { throw .file("rename to '\(target)' the file", path, errorNumber: errno) }
  }

  @discardableResult
  public func unlink(_ path: String) throws(CacheError) -> Bool {
    if Glibc.unlink(path) == 0 { return true }
    guard errno == ENOENT else { throw .file("remove", path, errorNumber: errno) }
    return false
  }

  public func advise(_ advice: FileAdvice, _ file: OpenFile, offset: Int, byteCount: Int) {
    let (start, count) = (off_t(max(0, offset)), off_t(max(0, byteCount)))
    switch advice {
    case .willNeed: _ = posix_fadvise(file.descriptor, start, count, POSIX_FADV_WILLNEED)
    case .dontNeed: _ = posix_fadvise(file.descriptor, start, count, POSIX_FADV_DONTNEED)
    // Linux begins to write what is not on the disk yet, and leaves that in the page cache.
    case .willSynchronize: _ = posix_fadvise(file.descriptor, start, count, POSIX_FADV_DONTNEED)
    }
  }

  public func advise(_ advice: FileAdvice, _ mapping: FileMapping, offset: Int, byteCount: Int) {
    let pageMask = Int(getpagesize()) - 1
    guard advice != .willSynchronize, let start = mapping.bytes.baseAddress, offset >= 0, byteCount > 0, offset < mapping.bytes.count
    else { return }
    let first = offset & ~pageMask
    let end = offset + min(byteCount, mapping.bytes.count - offset)
    madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, advice == .willNeed ? MADV_WILLNEED : MADV_DONTNEED)
  }

  public func map(_ path: String) throws(CacheError) -> FileMapping {
    let file = try open(path)
    return try withExtendedLifetime(file) { () throws(CacheError) -> FileMapping in
      var facts = stat()
      guard fstat(file.descriptor, &facts) == 0 else { throw .file("look at", path, errorNumber: errno) }
      guard facts.st_mode & S_IFMT == S_IFREG else { throw CacheError(.storage, "cannot map '\(path)': it is not a file") }
      let byteCount = Int(facts.st_size)
      guard byteCount > 0 else { return FileMapping(path: path, bytes: UnsafeRawBufferPointer(start: nil, count: 0)) }
      guard let start = mmap(nil, byteCount, PROT_READ, MAP_SHARED, file.descriptor, 0), start != MAP_FAILED else {
        throw .file("map", path, errorNumber: errno)
      }
      // Otherwise each page that is missing has the disk's read-ahead around it read too, 8 MiB here and there.
      madvise(start, byteCount, MADV_RANDOM)
      return FileMapping(path: path, bytes: UnsafeRawBufferPointer(start: start, count: byteCount))
    }
  }
}
