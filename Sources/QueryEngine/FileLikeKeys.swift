import CacheStore
import Primitives

/// Keys that look like data files. DuckDB takes `"_cache_x.csv"` for a file before it asks us, so such a key gets a temporary view in
/// the session that names it, made anew for each statement: a view remembers the types of its columns.
enum FileLikeKeys {
  private static let endings = [
    ".arrow", ".arrows", ".avro", ".csv", ".db", ".duckdb", ".fgb", ".geojson", ".gpkg", ".gz", ".ipc", ".json", ".jsonl", ".ndjson", ".parquet",
    ".shp", ".sqlite", ".tsv", ".txt", ".vortex", ".xlsx", ".zst",
  ]

  static func prepare(_ sql: String, on connection: any Connection, scanFunction: String, store: Store) throws(CacheError) {
    let text = FoldedText(sql)
    guard text.contains(TableName.prefix), endings.contains(where: text.contains) else { return }
    for key in store.keys() {
      let name = TableName.prefix + key
      guard endings.contains(where: name.lowercased().hasSuffix), text.contains(doubled(name, "\"").folded) else { continue }
      let view = "CREATE OR REPLACE TEMP VIEW \"\(doubled(name, "\""))\" AS SELECT * FROM \(scanFunction)('\(doubled(key, "'"))')"
      _ = try CollectedResult(try connection.execute(view, parameters: .none), cancellation: nil)
    }
  }

  private static func doubled(_ text: String, _ quote: Character) -> String {
    text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: "\(quote)\(quote)")
  }
}
