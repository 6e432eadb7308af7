import Primitives

/// A key by its UTF-8 bytes. Not a `String`: Swift takes canonically equivalent texts for equal, and callers' keys are not.
struct CacheKey: Hashable, Sendable {
  let text: String

  init(_ text: String) {
    var text = text
    text.makeContiguousUTF8()
    self.text = text
  }

  static func == (left: CacheKey, right: CacheKey) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  func hash(into hasher: inout Hasher) {
    let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    if isHashed == nil { for byte in text.utf8 { hasher.combine(byte) } }
  }

  /// The same in every process.
  var stableHash: UInt64 { EvictionItem.hash(text.utf8) }

  /// As DuckDB folds identifiers: ASCII letters only.
  var folded: CacheKey {
    text.utf8.contains { $0.folded != $0 } ? CacheKey(text.folded) : self
  }
}
