import ArrowData
import CacheStore
import Primitives

/// `SELECT column, expression, … FROM _cache_x [WHERE …]`, and nothing else: no grouping, order, join or second table. The columns that it
/// names and does not calculate with can be fetched once it is known which rows are wanted.
struct LateStatement {
  enum Item {
    /// A column, and the name it is given.
    case column(String, alias: String?)
    /// As written.
    case other(String)
  }

  /// What follows `_cache_`.
  let key: String
  let items: [Item]
  /// The text from the table's name on.
  private let rest: String
  private let words: Set<String>

  /// Words of other forms, and those that stand for a value where a column's name could stand.
  private static let foreign: Set<String> = [
    "all", "asof", "columns", "cross", "distinct", "except", "exclude", "fetch", "from", "full", "group", "having", "inner", "intersect", "into", "join",
    "lateral", "left", "limit", "natural", "nextval", "offset", "order", "pivot", "positional", "qualify", "rename", "replace", "right", "sample", "select",
    "semi", "table", "tablesample", "union", "unpivot", "using", "values", "window", "with",
  ]
  private static let values: Set<String> = [
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "default", "false",
    "localtime", "localtimestamp", "null", "session_user", "true", "user",
  ]

  init?(_ sql: String) {
    guard sql.utf8.count < 1 << 14, let tokens = SQLTokens.located(sql), tokens.first?.token == .word("select"),
      let from = tokens.firstIndex(where: { $0.token == .word("from") })
    else { return nil }
    let text = Array(sql.utf8)
    func written(_ bytes: Range<Int>) -> String { String(decoding: text[bytes], as: UTF8.self) }
    var last = tokens.endIndex
    while last > from, tokens[last - 1].token == .symbol(UInt8(ascii: ";")) { last -= 1 }
    let end = tokens[from + 1..<last]
    guard let name = end.first.flatMap({ Self.name($0.token) }), let key = TableName.key(name),
      Self.isTable(Array(end.dropFirst().map(\.token)))
    else { return nil }
    for (index, item) in tokens[..<last].enumerated() where index > 0 && index != from {
      if case .word(let word) = item.token, Self.foreign.contains(word) { return nil }
      if item.token == .symbol(UInt8(ascii: ";")) { return nil }
    }
    // A row as a whole would have one column more.
    let rowNames = [name, Self.alias(Array(end.dropFirst().map(\.token)))].compactMap { $0?.folded }
    let condition = tokens[from..<last].firstIndex { $0.token == .word("where") } ?? last
    for index in 1..<last where index < from || index > condition {
      guard let word = Self.name(tokens[index].token), rowNames.contains(word.folded) else { continue }
      guard index + 1 < last, tokens[index + 1].token == .symbol(UInt8(ascii: ".")) else { return nil }
    }
    guard let parts = Self.split(tokens[1..<from]) else { return nil }
    let names = tokens[..<last].compactMap { Self.name($0.token)?.folded }
    items = parts.map { part in
      let first = part.first.flatMap { Self.name($0.token) }
      let bytes = part[part.startIndex].bytes.lowerBound..<part[part.endIndex - 1].bytes.upperBound
      guard let first, part.first?.token != .word(first) || !Self.values.contains(first) else { return .other(written(bytes)) }
      if part.count == 1 { return .column(first, alias: nil) }
      let alias = part[part.endIndex - 1]
      guard part.count == 3, part[part.startIndex + 1].token == .word("as"), let aliasName = Self.name(alias.token),
        // Others may refer to it.
        names.count(where: { $0 == aliasName.folded }) == 1
      else { return .other(written(bytes)) }
      if case .quoted = alias.token { return .column(first, alias: aliasName) }
      return .column(first, alias: written(alias.bytes))
    }
    rest = written(end[end.startIndex].bytes.lowerBound..<end[end.endIndex - 1].bytes.upperBound)
    (self.key, words) = (key, Set(names))
  }

  /// The statement for the numbers of the wanted rows, in a column of this name, and what has to be calculated; nil where the name is used.
  func sql(numbers: String, isLate: [Bool]) -> String? {
    guard !words.contains(numbers) else { return nil }
    var columns = [numbers]
    for (item, isLate) in zip(items, isLate) where !isLate {
      switch item {
      case .other(let text): columns.append(text)
      case .column(let name, let alias): columns.append(Self.quoted(name) + (alias.map { " AS \(Self.quoted($0))" } ?? ""))
      }
    }
    return "SELECT \(columns.joined(separator: ", ")) FROM \(rest)"
  }

  private static func quoted(_ name: String) -> String {
    "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  private static func name(_ token: SQLTokens.Token) -> String? {
    switch token {
    case .word(let name), .quoted(let name): name
    default: nil
    }
  }

  /// Whether this may follow the table's name: an alias, a condition.
  private static func isTable(_ tokens: [SQLTokens.Token]) -> Bool {
    var rest = tokens[...]
    if rest.first == .word("as") { rest.removeFirst() }
    if let first = rest.first, first != .word("where") {
      guard name(first) != nil else { return false }
      rest.removeFirst()
    }
    return rest.isEmpty || rest.first == .word("where") && rest.count > 1
  }

  /// What the table is called behind its name.
  private static func alias(_ tokens: [SQLTokens.Token]) -> String? {
    var rest = tokens[...]
    if rest.first == .word("as") { rest.removeFirst() }
    return rest.first == .word("where") ? nil : rest.first.flatMap(name)
  }

  /// What stands between commas outside of brackets; nil where an item is of another form than an expression.
  private static func split(
    _ tokens: ArraySlice<(token: SQLTokens.Token, bytes: Range<Int>)>
  ) -> [ArraySlice<(token: SQLTokens.Token, bytes: Range<Int>)>]? {
    var parts: [ArraySlice<(token: SQLTokens.Token, bytes: Range<Int>)>] = []
    var (start, depth) = (tokens.startIndex, 0)
    for index in tokens.indices {
      switch tokens[index].token {
      case .symbol(UInt8(ascii: "(")): depth += 1
      case .symbol(UInt8(ascii: ")")): depth -= 1
      case .symbol(UInt8(ascii: ",")) where depth == 0:
        parts.append(tokens[start..<index])
        start = index + 1
      case .symbol(UInt8(ascii: "*")):
        // All columns: of the table, or behind a dot.
        if index == start || [".", "("].contains(where: { tokens[index - 1].token == .symbol(UInt8(ascii: $0)) }) { return nil }
      default: break
      }
      if depth < 0 { return nil }
    }
    parts.append(tokens[start..<tokens.endIndex])
    return depth == 0 && parts.allSatisfy { !$0.isEmpty } ? parts : nil
  }
}
