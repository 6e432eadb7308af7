import Primitives

/// What a field of dictionary values says that an Arrow file has no place for: its name, whether it is nullable, its metadata.
///
/// Kept in the footer for each dictionary where it is not what every reader assumes, so that a schema comes back as it was.
enum DictionaryFacts {
  private static let prefix = "arrow_cache.dictionary."

  static func isFact(_ pair: KeyValue) -> Bool { pair.key.starts(with: prefix.utf8) }

  static func pairs(_ fields: [NumberedField]) -> KeyValues {
    var pairs: KeyValues = []
    for field in fields {
      field.forEach { field in
        guard let id = field.dictionaryID, let values = field.values?.field else { return }
        func add(_ fact: String, _ value: [UInt8]) { pairs.append(KeyValue(key: [UInt8]("\(prefix)\(id).\(fact)".utf8), value: value)) }
        if !values.name.isEmpty { add("name", [UInt8](values.name.utf8)) }
        if !values.nullable { add("nullable", [UInt8]("false".utf8)) }
        for pair in values.metadata {
          add("key", pair.key)
          add("value", pair.value)
        }
      }
    }
    return pairs
  }

  /// The fields with what the footer says of their dictionaries.
  static func apply(_ pairs: KeyValues, to fields: [NumberedField]) throws(CacheError) -> [NumberedField] {
    let facts = pairs.filter(isFact)
    if facts.isEmpty { return fields }
    var changed: [NumberedField] = []
    for field in fields { changed.append(try apply(facts, to: field)) }
    return changed
  }

  private static func apply(_ facts: KeyValues, to numbered: NumberedField) throws(CacheError) -> NumberedField {
    var children: [NumberedField] = []
    for child in numbered.children { children.append(try apply(facts, to: child)) }
    let field = numbered.field
    guard let id = numbered.dictionaryID, let oldValues = numbered.values else {
      let copy = try Field(
        name: field.name, format: field.format, nullable: field.nullable, keysSorted: field.keysSorted, metadata: field.metadata,
        children: children.map(\.field))
      return NumberedField(copy, dictionaryID: nil, children: children, values: nil)
    }
    let below = try apply(facts, to: oldValues)
    func all(_ fact: String) -> [[UInt8]] { facts.filter { $0.key.elementsEqual("\(prefix)\(id).\(fact)".utf8) }.map(\.value) }
    guard let name = String(validating: all("name").first ?? [], as: UTF8.self), !name.utf8.contains(0) else {
      throw damaged("its dictionary \(id) has a name that is not UTF-8")
    }
    let values = try Field(
      name: name, format: below.field.format, nullable: all("nullable").isEmpty, keysSorted: below.field.keysSorted,
      metadata: zip(all("key"), all("value")).map { KeyValue(key: $0, value: $1) }, children: below.field.children)
    let copy = try Field(
      name: field.name, format: field.format, nullable: field.nullable, dictionaryOrdered: field.dictionaryOrdered,
      metadata: field.metadata, dictionary: values)
    return NumberedField(
      copy, dictionaryID: id, children: [], values: NumberedField(values, dictionaryID: nil, children: below.children, values: nil))
  }
}
