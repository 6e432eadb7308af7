import Primitives

/// How far DuckDB may run ahead of whoever reads a session's results.
///
/// DuckDB holds its threads back once some MB wait for the reader, which is right where rows are produced while they are read. A result that is
/// collected takes the same memory either way: there only time would be lost.
struct ResultBuffer {
  private static let setting = "streaming_buffer_size"
  /// What waits on the stable API has yet to be converted, and so takes memory beside the result.
  private static let wideSizes = ["v1": "64MB"]

  private var isWide = false
  /// The session's SQL has set it: it is left as it is.
  private var isUsers = false

  /// To be called before `sql` runs.
  mutating func prepare(_ sql: String, isCollected: Bool, on connection: any Connection, engine: String) {
    if StatementEffect.holds(sql, ["streaming_buffer"]) { isUsers = true }
    guard !isUsers, isWide != isCollected else { return }
    let change = isCollected ? "SET \(Self.setting) = '\(Self.wideSizes[engine] ?? "1TB")'" : "RESET \(Self.setting)"
    // Refused within a transaction that has failed, or where the configuration is locked: then results only take longer.
    guard (try? CollectedResult(connection.execute(change, parameters: .none), cancellation: nil)) != nil else { return }
    isWide = isCollected
  }
}
