/// How an entry has been used, and until when it lives. Times are seconds since 1970.
public struct AccessRecord: Hashable, Sendable {
  public internal(set) var lastAccessedAt: Double
  public internal(set) var accessCount: Int
  /// nil: for ever.
  public internal(set) var expiresAt: Double?
}
