/// What has been moved and removed so far.
public struct TierCounters: Hashable, Sendable {
  public struct Tally: Hashable, Sendable {
    public var count = 0
    public var bytes = 0
    /// Counts by cause.
    public var causes: [String: Int] = [:]
  }

  /// Segments that went to disk, with their bytes in memory.
  public var spilled = Tally()
  /// Segments that came back to memory.
  public var loaded = Tally()
  /// Entries that were removed because room was needed, with their bytes in memory and on disk.
  public var evicted = Tally()
  public var expired = Tally()
  /// Bytes written to disk.
  public var writtenBytes = 0
  public var writeSeconds = 0.0
  /// Writes that failed, and the words of the last failure.
  public var spillFailures = 0
  public var lastSpillFailure: String?
  /// Entries that were removed since their rows on disk could not be read any more.
  public var lostCount = 0
  /// Puts that were refused.
  public var refusedCount = 0
  /// Calls that had to wait for room or make it, and how long together.
  public var waitCount = 0
  public var waitSeconds = 0.0
  /// Monotonic seconds until which nothing is written, since a write has failed.
  var pausedUntil = 0.0

  mutating func count(_ tally: WritableKeyPath<TierCounters, Tally>, _ cause: String, _ bytes: Int) {
    self[keyPath: tally].count += 1
    self[keyPath: tally].bytes = self[keyPath: tally].bytes.saturatingSum(bytes)
    self[keyPath: tally].causes[cause, default: 0] += 1
  }
}
