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
      if format == "b" { return value == 0 ? "false" : "true" }
      if format == "tdD" { return "'\(date(days: Int(value)))'" }
      if let units = unitsPerSecond[String(format.prefix(4))] { return "'\(instant(Int(value), units))'" }
      return "\(value)"
    case .uint(let value): return "\(value)"
    case .wide(let value): return decimal(value, scale: format.split(separator: ",").dropFirst().first.flatMap { Int($0) } ?? 0)
    case .double(let value): return "\(value)"
    case .bytes(let bytes): return quoted(bytes)
    }
  }

  private static func decimal(_ value: Int128, scale: Int) -> String {
    guard scale > 0 else { return "\(value)" }
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(value < 0 ? "-" : "")\(padded.dropLast(scale)).\(padded.suffix(scale))"
  }

  private static let unitsPerSecond = ["tss:": 1, "tsm:": 1000, "tsu:": 1_000_000, "tsn:": 1_000_000_000]

  private static func instant(_ value: Int, _ units: Int) -> String {
    let (seconds, fraction) = floored(value, units)
    let (days, second) = floored(seconds, 86400)
    let clock = [second / 3600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    guard fraction > 0 else { return "\(date(days: days)) \(clock)" }
    let digits = String(String(units + fraction).dropFirst())
    return "\(date(days: days)) \(clock).\(digits)"
  }

  private static func floored(_ value: Int, _ divisor: Int) -> (Int, Int) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
  }

  /// Days since 1970 in the proleptic Gregorian calendar.
  private static func date(days: Int) -> String {
    guard days.magnitude < 1 << 40 else { return "day \(days)" }
    // Counted from March of year 0, in eras of 400 years.
    let (era, day) = floored(days + 719_468, 146_097)
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
    let monthOfYear = month < 10 ? month + 3 : month - 9
    let wholeYear = year + era * 400 + (monthOfYear <= 2 ? 1 : 0)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(abs(number))
      return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(wholeYear, 4))-\(padded(monthOfYear, 2))-\(padded(dayOfMonth, 2))"
  }

  private static func quoted(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    return "'\(text.count > longestText ? text.prefix(longestText) + "…" : text[...])'"
  }
}
