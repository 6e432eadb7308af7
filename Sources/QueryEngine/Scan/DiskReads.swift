import Glibc

/// Notices when this thread has had the system read from the disk: reading ahead pays then, and costs for nothing where all is in the
/// page cache.
struct DiskReads {
  // RUSAGE_THREAD, a macro that Swift does not see.
  private static let thisThread: Int32 = 1
  private var last = -1

  /// Whether there were any since the last call; yes in the first.
  mutating func haveHappened() -> Bool {
    var usage = rusage()
    guard getrusage(Self.thisThread, &usage) == 0 else { return true }
    defer { last = usage.ru_inblock }
    return usage.ru_inblock != last
  }
}
