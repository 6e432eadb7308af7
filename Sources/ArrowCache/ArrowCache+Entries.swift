import ArrowData
import CArrow
import CacheStore
import Primitives

extension ArrowCache {
  /// Reads a stream to its end and keeps its rows under `key`; the stream is moved in. Returns the new version of the entry.
  ///
  /// Nothing is locked while the stream is read, and nobody sees the entry before it is whole; who holds an older version goes on reading
  /// that. `checkpoint` is called before each batch; what it throws ends the put. `isCancelled` is asked while it is written to a storage.
  ///
  /// Throws `.argument` for a key or an option that is not taken, `.keyExists`, `.stream` where the stream is malformed or fails, `.type`
  /// where it holds no table, `.memoryLimit` where it does not fit. The entry of before is still there then.
  @discardableResult
  public func put(
    _ key: String, stream: UnsafeMutablePointer<ArrowArrayStream>, options: PutOptions = PutOptions(),
    checkpoint: (() throws(CacheError) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Entry {
    defer { stream.pointee.release?(stream) }
    try checkUsable()
    guard let checkpoint else { return try put(key, reader: StreamReader(moving: stream), options, isCancelled) }
    let relay = StreamRelay(around: stream, checkpoint: checkpoint)
    do { return try put(key, reader: StreamReader(moving: stream), options, isCancelled) } catch { throw relay.failure ?? error }
  }

  private func put(
    _ key: String, reader: StreamReader, _ options: PutOptions, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(CacheError) -> Entry {
    let columns: Set<Int>? = if case .columns(let columns) = options.copy { columns } else { nil }
    for column in columns ?? [] { try checkColumn(column, of: reader.schema) }
    return try store.put(
      key: key, stream: reader, kind: options.kind, userMetadata: options.metadata, ttl: options.ttl, overwrite: options.overwrite,
      autoPartition: options.autoPartition, copyColumns: columns, copyAll: options.copy == .all, buildSeconds: options.buildSeconds,
      expectedBytes: options.expectedBytes, isCancelled: isCancelled)
  }

  /// Fills `stream` with rows `offset ..< offset + limit` (nil: to the end) of these columns (nil: all) of the entry, without a copy.
  /// Returns false where there is no such entry. Counts as a hit or a miss. Past the end of the entry: no rows.
  public func get(
    _ key: String, offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil, into stream: UnsafeMutablePointer<ArrowArrayStream>
  ) throws(CacheError) -> Bool {
    guard let entry = try lookup(key) else { return false }
    try entry.export(offset: offset, limit: limit, columns: columns, into: stream)
    return true
  }

  /// The current version of an entry, nil where there is none or it has expired. Counts as a hit or a miss.
  public func lookup(_ key: String) throws(CacheError) -> Entry? {
    try checkUsable()
    return try store.find(key, counting: true)
  }

  /// As `lookup`, without counting or touching.
  public func peek(_ key: String) throws(CacheError) -> Entry? {
    try checkUsable()
    return try store.find(key, counting: false)
  }

  public func contains(_ key: String) throws(CacheError) -> Bool {
    try checkUsable()
    return try store.find(key, counting: false) != nil
  }

  /// The keys in the order in which they were put.
  public func keys() throws(CacheError) -> [String] {
    try checkUsable()
    try store.followAll()
    return store.keys()
  }

  /// Drops an entry; false where there was none.
  @discardableResult
  public func remove(_ key: String, isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Bool {
    try checkUsable()
    return try store.removeDurably(key, isCancelled: isCancelled)
  }

  /// Drops every entry and returns how many there were.
  @discardableResult
  public func clear(isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Int {
    try checkUsable()
    return try store.clearDurably(isCancelled: isCancelled)
  }

  /// Lets an entry expire `ttl` seconds from now (nil: never); false where there is none.
  @discardableResult
  public func updateTTL(_ key: String, ttl: Double?, isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) -> Bool {
    try checkUsable()
    return try store.updateTTLDurably(key, ttl: ttl, isCancelled: isCancelled)
  }

  /// Keeps an entry from being evicted until as many `unpin`s; false where there is no such entry.
  public func pin(_ key: String) throws(CacheError) -> Bool {
    try checkUsable()
    return store.pin(key)
  }

  /// Takes back one `pin`.
  public func unpin(_ key: String) throws(CacheError) {
    try checkUsable()
    store.unpin(key)
  }
}

extension Entry {
  /// Fills `stream` with rows `offset ..< offset + limit` (nil: to the end) of these columns (nil: all), without a copy. Past the end: no
  /// rows. Throws `.argument` where a number is negative or a column is not there.
  public func export(
    offset: Int = 0, limit: Int? = nil, columns: [Int]? = nil, into stream: UnsafeMutablePointer<ArrowArrayStream>
  ) throws(CacheError) {
    guard offset >= 0 else { throw CacheError(.argument, "offset is \(offset): it must be 0 or more") }
    if let limit, limit < 0 { throw CacheError(.argument, "limit is \(limit): it must be 0 or more, or none for all rows") }
    for column in columns ?? [] { try checkColumn(column, of: schema) }
    exportStream(reader(offset: offset, limit: limit, columns: columns), to: stream)
  }
}

private func checkColumn(_ column: Int, of schema: Schema) throws(CacheError) {
  guard !schema.fields.indices.contains(column) else { return }
  throw CacheError(.argument, "column \(column) is not there: the table has \(schema.fields.count) columns, counted from 0")
}
