import Primitives

/// The words of an SQL text, for recognising statements of a simple form. What it does not know for certain makes the text nil: comments,
/// square and curly brackets, strings with escapes, dollar quotes, anything beyond ASCII outside of quotes.
struct SQLTokens {
  enum Token: Equatable {
    /// As SQL folds it: small letters.
    case word(String)
    /// In double quotes, as written.
    case quoted(String)
    case text
    /// nil: not a whole number, or too large.
    case number(Int?)
    /// `?`, or `$1` and `$name` by what follows the sign.
    case parameter(String?)
    case symbol(UInt8)
  }

  static func read(_ sql: String) -> [Token]? {
    let bytes = Array(sql.utf8)
    var reader = Reader(bytes: bytes)
    var tokens: [Token] = []
    while let token = reader.next() { tokens.append(token) }
    return reader.isBroken ? nil : tokens
  }

  /// The same with where each stands in the text, in bytes; of texts with comparisons too.
  static func located(_ sql: String) -> [(token: Token, bytes: Range<Int>)]? {
    var reader = Reader(bytes: Array(sql.utf8), symbols: usualSymbols + "<>=!")
    var tokens: [(Token, Range<Int>)] = []
    while let token = reader.next() { tokens.append((token, reader.start..<reader.position)) }
    return reader.isBroken ? nil : tokens
  }

  private static let usualSymbols = ",.*+-/%|:;()"

  private struct Reader {
    let bytes: [UInt8]
    var symbols = usualSymbols
    /// Of the token that was read last.
    private(set) var start = 0
    var position = 0
    var isBroken = false

    mutating func next() -> Token? {
      while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
      guard position < bytes.count, !isBroken else { return nil }
      let byte = bytes[position]
      start = position
      switch byte {
      case UInt8(ascii: "\""): return quoted(byte).map { .quoted($0) }
      case UInt8(ascii: "'"): return quoted(byte).map { _ in .text }
      case UInt8(ascii: "$"), UInt8(ascii: "?"): return parameter(byte)
      case let digit where Self.isDigit(digit): return number()
      case let letter where Self.isLetter(letter): return word()
      default:
        let isComment = position + 1 < bytes.count && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/")) && (bytes[position + 1] == byte || bytes[position + 1] == UInt8(ascii: "*"))
        guard !isComment, symbols.utf8.contains(byte) else { return broken() }
        position += 1
        return .symbol(byte)
      }
    }

    private mutating func broken() -> Token? {
      isBroken = true
      return nil
    }

    private mutating func take(while isPart: (UInt8) -> Bool) -> ArraySlice<UInt8> {
      let start = position
      while position < bytes.count, isPart(bytes[position]) { position += 1 }
      return bytes[start..<position]
    }

    private mutating func quoted(_ quote: UInt8) -> String? {
      var text: [UInt8] = []
      position += 1
      while position < bytes.count {
        if bytes[position] == quote {
          guard position + 1 < bytes.count, bytes[position + 1] == quote else {
            position += 1
            return String(decoding: text, as: UTF8.self)
          }
          position += 1
        }
        text.append(bytes[position])
        position += 1
      }
      isBroken = true
      return nil
    }

    private mutating func word() -> Token? {
      let word = take { Self.isLetter($0) || Self.isDigit($0) }
      // A prefix of a string changes how that is read.
      if position < bytes.count, bytes[position] == UInt8(ascii: "'") || bytes[position] == UInt8(ascii: "$") || bytes[position] >= 128 { return broken() }
      return .word(String(decoding: word.map(\.folded), as: UTF8.self))
    }

    private mutating func number() -> Token? {
      let digits = take { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: ".") }
      return .number(digits.allSatisfy(Self.isDigit) ? Int(String(decoding: digits, as: UTF8.self)) : nil)
    }

    private mutating func parameter(_ sign: UInt8) -> Token? {
      position += 1
      guard sign == UInt8(ascii: "$") else {
        if position < bytes.count, Self.isLetter(bytes[position]) || Self.isDigit(bytes[position]) { return broken() }
        return .parameter(nil)
      }
      let name = take { Self.isLetter($0) || Self.isDigit($0) }
      if name.isEmpty || position < bytes.count && (bytes[position] == sign || bytes[position] >= 128) { return broken() }
      return .parameter(String(decoding: name, as: UTF8.self))
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_") }
  }
}
