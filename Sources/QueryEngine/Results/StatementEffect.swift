import Primitives

/// What running a SQL text may change of what other texts mean: settings, tables and views that stand before a cached one, macros.
enum StatementEffect {
  /// Whether what the text gives, or what others give after it, depends on it alone and the data.
  ///
  /// - Parameters:
  ///   - kind: of the last statement; nil: it has failed before that was known.
  ///   - isAlone: whether it is the only one; asked where the text leaves it open.
  static func mayChangeMeaning(_ sql: String, kind: StatementKind?, isAlone: () -> Bool) -> Bool {
    switch kind {
    // Extensions have functions that make views of the tables of a database (sqlite_attach).
    case .select: holds(sql, ["attach"]) || mayHoldMore(sql) && !isAlone()
    case .modification: mayHoldMore(sql) && !isAlone()
    case .explanation: mayHoldMore(sql) || holds(sql, ["analy"]) && holds(sql, changing)
    case .other: true
    case nil: mayHoldMore(sql) || holds(sql, changing)
    }
  }

  /// Whether there is a semicolon before the end.
  static func mayHoldMore(_ sql: String) -> Bool {
    let isEnd = { (byte: UInt8) in byte == UInt8(ascii: ";") || byte == 32 || (9...13).contains(byte) }
    guard let last = sql.utf8.lastIndex(where: { !isEnd($0) }) else { return false }
    return sql.utf8[...last].contains(UInt8(ascii: ";"))
  }

  /// Whether a text that changes something may have made a function, or a place where there are some.
  static func mayDefineFunctions(_ sql: String) -> Bool { holds(sql, ["macro", "function", "import", "attach", "database"]) }

  /// Whether a text may make a view, or a place where there are some, or change the Arrow types or the names of results.
  static func mayChangeColumns(_ sql: String) -> Bool {
    holds(sql, ["view", "import", "attach", "arrow_large", "arrow_lossless", "arrow_output", "preserve_identifier"])
  }

  private static let changing = [
    "create", "drop", "alter", "set", "pragma", "use", "load", "install", "copy", "call", "import", "execute", "prepare", "begin", "commit", "rollback",
    "abort", "start", "end", "checkpoint", "vacuum", "pivot", "attach", "detach",
  ]

  /// Whether one of the words, which are in lower case, is somewhere in the text.
  static func holds(_ sql: String, _ words: [String]) -> Bool {
    let text = FoldedText(sql)
    return words.contains(where: text.contains)
  }
}

/// What a statement is, as far as it matters here.
enum StatementKind: Sendable {
  case select
  /// INSERT, UPDATE, DELETE: of rows, which no cached table has.
  case modification
  case explanation
  case other
}
