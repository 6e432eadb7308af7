import Primitives

/// How a store keeps its entries.
public struct StoreOptions: Sendable {
  /// Most bytes that entries may hold together; nil: no limit.
  public var memoryLimitBytes: Int?
  /// "lru", "lfu", "fifo", "size" or "ttl": which entry goes first when the limit is reached.
  public var evictionPolicy = "lru"
  /// Most rows of a partition.
  public var partitionSizeRows = 100_000
  /// Bytes beyond which a partition takes no more rows, by the average row of each batch.
  public var partitionSizeBytes = 50 << 20
  /// Whether entries are cut into partitions where a put does not say.
  public var autoPartition = true

  public init() {}
}
