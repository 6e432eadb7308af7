import ArrowData
import Primitives

/// Tables under keys, in memory, within a limit. Every call is safe from any thread.
public final class Store: @unchecked Sendable {
  public let options: StoreOptions

  public init(options: StoreOptions, clock: any Clock = SystemClock()) throws(CacheError) { self.options = options }

  /// Reads the stream to its end and keeps its rows under `key`.
  public func put(
    key: String, stream: StreamReader, kind: String, userMetadata: String, ttl: Double?, overwrite: Bool, autoPartition: Bool?,
    copyColumns: Set<Int>?, copyAll: Bool, buildSeconds: Double? = nil
  ) throws(CacheError) -> Entry { throw CacheError(.closed, "the store is closed") }

  public func lookup(_ key: String) -> Entry? { nil }
  public func peek(_ key: String) -> Entry? { nil }
  public func remove(_ key: String) -> Bool { false }
  public func clear() -> Int { 0 }
  public func keys() -> [String] { [] }
  public func contains(_ key: String) -> Bool { false }
  public func updateTTL(_ key: String, ttl: Double?) throws(CacheError) -> Bool { false }
  public func pin(_ key: String) -> Bool { false }
  public func unpin(_ key: String) {}
  public func purgeExpired() -> Int { 0 }

  /// What a table name in SQL means.
  public enum Resolution: Sendable {
    case entry(Entry)
    /// The keys that differ from the name, and from each other, by case alone.
    case ambiguous([String])
    case missing
  }

  public func resolve(_ name: String) -> Resolution { .missing }
  public func status() -> StoreStatus { StoreStatus() }
  public func close() {}
}
