import CacheStore
import Primitives

/// What a plan of DuckDB's consists of.
enum PlanOperators {
  /// Joins whose plan can run again. DuckDB's others keep of a run what the next one meets: a second run of an `IE_JOIN` or `ASOF_JOIN` is an INTERNAL
  /// error of DuckDB 2.0, which breaks the whole database.
  private static let repeatableJoins: Set<String> = ["HASH_JOIN", "LEFT_DELIM_JOIN", "RIGHT_DELIM_JOIN"]

  /// Whether the statement's plan may be run more than once.
  static func areRepeatable(_ sql: String, on connection: any Connection, _ store: Store) throws(CacheError) -> Bool {
    let explained = try QuerySnapshot(store: store, readsNoRows: true).run { () throws(CacheError) in
      try CollectedResult(try connection.execute("EXPLAIN (FORMAT json) " + sql, parameters: .none), cancellation: nil)
    }
    guard let tree = try readTexts(explained, column: 1).last.flatMap({ JSON($0, maximumDepth: 1000) }) else { return false }
    return areRepeatable(tree)
  }

  private static func areRepeatable(_ node: JSON) -> Bool {
    if let nodes = node.list { return nodes.allSatisfy(areRepeatable) }
    guard let name = node["name"]?.text else { return false }
    return (!name.contains("JOIN") || repeatableJoins.contains(name)) && (node["children"]?.list ?? []).allSatisfy(areRepeatable)
  }
}
