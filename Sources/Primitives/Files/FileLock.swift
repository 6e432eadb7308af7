import Glibc

public enum FileLockResult: Sendable {
  case acquired(FileLock)
  /// Somebody else has it, with what they wrote into the file about themselves.
  case held(owner: String)
}

/// A lock on a file, held until it is released or the process ends, however that happens.
///
/// Keeps out other processes and other locks of this one. A child made by fork has no part in it: it can neither release it,
/// nor is it released before the child has ended or closed its files.
public final class FileLock: Sendable {
  public let path: String
  private let file: Locked<OpenFile?>
  private let process = getpid()

  init(_ file: OpenFile) {
    path = file.path
    self.file = Locked(file)
  }

  deinit { release() }

  public func release() {
    guard process == getpid() else { return }
    let held = file.withLock { file in
      defer { file = nil }
      return file
    }
    if let held { withExtendedLifetime(held) { _ = flock(held.descriptor, LOCK_UN) } }
  }
}
