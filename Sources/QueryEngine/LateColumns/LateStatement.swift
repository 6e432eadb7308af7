import ArrowData
import CacheStore
import Primitives

/// `SELECT column, *, expression, … FROM _cache_x [[LEFT] JOIN _cache_y {ON …|USING (…)}] [WHERE …]`, and nothing else: no grouping, order
/// or third table. The columns that it names and does not calculate with can be fetched once it is known which rows are wanted.
struct LateStatement {
  enum Item {
    /// A column, of the table that is named or of the only one that has it, and the name it is given; and all of that as written.
    case column(table: Int?, String, alias: String?, written: String)
    /// All columns: of a table, or of all.
    case all(table: Int?)
    /// As written.
    case other(String)
  }

  struct Table {
    /// What follows `_cache_`.
    let key: String
    /// What columns are qualified with.
    let name: String
  }

  /// One, or those of a join.
  let tables: [Table]
  /// The columns, folded, that a join takes for one: those of the first table.
  let shared: Set<String>
  let items: [Item]
  /// The text from the first table's name on.
  private let rest: String
  private let words: Set<String>

  /// Words of other forms.
  private static let foreign: Set<String> = [
    "all", "anti", "asof", "columns", "cross", "distinct", "except", "exclude", "fetch", "from", "full", "group", "having", "inner", "intersect", "into", "join",
    "lateral", "left", "limit", "natural", "nextval", "offset", "order", "pivot", "positional", "qualify", "rename", "replace", "right", "sample", "select",
    "semi", "table", "tablesample", "union", "unpivot", "using", "values", "window", "with",
  ]
  /// Words that stand for a value where a column's name could stand.
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
    guard let source = LateSource(tokens[from + 1..<last]) else { return nil }
    for index in 1..<last where index != from && !source.joinWords.contains(index) {
      if case .word(let word) = tokens[index].token, Self.foreign.contains(word) { return nil }
      if tokens[index].token == .symbol(UInt8(ascii: ";")) { return nil }
    }
    let names = source.tables.map(\.name.folded)
    // A row as a whole would have one column more.
    let rowNames = names + source.tables.map { (TableName.prefix + $0.key).folded }
    for index in 1..<last where index < from || source.conditions.contains(where: { $0.contains(index) }) {
      guard let word = tokens[index].token.name, rowNames.contains(word.folded) else { continue }
      guard index + 1 < last, tokens[index + 1].token == .symbol(UInt8(ascii: ".")) else { return nil }
    }
    guard Set(names).count == names.count, !source.conditions.contains(where: { Self.hasStar(tokens[$0]) }), let parts = Self.split(tokens[1..<from])
    else { return nil }
    // What is qualified is no alias.
    let plainNames = tokens[..<last].indices.compactMap { index in
      index > 0 && tokens[index - 1].token == .symbol(UInt8(ascii: ".")) ? nil : tokens[index].token.name?.folded
    }
    items = parts.compactMap { part in
      let bytes = part[part.startIndex].bytes.lowerBound..<part[part.endIndex - 1].bytes.upperBound
      var rest = part
      var table: Int?
      if rest.count > 2, let name = rest.first?.token.name?.folded, let index = names.firstIndex(of: name),
        rest[rest.startIndex + 1].token == .symbol(UInt8(ascii: "."))
      {
        (table, rest) = (index, rest.dropFirst(2))
      }
      if rest.count == 1, rest.first?.token == .symbol(UInt8(ascii: "*")) { return .all(table: table) }
      if Self.hasStar(part) { return nil }
      let whole = Item.other(written(bytes))
      guard let first = rest.first?.token, let name = first.name, table != nil || first != .word(name) || !Self.values.contains(name) else { return whole }
      if rest.count == 1 { return .column(table: table, name, alias: nil, written: written(bytes)) }
      let alias = rest[rest.endIndex - 1]
      guard rest.count == 3, rest[rest.startIndex + 1].token == .word("as"), let aliasName = alias.token.name,
        // Others may refer to it.
        plainNames.count(where: { $0 == aliasName.folded }) == (table == nil && name.folded == aliasName.folded ? 2 : 1)
      else { return whole }
      if case .quoted = alias.token { return .column(table: table, name, alias: aliasName, written: written(bytes)) }
      return .column(table: table, name, alias: written(alias.bytes), written: written(bytes))
    }
    guard items.count == parts.count else { return nil }
    rest = written(tokens[from + 1].bytes.lowerBound..<tokens[last - 1].bytes.upperBound)
    (tables, shared, words) = (source.tables, source.shared, Set(tokens[..<last].compactMap { $0.token.name?.folded }))
  }

  /// The statement for other columns of the same rows; nil where it uses this name.
  func sql(_ columns: [String], without name: String) -> String? {
    words.contains(name) ? nil : "SELECT \(columns.joined(separator: ", ")) FROM \(rest)"
  }

  static func quoted(_ name: String) -> String {
    "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }

  /// What stands between commas outside of brackets.
  private static func split(_ tokens: ArraySlice<LateSource.Located>) -> [ArraySlice<LateSource.Located>]? {
    var parts: [ArraySlice<LateSource.Located>] = []
    var (start, depth) = (tokens.startIndex, 0)
    for index in tokens.indices {
      switch tokens[index].token {
      case .symbol(UInt8(ascii: "(")): depth += 1
      case .symbol(UInt8(ascii: ")")): depth -= 1
      case .symbol(UInt8(ascii: ",")) where depth == 0:
        parts.append(tokens[start..<index])
        start = index + 1
      default: break
      }
      if depth < 0 { return nil }
    }
    parts.append(tokens[start..<tokens.endIndex])
    return depth == 0 && parts.allSatisfy { !$0.isEmpty } ? parts : nil
  }

  /// Whether there is a star for all columns, not for a product.
  private static func hasStar(_ tokens: ArraySlice<LateSource.Located>) -> Bool {
    tokens.indices.contains { index in
      guard tokens[index].token == .symbol(UInt8(ascii: "*")) else { return false }
      return index == tokens.startIndex || [".", "(", ","].contains { tokens[index - 1].token == .symbol(UInt8(ascii: $0)) }
    }
  }
}

extension SQLTokens.Token {
  /// What names something.
  var name: String? {
    switch self {
    case .word(let name), .quoted(let name): name
    default: nil
    }
  }
}
