import CacheStore
import Primitives

/// What is known of SQL texts: each is looked into once, as long as it is asked for.
final class StatementNotes {
  private static let mostTexts = 512
  private static let longestText = 1 << 16

  private struct Note {
    /// Whether it is known what the text reads and calls; nil then means that its results are not kept.
    var isRead = false
    var facts: StatementFacts?
    var runCount = 0
    var tick: UInt64
  }

  private struct State {
    var notes: [[UInt8]: Note] = [:]
    var tick: UInt64 = 0
    var names: FunctionNames?
  }

  private let database: any Database
  private let state = Locked(State())
  /// Idle connections of our own for looking into texts.
  private let readers = Locked<[any Connection]>([])

  init(database: any Database) { self.database = database }

  /// Counts a run; how often the text has been run.
  func countRun(_ sql: String) -> Int {
    guard sql.utf8.count <= Self.longestText else { return 0 }
    return state.withLock { state in
      let key = Array(sql.utf8)
      state.tick += 1
      if state.notes[key] == nil, state.notes.count >= Self.mostTexts, let oldest = state.notes.min(by: { $0.value.tick < $1.value.tick }) {
        state.notes[oldest.key] = nil
      }
      state.notes[key, default: Note(tick: 0)].tick = state.tick
      state.notes[key]?.runCount += 1
      return state.notes[key]?.runCount ?? 0
    }
  }

  /// What the text reads and calls; nil where its results are not kept.
  func facts(_ sql: String) -> StatementFacts? {
    let key = Array(sql.utf8)
    guard key.count <= Self.longestText else { return nil }
    if let note = state.withLock({ $0.notes[key] }), note.isRead { return note.facts }
    let facts = StatementFacts(words: sql) ?? read(sql)
    state.withLock { state in
      state.notes[key]?.isRead = true
      state.notes[key]?.facts = facts
    }
    return facts
  }

  /// By DuckDB's syntax tree.
  func read(_ sql: String) -> StatementFacts? {
    do throws(CacheError) {
      let call = "SELECT system.main.json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)::VARCHAR"
      let texts = try withReader { (reader) throws(CacheError) in
        try readTexts(try CollectedResult(try reader.execute(call, parameters: .positional([.text(sql)])), cancellation: nil))
      }
      let tree = texts.first.flatMap { JSON($0, maximumDepth: 400) }
      return tree.flatMap { StatementFacts(syntax: $0) }
    } catch {
      return nil
    }
  }

  /// The one number that a statement of the engine's own gives, on a connection of its own; nil where it fails.
  func number(of sql: String) -> Int? {
    do throws(CacheError) {
      return try withReader { (reader) throws(CacheError) in try readInt64(try CollectedResult(try reader.execute(sql, parameters: .none), cancellation: nil)) }
    } catch {
      return nil
    }
  }

  /// Lends an idle connection, or a new one, that no statement of a user's runs on.
  func withReader<Result>(_ body: (any Connection) throws(CacheError) -> Result) throws(CacheError) -> Result {
    let idle = readers.withLock { $0.popLast() }
    let reader = if let idle { idle } else { try database.connect() }
    let result = try body(reader)
    readers.withLock { $0.append(reader) }
    return result
  }

  /// The functions of the database, asked for once.
  func functionNames() -> FunctionNames? {
    if let names = state.withLock({ $0.names }) { return names }
    do throws(CacheError) {
      let names = try FunctionNames.read(try database.connect())
      return state.withLock { state in
        state.names = names
        return names
      }
    } catch {
      return nil
    }
  }

  /// The functions may be others now.
  func forgetFunctions() { state.withLock { $0.names = nil } }
}
