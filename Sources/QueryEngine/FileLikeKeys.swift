import CacheStore
import Glibc
import Primitives

/// Keys that look like data files. DuckDB takes `"_cache_x.csv"` for a file before it asks us, so such a key gets a temporary view in
/// the session that names it, made anew for each statement: a view remembers the types of its columns.
enum FileLikeKeys {
  private static let endings = [
    ".arrow", ".arrows", ".avro", ".csv", ".db", ".duckdb", ".fgb", ".geojson", ".gpkg", ".gz", ".ipc", ".json", ".jsonl", ".ndjson", ".parquet",
    ".shp", ".sqlite", ".tsv", ".txt", ".vortex", ".xlsx", ".zst",
  ]

  static func prepare(_ sql: String, on connection: any Connection, store: Store) throws(CacheError) {
    let text = folded(sql)
    guard holds(text, Array(TableName.prefix.utf8)), endings.contains(where: { holds(text, Array($0.utf8)) }) else { return }
    for key in store.keys() {
      let name = TableName.prefix + key
      let lowercase = String(decoding: folded(name), as: UTF8.self)
      guard endings.contains(where: lowercase.hasSuffix), holds(text, Array(doubled(lowercase, "\"").utf8)) else { continue }
      let view = "CREATE OR REPLACE TEMP VIEW \"\(doubled(name, "\""))\" AS SELECT * FROM \(TableName.scanFunction)('\(doubled(key, "'"))')"
      _ = try CollectedResult(try connection.execute(view, parameters: .none), cancellation: nil)
    }
  }

  /// As bytes, ASCII letters in lower case.
  private static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 } }

  private static func holds(_ text: [UInt8], _ part: [UInt8]) -> Bool { memmem(text, text.count, part, part.count) != nil }

  private static func doubled(_ text: String, _ quote: Character) -> String {
    text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: "\(quote)\(quote)")
  }
}
