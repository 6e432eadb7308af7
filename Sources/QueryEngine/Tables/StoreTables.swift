import ArrowData
import CacheStore
import Primitives

extension InternalTable {
  /// The tables that tell of a store, each as it is when it is read.
  public static func all(of store: Store) -> [InternalTable] {
    all(estimates: true, { () throws(CacheError) in
      try store.followAll()
      return store.contents()
    }, { () throws(CacheError) in store.events })
  }

  /// The same tables, of one moment, with what is known then.
  static func all(_ contents: [EntryContents], _ events: [StoreEvent]) -> [InternalTable] {
    all(estimates: false, { () throws(CacheError) in contents }, { () throws(CacheError) in events })
  }

  private typealias Contents = @Sendable () throws(CacheError) -> [EntryContents]
  private typealias Events = @Sendable () throws(CacheError) -> [StoreEvent]

  private static func all(estimates: Bool, _ contents: @escaping Contents, _ events: @escaping Events) -> [InternalTable] {
    [entries(contents), partitions(contents), statistics(estimates: estimates, contents), Self.events(events)]
  }

  /// The entries that have not expired, in the order of their first put.
  private static func entries(_ contents: @escaping Contents) -> InternalTable {
    InternalTable(name: "entries") { () throws(CacheError) in
      let contents = try contents()
      func int64(_ value: (EntryContents) -> Int) -> ColumnValues { .int64(contents.map { Int64(value($0)) }) }
      return try RecordBatch(columns: [
        ("key", .text(contents.map(\.entry.key))), ("version", .int64(contents.map { Int64(clamping: $0.entry.version) })),
        ("kind", .text(contents.map(\.entry.kind))), ("row_count", int64(\.entry.rowCount)), ("column_count", int64(\.entry.schema.fields.count)),
        ("size_bytes", int64(\.entry.sizeBytes)), ("memory_bytes", int64(\.memoryBytes)), ("disk_bytes", int64(\.diskBytes)),
        ("partition_count", int64(\.entry.partitions.count)), ("created_at", .timestamp(contents.map(\.entry.createdAt))),
        ("last_accessed_at", .timestamp(contents.map(\.access.lastAccessedAt))), ("access_count", int64(\.access.accessCount)),
        ("expires_at", .timestamp(contents.map(\.access.expiresAt))), ("pinned", .bool(contents.map(\.isPinned))),
        ("metadata", .text(contents.map(\.entry.userMetadata))),
      ])
    }
  }

  /// The partitions of those entries, in row order.
  private static func partitions(_ contents: @escaping Contents) -> InternalTable {
    InternalTable(name: "partitions") { () throws(CacheError) in
      let rows = try contents().flatMap { contents in
        contents.entry.partitions.indices.map { (entry: contents.entry, index: $0, place: contents.entry.place(partition: $0)) }
      }
      return try RecordBatch(columns: [
        ("key", .text(rows.map(\.entry.key))), ("version", .int64(rows.map { Int64(clamping: $0.entry.version) })),
        ("partition", .int64(rows.map { Int64($0.index) })), ("first_row", .int64(rows.map { Int64($0.entry.partitions[$0.index].firstRow) })),
        ("row_count", .int64(rows.map { Int64($0.entry.partitions[$0.index].rowCount) })),
        ("segment", .int64(rows.map { Int64($0.place.segment) })), ("tier", .text(rows.map(\.place.tier))),
        ("bytes", .int64(rows.map { Int64($0.place.bytes) })),
      ])
    }
  }

  /// What has happened to the entries, oldest first: the last 10 000 events.
  private static func events(_ events: @escaping Events) -> InternalTable {
    InternalTable(name: "events") { () throws(CacheError) in
      let events = try events()
      return try RecordBatch(columns: [
        ("time", .timestamp(events.map(\.time))), ("kind", .text(events.map(\.kind.rawValue))), ("key", .text(events.map(\.key))),
        ("version", .int64(events.map { Int64(clamping: $0.version) })), ("segment", .int64(events.map { $0.segment.map(Int64.init) })),
        ("bytes", .int64(events.map { Int64($0.bytes) })), ("from_tier", .text(events.map { $0.from.map(tierName) })),
        ("to_tier", .text(events.map { $0.to.map(tierName) })), ("cause", .text(events.map(\.cause))), ("seconds", .double(events.map(\.seconds))),
      ])
    }
  }
}

private func tierName(_ tier: Tier) -> String { tier == .both ? "memory+disk" : tier.rawValue }

/// What `tierName` has named.
func tier(_ name: String) -> Tier? { name == "memory+disk" ? .both : Tier(rawValue: name) }
