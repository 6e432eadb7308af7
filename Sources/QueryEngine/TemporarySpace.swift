import Primitives

/// The disk that a database may use for what does not fit into its memory: where, and how much of it at the moment.
///
/// A database is opened without a temporary folder. It gets one before its first statement, so that the folder around that is made only
/// where there are queries; DuckDB makes its own when it first writes to it, and removes it with its files when it is closed.
final class TemporarySpace: Sendable {
  /// Room that is left free when the limit is lowered, so that not every change of what else is on the disk lowers it again.
  private static let slackBytes = 16 << 20

  private struct State {
    var folder: String?
    /// Why there is no folder.
    var failure: CacheError?
    var appliedLimit: Int?
  }

  private let options: QueryOptions
  let number: Int
  private let state = Locked(State())

  /// - Parameter number: which of an engine's databases it is, from 1: one that broke may still have files in its folder.
  init(options: QueryOptions, number: Int) { (self.options, self.number) = (options, number) }

  /// Where DuckDB puts temporary files; nil as long as it puts none.
  var folder: String? { state.withLock { $0.folder } }

  /// Brings the database's settings up to date.
  func prepare(_ database: any Database) {
    guard let makeFolder = options.temporaryFolder else { return }
    if folder == nil {
      do throws(CacheError) {
        let path = try makeFolder() + (number == 1 ? "" : "-\(number)")
        try set("temp_directory", path, database)
        state.withLock { ($0.folder, $0.failure) = (path, nil) }
      } catch {
        // Another thread may have been first, and DuckDB at work there: it takes no second folder.
        state.withLock { if $0.folder == nil { $0.failure = error } }
        return
      }
    }
    if let limit = options.temporaryLimitBytes?() { apply(max(0, limit), database) }
  }

  private func apply(_ limit: Int, _ database: any Database) {
    let applied = state.withLock { $0.appliedLimit }
    if let applied, limit >= applied, limit - applied <= max(2 * Self.slackBytes, applied / 8) { return }
    let slack = applied == nil || limit > applied ?? 0 ? 0 : min(Self.slackBytes, limit / 16)
    var accepted = limit - slack
    do throws(CacheError) {
      try set("max_temp_directory_size", "\(accepted)B", database)
    } catch {
      // DuckDB does not go below what it uses: no more than that, then.
      guard let used = QueryShortage.usedBytes(error.message) else { return }
      do throws(CacheError) {
        accepted = used
        try set("max_temp_directory_size", "\(accepted)B", database)
      } catch { return }
    }
    state.withLock { $0.appliedLimit = accepted }
  }

  private func set(_ name: String, _ value: String, _ database: any Database) throws(CacheError) {
    let text = value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    _ = try CollectedResult(try database.connect().execute("SET GLOBAL \(name) = '\(text)'", parameters: .none), cancellation: nil)
  }

  /// Says of an error that comes from a lack of memory or disk what was short, and how to have more of it.
  func explained(_ error: CacheError) -> CacheError {
    guard error.code == .query else { return error }
    let (folder, failure) = state.withLock { ($0.folder, $0.failure) }
    return QueryShortage.explained(error, folder: folder, folderFailure: failure, isAllowed: options.temporaryFolder != nil) ?? error
  }
}
