import Primitives

/// What the text of one SELECT reads and calls, by its syntax tree.
struct StatementFacts {
  /// The names of tables that are not of the statement's own (what follows `_cache_`), by their bytes.
  private(set) var tables: Set<[UInt8]> = []
  /// The functions that it calls, in lower case.
  private(set) var functions: Set<String> = []
  private var isPlain = true

  init(tables: Set<[UInt8]>, functions: Set<String>) { (self.tables, self.functions) = (tables, functions) }

  /// nil: it is no single SELECT, or reads other things than cached entries, or is of a form that is not known to depend on them alone.
  init?(syntax: JSON) {
    let statements = syntax["statements"]?.list ?? []
    guard statements.count == 1, let node = statements[0]["node"] else { return nil }
    visit(node, [])
    guard isPlain, !tables.isEmpty else { return nil }
  }

  /// Words that DuckDB takes for a function without parentheses where no column has the name.
  static let valueFunctions: Set<String> = [
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "localtime",
    "localtimestamp", "session_user", "user",
  ]

  private static let expressions: Set<String> = [
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR",
    "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
  ]

  /// Nodes of queries, references to tables and modifiers.
  private static let nodes: Set<String> = [
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST",
    "EMPTY", "PIVOT", "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
  ]

  /// `scope`: the tables that the statement defines where the node stands.
  private mutating func visit(_ node: JSON, _ scope: Set<[UInt8]>) {
    guard isPlain else { return }
    switch node {
    case .null, .bool, .number, .text: return
    case .list(let nodes): for node in nodes { visit(node, scope) }
    case .object(let members):
      check(node, scope)
      var scope = scope
      if let definitions = node["cte_map"]?["map"]?.list { define(definitions, &scope) }
      let recursive = node["cte_name"]?.text?.utf8.map(\.folded)
      for member in members where member.name != "cte_map" {
        // What a recursion starts from does not see it.
        let sees = recursive.map { member.name == "right" ? scope.union([$0]) : scope }
        visit(member.value, sees ?? scope)
      }
    }
  }

  /// Each definition sees those before it, and itself where it is recursive.
  private mutating func define(_ definitions: [JSON], _ scope: inout Set<[UInt8]>) {
    for definition in definitions {
      guard let name = definition["key"]?.text?.utf8, let value = definition["value"] else { return isPlain = false }
      visit(value, scope)
      scope.insert(name.map(\.folded))
    }
  }

  private mutating func check(_ node: JSON, _ scope: Set<[UInt8]>) {
    if let sample = node["sample"], case .object = sample { isPlain = false }
    if let kind = node["class"]?.text {
      guard Self.expressions.contains(kind) else { return isPlain = false }
      if kind == "FUNCTION" || kind == "WINDOW" { call(node) }
      if kind == "COLUMN_REF", let names = node["column_names"]?.list, names.count == 1, let name = names[0].text {
        isPlain = isPlain && !Self.valueFunctions.contains(name.lowercased())
      }
      return
    }
    guard let type = node["type"]?.text else { return }
    // Constants say of what type they are.
    guard Self.nodes.contains(type) else { return isPlain = isPlain && type.hasSuffix("_TYPE_INFO") }
    switch type {
    case "BASE_TABLE": read(node, scope)
    case "TABLE_FUNCTION":
      let name = node["function"]?["function_name"]?.text?.lowercased()
      isPlain = isPlain && name.map(["generate_series", "range", "unnest"].contains) ?? false
    case "PIVOT": isPlain = isPlain && isEmpty(node["pivot_enum"])
    default: break
    }
  }

  private mutating func call(_ node: JSON) {
    let schema = node["schema"]?.text ?? ""
    guard let name = node["function_name"]?.text, schema.isEmpty || schema == "main" || schema == "pg_catalog", isEmpty(node["catalog"]) else {
      return isPlain = false
    }
    functions.insert(name.lowercased())
  }

  private mutating func read(_ node: JSON, _ scope: Set<[UInt8]>) {
    guard let name = node["table_name"]?.text, isEmpty(node["schema_name"]), isEmpty(node["catalog_name"]) else { return isPlain = false }
    if let clause = node["at_clause"], case .object = clause { return isPlain = false }
    if scope.contains(name.utf8.map(\.folded)) { return }
    guard let key = TableName.key(name) else { return isPlain = false }
    tables.insert(Array(key.utf8))
  }

  private func isEmpty(_ text: JSON?) -> Bool { text?.text?.isEmpty ?? true }
}
