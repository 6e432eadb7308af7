import Glibc

/// A file that comes to be whole under its name, or not at all.
///
/// It is written under a temporary name in the same folder, `<name>.tmp.<process>.<random>`, and given its own name at the end.
/// Dropped before that, or when publishing fails, it is gone without a trace. A killed process leaves the temporary file behind:
/// whoever owns the folder removes those, which `isTemporary` knows.
public final class AtomicFile: @unchecked Sendable {
  public let path: String
  public let files: any FileSystem
  private let temporaryPath: String
  private var file: OpenFile?

  public init(_ path: String, files: any FileSystem) throws(CacheError) {
    (self.path, self.files) = (path, files)
    temporaryPath = "\(path).tmp.\(getpid()).\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    file = try files.create(temporaryPath)
  }

  deinit { discard() }

  /// Whether a file of this name is one that was never published.
  public static func isTemporary(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count >= 4 && parts[parts.count - 3] == "tmp" && UInt32(parts[parts.count - 2]) != nil
  }

  /// Any number of threads may write, to different parts.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(CacheError) {
    try files.writeAll(bytes, to: try opened(), at: offset)
  }

  public func preallocate(offset: Int, byteCount: Int) throws(CacheError) {
    try files.preallocate(try opened(), offset: offset, byteCount: byteCount)
  }

  /// Only a hint.
  public func advise(_ advice: FileAdvice, offset: Int, byteCount: Int) {
    if let file { files.advise(advice, file, offset: offset, byteCount: byteCount) }
  }

  /// Gives the file its name; on error the temporary file has been removed.
  ///
  /// - Parameters:
  ///   - isDurable: return only when the file and its name survive a power cut.
  ///   - replaces: takes the place of a file that has the name; false throws where there is one, and leaves nothing behind
  ///     where the name could not be made durable.
  ///   - leavesPageCache: hints that nobody will read the file soon; what is on the disk by then leaves the page cache.
  public func publish(isDurable: Bool, replaces: Bool = false, leavesPageCache: Bool = false) throws(CacheError) {
    let written = try opened()
    do throws(CacheError) {
      if !replaces, try files.status(path) != nil { throw .file("write", path, errorNumber: EEXIST) }
      if isDurable { try files.synchronize(written) }
      if leavesPageCache { files.advise(.dontNeed, written, offset: 0, byteCount: 0) }
      try files.rename(temporaryPath, to: path)
    } catch {
      discard()
      throw error
    }
    file = nil
    guard isDurable else { return }
    do throws(CacheError) {
      try files.synchronizeFolder(folder(of: path))
    } catch {
      if !replaces { remove(path) }
      throw error
    }
  }

  public func discard() {
    guard file != nil else { return }
    file = nil
    remove(temporaryPath)
  }

  /// What cannot be removed is swept when the folder is opened next: the error that led here is the one to tell.
  private func remove(_ path: String) {
    do throws(CacheError) { try files.unlink(path) } catch {}
  }

  private func opened() throws(CacheError) -> OpenFile {
    guard let file else { throw CacheError(.storage, "'\(path)' has been published or discarded: write a new file") }
    return file
  }
}
