import ArrowData
import CacheStore
import Primitives

extension InternalTable {
  /// The entries that have not expired, in the order of their first put.
  public static func entries(of store: Store) -> InternalTable {
    InternalTable(name: "entries") { () throws(CacheError) in
      let contents = store.contents()
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
  public static func partitions(of store: Store) -> InternalTable {
    InternalTable(name: "partitions") { () throws(CacheError) in
      let rows = store.contents().flatMap { contents in
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
}
