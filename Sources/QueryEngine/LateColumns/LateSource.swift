import ArrowData
import CacheStore
import Primitives

/// What stands behind FROM: tables, and conditions that are not looked into.
struct LateSource {
  typealias Located = (token: SQLTokens.Token, bytes: Range<Int>)

  private(set) var tables: [LateStatement.Table] = []
  /// Where the words that make a join of it stand.
  private(set) var joinWords: Set<Int> = []
  private(set) var conditions: [Range<Int>] = []
  /// What USING names, folded.
  private(set) var shared: Set<String> = []
  private var rest: ArraySlice<Located>

  init?(_ tokens: ArraySlice<Located>) {
    rest = tokens
    guard takeTable() else { return nil }
    if next != nil, next != .word("where") {
      guard takeJoin(), takeTable() else { return nil }
      if next == .word("using") {
        guard takeShared() else { return nil }
      } else {
        guard take("on") else { return nil }
        let end = rest.firstIndex { $0.token == .word("where") } ?? rest.endIndex
        guard end > rest.startIndex else { return nil }
        conditions.append(rest.startIndex..<end)
        rest = rest[end...]
      }
    }
    if take("where") {
      guard !rest.isEmpty else { return nil }
      conditions.append(rest.startIndex..<rest.endIndex)
      rest = []
    }
    guard rest.isEmpty else { return nil }
  }

  private var next: SQLTokens.Token? { rest.first?.token }

  private mutating func take(_ word: String) -> Bool {
    guard next == .word(word) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func takeName() -> String? {
    guard let name = next?.name else { return nil }
    rest.removeFirst()
    return name
  }

  private static let following: Set<String> = ["inner", "join", "left", "on", "outer", "using", "where"]

  /// A table's name, and what it is called.
  private mutating func takeTable() -> Bool {
    guard let name = takeName(), let key = TableName.key(name) else { return false }
    if take("as") {
      guard let alias = takeName() else { return false }
      tables.append(LateStatement.Table(key: key, name: alias))
    } else if case .word(let word)? = next, Self.following.contains(word) {
      tables.append(LateStatement.Table(key: key, name: name))
    } else {
      tables.append(LateStatement.Table(key: key, name: takeName() ?? name))
    }
    return true
  }

  private mutating func takeJoin() -> Bool {
    let start = rest.startIndex
    if take("left") { _ = take("outer") } else { _ = take("inner") }
    guard take("join") else { return false }
    joinWords = Set(start..<rest.startIndex)
    return true
  }

  private mutating func takeShared() -> Bool {
    joinWords.insert(rest.startIndex)
    rest.removeFirst()
    var separator = "("
    while next == .symbol(separator.utf8.first ?? 0) {
      rest.removeFirst()
      guard let name = takeName() else { return false }
      shared.insert(name.folded)
      separator = ","
    }
    guard next == .symbol(UInt8(ascii: ")")), !shared.isEmpty else { return false }
    rest.removeFirst()
    return true
  }
}
