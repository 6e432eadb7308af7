import Primitives

/// Turns DuckDB's message into an error of ours, by the kind it starts with.
func queryError(_ message: String) -> CacheError {
  if let error = DuckDBMessage.error(in: message) { return error }
  let message = DuckDBMessage.readable(message)
  if message.hasPrefix("INTERRUPT") { return CacheError(.interrupted, "the query was interrupted") }
  if message.hasPrefix("INTERNAL") || message.hasPrefix("FATAL") { return CacheError(.duckdb, message) }
  return CacheError(.query, message.isEmpty ? "DuckDB failed without a message" : message)
}

/// DuckDB's messages as a person wants them.
enum DuckDBMessage {
  /// What our own callbacks' messages start with: DuckDB puts its kinds of error in front.
  static let ours = "arrow_cache: "

  /// What a callback tells DuckDB of an error, so that `error(in:)` finds what is not a matter of SQL.
  static func text(_ error: CacheError) -> String {
    let description = String(readable(error.description))
    return error.code == .query ? ours + description : "arrow_cache(\(error.code.rawValue)): \(description)"
  }

  /// The error that a callback told DuckDB.
  static func error(in message: String) -> CacheError? {
    guard let mark = message.firstRange(of: "arrow_cache(") else { return nil }
    let rest = message[mark.upperBound...]
    guard let end = rest.firstRange(of: "): "), let code = CacheError.Code(rawValue: String(rest[..<end.lowerBound])) else { return nil }
    return CacheError(code, readable(String(rest[end.upperBound...])))
  }

  static func readable(_ message: String) -> String {
    var text = Substring(unwrapped(message))
    if let mark = text.firstRange(of: ours) { text = text[mark.upperBound...] }
    // For DuckDB's developers: what kind of bug it is, and addresses.
    for tail in ["\nThis error signals", "\n\nStack Trace", "Stack Trace:"] {
      if let range = text.firstRange(of: tail) { text = text[..<range.lowerBound] }
    }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// The message with the user's own first line of SQL, and the mark below it in its place, where we have put something before the text.
  static func without(_ prefix: String, _ message: String) -> String {
    var lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices where lines[index].hasPrefix("LINE 1: " + prefix) {
      lines[index] = "LINE 1: " + lines[index].dropFirst(8 + prefix.count)
      let mark = index + 1
      if mark < lines.count, lines[mark].allSatisfy({ " ^".contains($0) }), lines[mark].prefix(8 + prefix.count).allSatisfy({ $0 == " " }) {
        lines[mark] = lines[mark].dropFirst(prefix.count)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The message inside the JSON that some functions of DuckDB 1.5 give: {"exception_type":"…","exception_message":"…",…}.
  private static func unwrapped(_ message: String) -> String {
    let mark = "\"exception_message\":\""
    guard message.hasPrefix("{\"exception_type\""), let range = message.firstRange(of: mark) else { return message }
    var result = ""
    var isEscaped = false
    for character in message[range.upperBound...] {
      if isEscaped {
        result.append(character == "n" ? "\n" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        break
      } else {
        result.append(character)
      }
    }
    return result
  }
}

extension StringProtocol {
  /// The first place where `pattern` stands.
  func firstRange(of pattern: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(pattern) { return start..<index(start, offsetBy: pattern.count) }
      formIndex(after: &start)
    }
    return nil
  }
}
