import Primitives

// A column of texts that repeat may be kept as indices into a dictionary of the distinct ones. That is the cache's own affair: its
// tables' schemas say the plain type, the batches' say the encoded one, with a mark that tells it from dictionaries that were put.

extension Field {
  /// The key of the mark in a field's metadata; its value is the plain type's format. Kept by the cache's own files too.
  static let encodingMark = "arrow_cache.dictionary_encoded"

  /// Formats that can be encoded.
  static let encodableFormats: Set<String> = ["u", "U", "vu", "z", "Z", "vz"]

  /// The format of the plain values where this is a column that the cache has encoded; nil for all others.
  static func encodedFormat(_ metadata: KeyValues, values: Field?) -> String? {
    guard let values, let format = metadata.text(encodingMark), encodableFormats.contains(format) else { return nil }
    return values.format == (format.hasSuffix("u") || format == "U" ? "u" : "z") && !values.isExtension ? format : nil
  }

  /// The field as users see it: itself, unless the cache has encoded the column.
  public var plain: Field {
    guard let format = encodedFormat else { return self }
    let rest = metadata.filter { !$0.key.elementsEqual(Self.encodingMark.utf8) }
    // Made from a plain field by `encoded`, so it can be made again.
    return (try? Field(name: name, format: format, nullable: nullable, metadata: rest)) ?? self
  }

  /// This text field, encoded with indices of `indexFormat`.
  func encoded(indexFormat: String) throws(CacheError) -> Field {
    let isText = format == "u" || format == "U" || format == "vu"
    let mark = KeyValue(key: Array(Self.encodingMark.utf8), value: Array(format.utf8))
    return try Field(
      name: name, format: indexFormat, nullable: nullable, metadata: metadata + [mark],
      dictionary: Field(name: "", format: isText ? "u" : "z", nullable: false))
  }
}

extension Schema {
  /// Whether a column is one that the cache has encoded.
  public var hasEncodedColumns: Bool { fields.contains { $0.encodedFormat != nil } }

  /// The schema as users see it.
  public var plain: Schema { hasEncodedColumns ? Schema(fields: fields.map(\.plain), metadata: metadata) : self }
}
