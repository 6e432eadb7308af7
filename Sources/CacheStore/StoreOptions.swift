import Primitives

/// How a store keeps its entries.
public struct StoreOptions: Sendable {
  /// Most bytes that entries may hold together; nil: no limit.
  public var memoryLimitBytes: Int?
  /// "lru", "lfu", "fifo", "size" or "ttl": which entry goes first when the limit is reached.
  public var evictionPolicy = "lru"
  /// Most rows of a partition.
  public var partitionSizeRows = 100_000
  /// Most bytes of a partition, by the average row of each batch.
  public var partitionSizeBytes = 50 << 20
  /// Whether entries are cut into partitions where a put does not say.
  public var autoPartition = true

  public init() {}

  func validate() throws(CacheError) {
    func require(_ name: String, _ value: Int, atLeast least: Int) throws(CacheError) {
      guard value >= least else { throw CacheError(.configuration, "\(name) is \(value): needs at least \(least)") }
    }
    try require("partition_size_rows", partitionSizeRows, atLeast: 1)
    try require("partition_size_bytes", partitionSizeBytes, atLeast: 1)
    if let memoryLimitBytes { try require("memory_limit", memoryLimitBytes, atLeast: 0) }
  }
}
