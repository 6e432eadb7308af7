import Primitives

extension StatementFacts {
  /// The same of a SELECT of a simple form, by its words alone: DuckDB's syntax tree takes as long as a query that reads little.
  ///
  /// nil where anything is not certain: then the tree has to say. Every table stands behind FROM, JOIN or a comma of such a clause, and is a cached one;
  /// every function is one of DuckDB's that give the same for the same.
  init?(words sql: String) {
    guard var tokens = SQLTokens.located(sql), tokens.first?.token == .word("select") else { return nil }
    while tokens.last?.token == .symbol(UInt8(ascii: ";")) { tokens.removeLast() }
    let text = Array(sql.utf8)
    var clauses = Clauses()
    for (index, (token, bytes)) in tokens.enumerated() {
      let following = index + 1 < tokens.count ? tokens[index + 1].token : nil
      let isOpened = following == .symbol(UInt8(ascii: "("))
      let isPart = following == .symbol(UInt8(ascii: ".")) || index > 0 && tokens[index - 1].token == .symbol(UInt8(ascii: "."))
      switch token {
      case .word, .quoted:
        if clauses.wantsTable {
          // As written: the token is folded.
          let name = if case .quoted(let name) = token { name } else { String(decoding: text[bytes], as: UTF8.self) }
          guard !isOpened, !isPart, let key = TableName.key(name) else { return nil }
          clauses.tables.insert(Array(key.utf8))
          clauses.wantsTable = false
        } else if case .word(let word) = token {
          guard clauses.take(word, isOpened: isOpened, isPart: isPart) else { return nil }
        } else if isOpened {
          return nil
        }
      case .symbol(let symbol):
        guard clauses.take(symbol, before: following) else { return nil }
      case .text, .number, .parameter:
        if clauses.wantsTable { return nil }
      }
    }
    guard clauses.depth == 1, !clauses.wantsTable, !clauses.tables.isEmpty else { return nil }
    self.init(tables: clauses.tables, functions: clauses.functions)
  }

  /// Where in a SELECT one stands while its words are read.
  private struct Clauses {
    /// For each open bracket, and the statement: whether its last clause names tables.
    private var namesTables = [false]
    /// Whether the next word is one.
    var wantsTable = false
    var tables: Set<[UInt8]> = []
    var functions: Set<String> = []

    var depth: Int { namesTables.count }

    mutating func take(_ word: String, isOpened: Bool, isPart: Bool) -> Bool {
      guard isPart || !Self.foreign.contains(word), !StatementFacts.valueFunctions.contains(word) else { return false }
      if !isPart, word == "from" || word == "join" {
        (namesTables[depth - 1], wantsTable) = (true, true)
        return true
      }
      if !isPart, Self.others.contains(word) { namesTables[depth - 1] = false }
      guard isOpened, !Self.openers.contains(word) else { return true }
      functions.insert(word)
      return !isPart && FunctionNames.common.contains(word)
    }

    mutating func take(_ symbol: UInt8, before following: SQLTokens.Token?) -> Bool {
      switch symbol {
      case UInt8(ascii: "("):
        if wantsTable, following != .word("select") { return false }
        wantsTable = false
        namesTables.append(false)
      case UInt8(ascii: ")"):
        guard depth > 1, !wantsTable else { return false }
        namesTables.removeLast()
      case UInt8(ascii: ","):
        guard !wantsTable else { return false }
        wantsTable = namesTables[depth - 1]
      case UInt8(ascii: ";"): return false
      default: return !wantsTable
      }
      return true
    }

    /// Words of clauses and statements that are left to the syntax tree.
    private static let foreign: Set<String> = [
      "call", "columns", "describe", "execute", "into", "lateral", "macro", "pivot", "pivot_longer", "pivot_wider", "positional", "recursive", "sample", "show",
      "summarize", "table", "tablesample", "unpivot", "values", "with",
    ]
    /// What follows a clause that names tables.
    private static let others: Set<String> = [
      "except", "fetch", "group", "having", "intersect", "limit", "offset", "order", "qualify", "select", "union", "where", "window",
    ]
    /// What may stand before a bracket, and is no function.
    private static let openers: Set<String> = [
      "all", "and", "any", "as", "between", "by", "case", "cast", "coalesce", "cube", "decimal", "distinct", "else", "except", "exists", "filter", "having",
      "ilike", "in", "intersect", "interval", "like", "limit", "not", "numeric", "offset", "on", "or", "over", "rollup", "select", "sets", "then", "try_cast",
      "union", "using", "varchar", "when", "where",
    ]
  }
}
