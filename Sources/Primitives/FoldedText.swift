import Glibc

extension UInt8 {
  /// An ASCII letter in lower case, and any other byte: as DuckDB folds identifiers.
  @inlinable public var folded: UInt8 { self >= 65 && self <= 90 ? self | 32 : self }
}

extension String {
  /// With ASCII letters in lower case.
  public var folded: String { String(decoding: utf8.map(\.folded), as: UTF8.self) }
}

/// A text with ASCII letters in lower case, to look for words in.
public struct FoldedText: Sendable {
  private let characters: [CChar]

  public init(_ text: String) { characters = text.utf8CString.map { CChar(bitPattern: UInt8(bitPattern: $0).folded) } }

  /// Whether `word`, which is in lower case, is somewhere in it, up to a byte of zero in either.
  public func contains(_ word: String) -> Bool { strstr(characters, word) != nil }
}
