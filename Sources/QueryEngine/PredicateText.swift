import ArrowData

/// A recorded predicate as somebody would write it in SQL; empty where nothing is known.
enum PredicateText {
  private static let mostValues = 4
  private static let longestText = 40

  static func of(_ predicate: Predicate, _ schema: Schema) -> String {
    switch predicate {
    case .unknown: return ""
    case .and(let parts): return joined(parts, " AND ", schema)
    case .or(let parts):
      let texts = parts.map { of($0, schema) }
      return texts.contains("") ? "" : "(" + texts.joined(separator: " OR ") + ")"
    case .isNull(let column): return "\(name(column, schema)) IS NULL"
    case .isNotNull(let column): return "\(name(column, schema)) IS NOT NULL"
    case .prefix(let column, let bytes): return "\(name(column, schema)) starting with \(quoted(bytes))"
    case .meets(let column, let box): return "\(name(column, schema)) meeting (\(box.minX) \(box.minY), \(box.maxX) \(box.maxY))"
    case .compare(let column, let comparison, let literal): return "\(name(column, schema)) \(sign(comparison)) \(value(literal, column, schema))"
    case .isIn(let column, let literals):
      let shown = literals.prefix(mostValues).map { value($0, column, schema) }.joined(separator: ", ")
      return "\(name(column, schema)) IN (\(shown)\(literals.count > mostValues ? ", … \(literals.count) in all" : ""))"
    }
  }

  private static func joined(_ parts: [Predicate], _ separator: String, _ schema: Schema) -> String {
    parts.map { of($0, schema) }.filter { !$0.isEmpty }.joined(separator: separator)
  }

  private static func name(_ column: Int, _ schema: Schema) -> String {
    schema.fields.indices.contains(column) ? schema.fields[column].name : "column \(column)"
  }

  private static func sign(_ comparison: Predicate.Comparison) -> String {
    switch comparison {
    case .equal: "="
    case .notEqual: "<>"
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    }
  }

  private static func value(_ literal: Predicate.Literal, _ column: Int, _ schema: Schema) -> String {
    let field = schema.fields.indices.contains(column) ? schema.fields[column] : nil
    let format = (field?.dictionary ?? field)?.format ?? ""
    switch literal {
    case .int(let value):
      let text = ValueText.of(value, format)
      return format.hasPrefix("t") ? "'\(text)'" : text
    case .uint(let value): return "\(value)"
    case .wide(let value): return ValueText.decimal(value, format)
    case .double(let value): return "\(value)"
    case .bytes(let bytes): return quoted(bytes)
    }
  }

  private static func quoted(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    return "'\(text.count > longestText ? text.prefix(longestText) + "…" : text[...])'"
  }
}
