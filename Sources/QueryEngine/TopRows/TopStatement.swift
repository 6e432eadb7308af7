import Primitives

/// `SELECT … FROM one_table ORDER BY column [ASC|DESC] [NULLS FIRST|LAST] [, …] LIMIT n [OFFSET m]`, and nothing else: no condition, grouping,
/// join, function, subquery or bracket of any kind. DuckDB does not offer a scan that it wants the first rows of an order only, so the
/// statement's own text says it; what is not of this form says nothing.
struct TopStatement: Equatable {
  enum Count: Equatable {
    case number(Int)
    case position(Int)
    case name(String)
  }

  /// As written, or folded where it is not in quotes.
  let table: String
  let column: String
  let isDescending: Bool
  let nullsFirst: Bool
  let limit: Count
  let offset: Count

  /// Whether the text may change how later statements order rows: by settings for the order, for nulls, for how texts compare.
  static func mayChangeOrder(_ sql: String) -> Bool {
    let text = FoldedText(sql)
    return text.contains("default_order") || text.contains("null_order") || text.contains("collat") || text.contains("import") && text.contains("database")
  }

  init?(_ tokens: [SQLTokens.Token]) {
    // What `?` counts beside `$1` is DuckDB's affair.
    let isMixed = tokens.contains(.parameter(nil)) && tokens.contains { if case .parameter(_?) = $0 { true } else { false } }
    guard !isMixed, !tokens.contains(.symbol(UInt8(ascii: "("))) else { return nil }
    var reader = TokenReader(tokens)
    if reader.take("explain") { _ = reader.take("analyze") }
    var items: [ArraySlice<SQLTokens.Token>] = []
    if reader.take("select") {
      guard let found = reader.items() else { return nil }
      items = found
    }
    guard reader.take("from"), let table = reader.name(), !reader.take(symbol: ".") else { return nil }
    var alias = table
    if !reader.take("order") {
      _ = reader.take("as")
      guard let name = reader.name(), reader.take("order") else { return nil }
      alias = name
    }
    guard reader.take("by"), var column = reader.name() else { return nil }
    if reader.take(symbol: ".") {
      guard column.folded == alias.folded, let name = reader.name() else { return nil }
      column = name
    }
    guard column != "all", items.allSatisfy({ Self.leaves($0, column: column, alias: alias) }) else { return nil }
    let isDescending = reader.take("desc") || reader.take("descending")
    if !isDescending { _ = reader.take("asc") || reader.take("ascending") }
    var nullsFirst = false
    if reader.take("nulls") {
      nullsFirst = reader.take("first")
      guard nullsFirst || reader.take("last") else { return nil }
    }
    // Further columns only order what is equal in the first.
    if reader.take(symbol: ",") {
      guard reader.passOrder() else { return nil }
    }
    guard reader.take("limit"), let limit = reader.count() else { return nil }
    var offset = Count.number(0)
    if reader.take("offset") {
      guard let count = reader.count(after: limit) else { return nil }
      offset = count
    }
    guard reader.isAtEnd() else { return nil }
    (self.table, self.column, self.isDescending, self.nullsFirst) = (table, column, isDescending, nullsFirst)
    (self.limit, self.offset) = (limit, offset)
  }

  /// How many rows of the order are wanted, with those that are passed over; nil where a parameter does not say it.
  func rowCount(_ parameters: QueryParameters) -> Int? {
    guard let limit = Self.value(limit, parameters), let offset = Self.value(offset, parameters) else { return nil }
    let (sum, overflow) = limit.addingReportingOverflow(offset)
    return overflow ? nil : sum
  }

  private static func value(_ count: Count, _ parameters: QueryParameters) -> Int? {
    let value: QueryValue?
    switch (count, parameters) {
    case (.number(let number), _): return number
    case (.position(let position), .positional(let values)): value = values.indices.contains(position) ? values[position] : nil
    case (.name(let name), .named(let pairs)): value = pairs.first { $0.name == name }?.value
    default: value = nil
    }
    guard case .int(let number)? = value, number >= 0 else { return nil }
    return Int(exactly: number)
  }

  /// Whether a column of the result cannot be taken for the one that orders: its name is another, or it is that column itself.
  private static func leaves(_ item: ArraySlice<SQLTokens.Token>, column: String, alias: String) -> Bool {
    let item = Array(item)
    func name(_ token: SQLTokens.Token) -> String? {
      switch token {
      case .word(let name), .quoted(let name): name.folded
      default: nil
      }
    }
    let (dot, star) = (SQLTokens.Token.symbol(UInt8(ascii: ".")), SQLTokens.Token.symbol(UInt8(ascii: "*")))
    guard let last = item.last else { return false }
    if last == star { return item.count == 1 || item.count == 3 && item[1] == dot && name(item[0]) != nil }
    if item[0] == star || zip(item, item.dropFirst()).contains(where: { $0 == dot && $1 == star }) { return false }
    if item.contains(where: { if case .parameter = $0 { true } else { $0 == .text } }) { return false }
    let forbidden = ["distinct", "all", "into", "exclude", "replace", "rename"]
    if item.contains(where: { if case .word(let word) = $0 { forbidden.contains(word) } else { false } }) { return false }
    guard name(last) == column.folded else { return true }
    return item.count == 1 || item.count == 3 && item[1] == dot && name(item[0]) == alias.folded
  }
}

extension TokenReader {
  /// What stands between commas, up to FROM.
  fileprivate mutating func items() -> [ArraySlice<SQLTokens.Token>]? {
    guard let end = tokens.firstIndex(of: .word("from")) else { return nil }
    let items = tokens[tokens.startIndex..<end].split(separator: .symbol(UInt8(ascii: ",")), omittingEmptySubsequences: false)
    tokens = tokens[end...]
    let colon = SQLTokens.Token.symbol(UInt8(ascii: ":"))
    // `name: expression` gives a name, `value::type` does not.
    for item in items where item.contains(colon) || item.contains(.symbol(UInt8(ascii: ";"))) { return nil }
    return items
  }

  /// Passes further columns of the order, up to LIMIT.
  fileprivate mutating func passOrder() -> Bool {
    while let next = tokens.first, next != .word("limit") {
      switch next {
      case .parameter, .symbol(UInt8(ascii: ";")), .word("select"), .word("from"), .word("union"): return false
      default: tokens.removeFirst()
      }
    }
    return true
  }

  /// `before`: the count that stands before it, if there is one.
  fileprivate mutating func count(after before: TopStatement.Count? = nil) -> TopStatement.Count? {
    switch tokens.first {
    case .number(let number?)?:
      tokens.removeFirst()
      return .number(number)
    case .parameter(let name)?:
      tokens.removeFirst()
      guard let name else {
        if case .position(let position)? = before { return .position(position + 1) }
        return .position(0)
      }
      return Int(name).map { .position($0 - 1) } ?? .name(name)
    default: return nil
    }
  }
}
