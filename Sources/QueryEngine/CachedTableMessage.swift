import CacheStore
import Primitives

/// What DuckDB's error lacks where a statement would change a cached table, or names it with a schema: DuckDB's catalog knows no such table.
/// The same for the views of the cache's state.
enum CachedTableMessage {
  static func completed(_ error: CacheError, _ sql: String, _ store: Store) -> CacheError {
    guard error.code == .query else { return error }
    if let completed = stateTable(error, sql, store) { return completed }
    guard TableName.isNamed(in: sql) else { return error }
    // Below the first line DuckDB shows the statement.
    let text = error.message.prefix { $0 != "\n" }.lowercased()
    let isMissing = text.contains(" with name ") && text.contains("does not exist")
    guard isMissing || text.contains("base table") && !text.contains("vacuum or analyze") else { return error }
    // Other names have nothing to do with it.
    let message = isMissing ? withoutGuess(error.message) : error.message
    let words = SQLWords.read(sql)
    guard let name = words.indices.lazy.compactMap({ target(words, at: $0) }).first(where: { TableName.key($0) != nil }), let key = TableName.key(name),
      !isMissing || text.contains(name.lowercased())
    else { return error }
    guard case .entry(let entry) = store.resolve(key) else { return CacheError(error.code, "\(message)\nThere is no entry '\(key)' in the cache", cause: error.cause) }
    let quote = entry.key.contains("'") ? "\"" : "'"
    let written = quote + entry.key + quote
    let remedy = "\(TableName.written(entry.key)) is a cached table, and SQL changes none: cache.put(\(written), …) replaces it, cache.remove(\(written)) removes it"
    return CacheError(error.code, "\(message)\n\n\(remedy)", cause: error.cause)
  }

  /// Where the statement would change one of the tables of the schema `arrow_cache`.
  private static func stateTable(_ error: CacheError, _ sql: String, _ store: Store) -> CacheError? {
    let text = error.message.prefix { $0 != "\n" }.lowercased()
    let isMissing = text.contains(" with name ") && text.contains("does not exist")
    let isOfView = text.contains("can only ") && text.contains(" base table")
      || ["is not an table", "is of type view", "can only modify view"].contains { text.contains($0) }
    guard isMissing || isOfView, sql.lowercased().contains(InternalTable.schemaName) else { return nil }
    let names = Set(InternalTable.all(of: store).map(\.name))
    let words = SQLWords.read(sql)
    for index in words.indices.dropFirst(2) {
      guard let name = target(words, at: index)?.lowercased(), names.contains(name), !isMissing || text.contains(name),
        case .sign(".") = words[index - 1], case .name(let schema) = words[index - 2], schema.lowercased() == InternalTable.schemaName
      else { continue }
      let remedy =
        "\(InternalTable.schemaName).\(name) is a view of the cache's state and read only: cache.put, cache.remove and cache.update_ttl change entries"
      return CacheError(error.code, "\(isMissing ? withoutGuess(error.message) : error.message)\n\n\(remedy)", cause: error.cause)
    }
    return nil
  }

  private static func withoutGuess(_ message: String) -> String {
    message.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Did you mean") }.joined(separator: "\n")
  }

  /// Where a table may be named with a schema, as DuckDB's message for it says.
  static func qualified(_ parts: [String], _ entry: Entry) -> String {
    "\(DuckDBMessage.ours)there is no table \(parts.joined(separator: ".")): cached tables have no schema; write \(TableName.written(entry.key))"
  }

  /// The table that is to be changed, where its name ends at this word.
  private static func target(_ words: [SQLWords.Word], at index: Int) -> String? {
    guard case .name(let name) = words[index] else { return nil }
    var first = index
    while first >= 2, case .sign(".") = words[first - 1], case .name = words[first - 2] { first -= 2 }
    func before(_ distance: Int) -> String? { if first >= distance, case .name(let word) = words[first - distance] { word.folded } else { nil } }
    let next: SQLWords.Word? = index + 1 < words.count ? words[index + 1] : nil
    switch before(1) {
    case "update", "into", "truncate", "table", "view", "exists", "copy": return name
    case "from": return before(2) == "delete" ? name : nil
    // CREATE INDEX … ON name (…) or USING …
    case "on": if case .sign("(")? = next { return name } else if case .name(let word)? = next, word.folded == "using" { return name } else { return nil }
    default: return nil
    }
  }
}

/// The names and signs of any SQL text, without what stands in comments and strings.
private enum SQLWords {
  enum Word {
    /// As written, without its quotes; words of SQL's own too.
    case name(String)
    case sign(Character)
  }

  static func read(_ sql: String) -> [Word] {
    let bytes = Array(sql.utf8)
    var words: [Word] = []
    var position = 0
    func isPart(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte | 32) || byte == 95 || byte == 36 || byte >= 128 }
    func skip(until end: String) {
      let end = Array(end.utf8)
      while position < bytes.count, !bytes[position...].starts(with: end) { position += 1 }
      position = min(bytes.count, position + end.count)
    }
    while position < bytes.count {
      let byte = bytes[position]
      if bytes[position...].starts(with: "--".utf8) {
        skip(until: "\n")
      } else if bytes[position...].starts(with: "/*".utf8) {
        skip(until: "*/")
      } else if byte == 39 || byte == 34 {
        var text: [UInt8] = []
        position += 1
        while position < bytes.count {
          if bytes[position] == byte {
            guard position + 1 < bytes.count, bytes[position + 1] == byte else { break }
            position += 1
          }
          text.append(bytes[position])
          position += 1
        }
        position += 1
        if byte == 34 { words.append(.name(String(decoding: text, as: UTF8.self))) } else { words.append(.sign("'")) }
      } else if isPart(byte) {
        let word = bytes[position...].prefix(while: isPart)
        position += word.count
        words.append(.name(String(decoding: word, as: UTF8.self)))
      } else {
        position += 1
        if byte > 32 { words.append(.sign(Character(Unicode.Scalar(byte)))) }
      }
    }
    return words
  }
}
