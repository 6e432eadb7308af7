import ArrowData
import Primitives

/// When a change is in the storage.
public enum Durability: String, Sendable, CaseIterable {
  /// When the call returns.
  case full
  /// Later: changes are written in the background, in their order. `Store.flush` waits for them.
  case relaxed
}

/// How a store keeps its entries.
public struct StoreOptions: Sendable {
  /// Most bytes of memory that entries, what is kept beside them and what is made for them may take together; nil: no limit.
  public var memoryLimitBytes: Int?
  /// The share of the limit above which the coldest rows go to disk in the background.
  public var spillThreshold = 0.8
  /// Whether rows may go to disk; entries are evicted otherwise.
  public var spillsToDisk = true
  /// Where to: a folder of the store's own is made in it when the first rows go.
  public var spillDirectory = ".arrow_cache_spill"
  /// A folder that entries are kept in beyond the store; nil: they end with it.
  public var storagePath: String?
  /// When changes are there.
  public var durability = Durability.full
  /// Whether that folder is another store's, which may be changing it: read as it is at each moment, never changed.
  public var readsStorageOnly = false
  /// Whether closing removes what is there, but for entries that have been persisted by name.
  public var deletesFilesOnClose = true
  /// Most bytes on disk, DuckDB's temporary files included; nil: no limit.
  public var diskLimitBytes: Int?
  /// How files are compressed. What is not is mapped when it is read, without a copy.
  public var compression = IPCCompression.none
  public var compressionLevel = 1
  /// Threads that write and compress one file.
  public var threadCount = 1
  /// Which entry leaves memory, and which is evicted, first: see `evictionPolicies`.
  public var evictionPolicy = "lru"
  public var policyArguments: [String: Double] = [:]
  /// Most rows of a partition.
  public var partitionSizeRows = 100_000
  /// Most bytes of a partition, by the average row of each batch.
  public var partitionSizeBytes = 50 << 20
  /// Whether entries are cut into partitions where a put does not say.
  public var autoPartition = true
  /// Whether texts that repeat are kept as indices into a dictionary.
  public var dictionaryEncoding = DictionaryEncoding.whenMemoryIsShort
  /// Seconds between two looks in the background at what has expired, at most; 0: only calls look.
  public var checkInterval = 60.0
  /// The file calls; tests put a disk that fails in their place.
  public var files: any FileSystem = SystemFiles()
  /// Whether a thread works in the background. Without one, calls do what must be done, and `Store.housekeep` the rest.
  public var hasBackground = true

  public init() {}

  /// Bytes above which rows go to disk in the background.
  var thresholdBytes: Int? { memoryLimitBytes.map { Int(exactly: (Double($0) * spillThreshold).rounded(.down)) ?? $0 } }

  func validate() throws(CacheError) {
    func require(_ name: String, _ value: Int, atLeast least: Int) throws(CacheError) {
      guard value >= least else { throw CacheError(.configuration, "\(name) is \(value): needs at least \(least)") }
    }
    try require("partition_size_rows", partitionSizeRows, atLeast: 1)
    try require("partition_size_bytes", partitionSizeBytes, atLeast: 1)
    if let memoryLimitBytes { try require("memory_limit", memoryLimitBytes, atLeast: 0) }
    if let diskLimitBytes { try require("disk_limit", diskLimitBytes, atLeast: 0) }
    guard spillThreshold >= 0, spillThreshold <= 1 else {
      throw CacheError(.configuration, "memory_spill_threshold is \(spillThreshold): needs a share from 0 to 1")
    }
    guard checkInterval >= 0, checkInterval < 1e9 else {
      throw CacheError(.configuration, "check_interval is \(checkInterval): needs seconds from 0 (never) on, below 1e9")
    }
    guard !readsStorageOnly || storagePath != nil else {
      throw CacheError(.configuration, "read_only is on and there is no storage: give persistent_storage and storage_path")
    }
    guard !spillDirectory.isEmpty, !spillDirectory.utf8.contains(0) else {
      throw CacheError(.configuration, "spill_directory is empty or holds a NUL: name a folder")
    }
  }
}
