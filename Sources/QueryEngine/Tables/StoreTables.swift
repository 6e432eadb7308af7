import ArrowData
import CacheStore
import Primitives

extension InternalTable {
  /// The tables that tell of a store, each as it is when it is read.
  public static func all(of store: Store) -> [InternalTable] {
    let contents: @Sendable () throws(CacheError) -> [EntryContents] = { () throws(CacheError) in
      try store.followAll()
      return store.contents()
    }
    return [
      InternalTable(name: "entries") { () throws(CacheError) -> RecordBatch in try entries(contents()) },
      InternalTable(name: "partitions") { () throws(CacheError) -> RecordBatch in try partitions(contents()) },
      InternalTable(name: "statistics") { () throws(CacheError) -> any ScanSource in try statistics(contents()) },
      InternalTable(name: "block_statistics") { () throws(CacheError) -> any ScanSource in try blockStatistics(contents()) },
      InternalTable(name: "events") { () throws(CacheError) -> RecordBatch in try events(store.events) },
    ]
  }

  /// The rows of the tables that a catalog has, of one moment, with what is known then: nothing is computed for them.
  static func known(_ contents: [EntryContents], _ events: [StoreEvent]) throws(CacheError) -> [(name: String, batch: RecordBatch)] {
    [
      ("entries", try entries(contents)), ("partitions", try partitions(contents)), ("statistics", try knownStatistics(contents)),
      ("events", try Self.events(events)),
    ]
  }

  /// The entries that have not expired, in the order of their first put.
  private static func entries(_ contents: [EntryContents]) throws(CacheError) -> RecordBatch {
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

  /// The partitions of those entries, in row order.
  private static func partitions(_ contents: [EntryContents]) throws(CacheError) -> RecordBatch {
    let rows = contents.flatMap { contents in
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

  /// What has happened to the entries, oldest first: the last 10 000 events.
  private static func events(_ events: [StoreEvent]) throws(CacheError) -> RecordBatch {
    return try RecordBatch(columns: [
      ("time", .timestamp(events.map(\.time))), ("kind", .text(events.map(\.kind.rawValue))), ("key", .text(events.map(\.key))),
      ("version", .int64(events.map { Int64(clamping: $0.version) })), ("segment", .int64(events.map { $0.segment.map(Int64.init) })),
      ("bytes", .int64(events.map { Int64($0.bytes) })), ("from_tier", .text(events.map { $0.from.map(tierName) })),
      ("to_tier", .text(events.map { $0.to.map(tierName) })), ("cause", .text(events.map(\.cause))), ("seconds", .double(events.map(\.seconds))),
    ])
  }
}

private func tierName(_ tier: Tier) -> String { tier == .both ? "memory+disk" : tier.rawValue }

/// What `tierName` has named.
func tier(_ name: String) -> Tier? { name == "memory+disk" ? .both : Tier(rawValue: name) }
