import CacheStore
import Primitives

/// The references to entries in statements that SQL has prepared on a session (`PREPARE`): DuckDB binds them once, and runs them again and again.
struct PreparedBindings {
  private struct WeakBinding { weak var binding: ScanBinding? }

  private var bindings: [WeakBinding] = []

  /// To be called before `sql` runs: what it may execute reads the entries as they are now.
  func renew(_ sql: String, _ snapshot: QuerySnapshot) {
    guard !bindings.isEmpty, StatementEffect.holds(sql, ["execute"]) else { return }
    for held in bindings { held.binding?.renew { (key) throws(CacheError) in try snapshot.entry(key) } }
  }

  /// To be called after it: what it may have prepared.
  ///
  /// - Parameter isOver: whether nothing of it runs any more. Then entries are let go of until the next run.
  mutating func note(_ sql: String, _ snapshot: QuerySnapshot, isOver: Bool) {
    guard StatementEffect.holds(sql, ["prepare", "execute"]) else { return }
    bindings = bindings.filter { $0.binding != nil } + snapshot.bindings.filter { binding in !bindings.contains { $0.binding === binding } }.map { WeakBinding(binding: $0) }
    if isOver { for held in bindings { held.binding?.park() } }
  }
}
