import CacheStore
import Primitives

extension QueryEngine {
  /// Fewer rows of an entry than one in so many: the next run is better off with a plan that is kept.
  private static let fewShare = 50

  /// The rows of a statement that names columns it does not calculate with, those fetched from the entry once DuckDB has found the rows;
  /// nil where it is of another form, or that has failed: then it is run as it is, and fails with DuckDB's words where it has to.
  func lateRows(
    _ sql: String, _ parameters: QueryParameters, _ session: Session, _ database: any Database, _ trace: StatementTrace, _ cancellation: Cancellation?
  ) throws(CacheError) -> LateRows? {
    let snapshot = QuerySnapshot(store: store)
    guard database.engineName == "v2", !keeping.hasOtherColumns.load(ordering: .relaxed), !session.notLate.contains(sql),
      let plan = LatePlan(sql, snapshot)
    else { return nil }
    snapshot.numbered.withLock { $0 = plan.tables.map(\.entry) }
    trace.begin(session, snapshot)
    do throws(CacheError) {
      let found = try snapshot.run { () throws(CacheError) -> LateRows? in
        try FileLikeKeys.prepare(sql, on: session.connection, scanFunction: database.scanFunction, store: store)
        let result = try session.connection.execute(plan.sql, parameters: parameters)
        guard result.kind == .select, snapshot.reads(only: plan.entries) else { return nil }
        return try plan.rows(result, threads: options.threadCount ?? store.options.threadCount, cancellation: cancellation)
      }
      guard let found else {
        session.notLate.insert(sql)
        return nil
      }
      trace.kind = .select
      trace.holdsEntry = found.isEntrysOwn
      trace.isLate = found.rowCount > plan.tables[0].entry.rowCount / Self.fewShare
      return found
    } catch {
      guard cancellation?.isCancelled != true, error.code == .query || error.code == .memoryLimit || error.code == .storage else { throw error }
      session.notLate.insert(sql)
      return nil
    }
  }
}

/// A few texts.
struct TextSet {
  private static let mostTexts = 256

  private var texts: Set<[UInt8]> = []

  func contains(_ text: String) -> Bool { !texts.isEmpty && texts.contains(Array(text.utf8)) }

  mutating func insert(_ text: String) {
    if texts.count >= Self.mostTexts { texts = [] }
    texts.insert(Array(text.utf8))
  }
}
