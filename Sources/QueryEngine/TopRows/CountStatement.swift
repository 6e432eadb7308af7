/// `SELECT count(*) FROM one_table`, and nothing else: DuckDB asks for a column then as if it wanted its values.
struct CountStatement: Equatable {
  /// As written, or folded where it is not in quotes.
  let table: String

  init?(_ sql: String) {
    guard sql.utf8.count < 512, let tokens = SQLTokens.read(sql) else { return nil }
    var rest = tokens[...]
    func take(_ token: SQLTokens.Token) -> Bool {
      guard rest.first == token else { return false }
      rest.removeFirst()
      return true
    }
    func name() -> String? {
      switch rest.first {
      case .word(let name)?, .quoted(let name)?:
        rest.removeFirst()
        return name
      default: return nil
      }
    }
    if take(.word("explain")) { _ = take(.word("analyze")) }
    guard take(.word("select")), take(.word("count")), take(.symbol(UInt8(ascii: "("))), take(.symbol(UInt8(ascii: "*"))), take(.symbol(UInt8(ascii: ")")))
    else { return nil }
    if !take(.word("from")) {
      _ = take(.word("as"))
      guard name() != nil, take(.word("from")) else { return nil }
    }
    guard let table = name() else { return nil }
    if !rest.isEmpty, rest.first != .symbol(UInt8(ascii: ";")) {
      _ = take(.word("as"))
      guard name() != nil else { return nil }
    }
    _ = take(.symbol(UInt8(ascii: ";")))
    guard rest.isEmpty else { return nil }
    self.table = table
  }
}

/// What the text of a statement tells of the one table that it reads, where DuckDB does not.
enum ScanHint: Sendable {
  case top(TopRows)
  /// Only how many rows there are is wanted.
  case count(CountStatement)

  init?(_ sql: String, _ parameters: QueryParameters, ordersAsUsual: Bool) {
    if let statement = CountStatement(sql) {
      self = .count(statement)
    } else if ordersAsUsual, let top = TopRows(sql, parameters) {
      self = .top(top)
    } else {
      return nil
    }
  }

  var table: String {
    switch self {
    case .top(let top): top.statement.table
    case .count(let statement): statement.table
    }
  }
}
