import CacheStore
import QueryEngine

/// What a cache holds and what it has done so far.
public struct CacheStatus: Sendable {
  public var store: StoreStatus
  /// Queries and plans that were asked for.
  public var queryCount: Int
  /// What the scans of all queries have read and skipped; it goes on counting.
  public var scans: ScanCounters
  public var duckdbVersion: String
  /// "v2" where DuckDB skips partitions by predicates (2.0), "v1" elsewhere.
  public var duckdbEngine: String
  /// What DuckDB itself has allocated, nil where it does not say.
  public var duckdbMemoryBytes: Int?
  /// Results that are kept; nil where none are.
  public var results: ResultCounters?
  /// Queries that a kept plan has answered.
  public var planHits: Int
  /// How often the catalog could not be written, and why, where it is out of date by that.
  public var catalogFailures: Int
  public var lastCatalogFailure: String?
  /// Seconds since the cache was opened.
  public var uptimeSeconds: Double
}
