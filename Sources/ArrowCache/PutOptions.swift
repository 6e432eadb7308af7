/// Which columns of a put are copied into memory of the cache's own.
public enum ColumnCopy: Hashable, Sendable {
  /// None: for data that nobody writes to, as Arrow's.
  case none
  /// All: for memory that somebody can still write to.
  case all
  /// The columns at these indices.
  case columns(Set<Int>)
}

/// What a put may say beside the data.
public struct PutOptions: Sendable {
  /// A word of the caller's for what the data was. Default: "arrow".
  public var kind = "arrow"
  /// JSON text of the caller's. Default: an empty object.
  public var metadata = "{}"
  /// Seconds until the entry expires, from now. Default: never.
  public var ttl: Double?
  /// Whether an entry under the same key is replaced. Default: yes; otherwise `.keyExists` is thrown.
  public var overwrite = true
  /// Whether the entry is cut into partitions. Default: as the cache's options say.
  public var autoPartition: Bool?
  /// Default: none.
  public var copy = ColumnCopy.none
  /// How long it took to make the data: what losing it would cost. Default: not known.
  public var buildSeconds: Double?
  /// What the table will take at least: one that cannot fit is refused before anything goes for it. Default: not known.
  public var expectedBytes: Int?

  public init() {}
}
