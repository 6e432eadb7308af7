import Glibc

/// A file that is open; closed with its last reference. Threads may write to different parts of it at once.
public final class OpenFile: Sendable {
  public let path: String
  let descriptor: Int32

  init(path: String, descriptor: Int32) { (self.path, self.descriptor) = (path, descriptor) }

  deinit { close(descriptor) }
}

/// A whole file as read-only memory, unmapped with its last reference; removing the file's name does not disturb it.
///
/// Shares its pages with the page cache. A file that someone cuts short while it is mapped stops the process when the missing
/// part is read: files are never changed in place.
public final class FileMapping: @unchecked Sendable {
  public let path: String
  public let bytes: UnsafeRawBufferPointer

  /// Takes over a mapping, which is empty where the file is.
  init(path: String, bytes: UnsafeRawBufferPointer) { (self.path, self.bytes) = (path, bytes) }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }

  /// Whether an address lies in the mapping.
  public func contains(_ address: UInt) -> Bool {
    guard let start = bytes.baseAddress else { return false }
    return address >= UInt(bitPattern: start) && address - UInt(bitPattern: start) < UInt(bytes.count)
  }
}
