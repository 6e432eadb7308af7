import Primitives

/// A column's or child's name and type. The type is the C Data Interface's format string, the one canonical form here.
public final class Field: Sendable {
  public let name: String
  /// For a dictionary-encoded field the type of its indices.
  public let format: String
  public let layout: Layout
  public let nullable: Bool
  public let dictionaryOrdered: Bool
  public let keysSorted: Bool
  public let metadata: KeyValues
  public let children: [Field]
  /// The values' field where the column is dictionary-encoded.
  public let dictionary: Field?

  /// The format of the values as they were put where the cache itself has dictionary-encoded them; nil for all other columns.
  public let encodedFormat: String?

  /// Nodes of an array of this field without its dictionary: itself and what is below.
  let nodeCount: Int

  public init(
    name: String, format: String, nullable: Bool = true, dictionaryOrdered: Bool = false, keysSorted: Bool = false,
    metadata: KeyValues = [], children: [Field] = [], dictionary: Field? = nil
  ) throws(CacheError) {
    layout = try Layout(format: format)
    (self.name, self.format, self.nullable) = (name, format, nullable)
    (self.dictionaryOrdered, self.keysSorted) = (dictionaryOrdered, keysSorted)
    (self.metadata, self.children, self.dictionary) = (metadata, children, dictionary)
    encodedFormat = Self.encodedFormat(metadata, values: dictionary)
    nodeCount = children.reduce(1) { $0 + $1.nodeCount } + (dictionary?.nodeCount ?? 0)
    try checkShape()
  }

  /// Whether the type is an Arrow extension type: its storage then does not say how its values compare.
  public var isExtension: Bool { metadata.text("ARROW:extension:name") != nil }

  private func checkShape() throws(CacheError) {
    if let expected = layout.childCount, children.count != expected {
      throw CacheError(.type, "field '\(name)' of Arrow format '\(format)' has \(children.count) children, needs \(expected)")
    }
    if case .runs = layout, !["s", "i", "l"].contains(children.first?.format) || children.first?.dictionary != nil {
      throw CacheError(.type, "field '\(name)' is run-end-encoded with run ends of Arrow format '\(children.first?.format ?? "")': needs int16, int32 or int64")
    }
    if format == "+m", children.first?.format != "+s" || children.first?.children.count != 2 {
      throw CacheError(.type, "field '\(name)' is a map whose entries are not a struct of key and value")
    }
    if dictionary != nil, !["c", "C", "s", "S", "i", "I", "l", "L"].contains(format) {
      throw CacheError(.type, "field '\(name)' is dictionary-encoded with indices of Arrow format '\(format)': needs an integer type")
    }
  }
}

extension Field: Equatable {
  public static func == (left: Field, right: Field) -> Bool {
    left === right
      || left.name == right.name && left.format == right.format && left.nullable == right.nullable
        && left.dictionaryOrdered == right.dictionaryOrdered && left.keysSorted == right.keysSorted
        && left.metadata == right.metadata && left.children == right.children && left.dictionary == right.dictionary
  }
}
