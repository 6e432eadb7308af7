/// Reads the words of a statement from left to right.
struct TokenReader {
  var tokens: ArraySlice<SQLTokens.Token>

  init(_ tokens: [SQLTokens.Token]) { self.tokens = tokens[...] }

  mutating func take(_ word: String) -> Bool { take(.word(word)) }
  mutating func take(symbol: Unicode.Scalar) -> Bool { take(.symbol(UInt8(ascii: symbol))) }

  private mutating func take(_ token: SQLTokens.Token) -> Bool {
    guard tokens.first == token else { return false }
    tokens.removeFirst()
    return true
  }

  mutating func name() -> String? {
    switch tokens.first {
    case .word(let name)?, .quoted(let name)?:
      tokens.removeFirst()
      return name
    default: return nil
    }
  }

  /// Whether nothing is left but semicolons.
  mutating func isAtEnd() -> Bool {
    while take(symbol: ";") {}
    return tokens.isEmpty
  }
}
