import Primitives

/// A field with the number that a file gives to its dictionary.
final class NumberedField: Sendable {
  let field: Field
  let dictionaryID: Int?
  /// Those of the values where the field is dictionary-encoded.
  let children: [NumberedField]
  /// The dictionary's values, as a field of their own.
  let values: NumberedField?
  /// What an array of this field takes of a record batch, but for the data buffers of views.
  let extent: IPCExtent

  init(_ field: Field, dictionaryID: Int?, children: [NumberedField], values: NumberedField?) {
    (self.field, self.dictionaryID, self.children, self.values) = (field, dictionaryID, children, values)
    var extent = IPCExtent(nodes: 1, buffers: field.layout.bufferCount, views: 0)
    if field.layout == .view { extent = IPCExtent(nodes: 1, buffers: 2, views: 1) }
    for child in children { extent += child.extent }
    self.extent = extent
  }

  /// Numbers the dictionaries of a schema in the order in which its fields come.
  static func fields(of schema: Schema) throws(CacheError) -> [NumberedField] {
    var next = 0
    var fields: [NumberedField] = []
    for field in schema.fields { fields.append(try NumberedField(field, next: &next)) }
    return fields
  }

  private convenience init(_ field: Field, next: inout Int) throws(CacheError) {
    guard let dictionary = field.dictionary else {
      var children: [NumberedField] = []
      for child in field.children { children.append(try NumberedField(child, next: &next)) }
      self.init(field, dictionaryID: nil, children: children, values: nil)
      return
    }
    guard dictionary.dictionary == nil else {
      throw CacheError(.type, "field '\(field.name)' has a dictionary of dictionaries, which Arrow files cannot hold: decode it once")
    }
    let own = next
    next += 1
    self.init(field, dictionaryID: own, children: [], values: try NumberedField(dictionary, next: &next))
  }

  /// Calls `body` with this field and all that is below it.
  func forEach<Failure: Error>(_ body: (NumberedField) throws(Failure) -> Void) throws(Failure) {
    try body(self)
    for child in children { try child.forEach(body) }
    try values?.forEach(body)
  }
}

/// Nodes, buffers and arrays of views in a record batch: how many, or how many come before.
struct IPCExtent: Sendable {
  var nodes = 0
  var buffers = 0
  var views = 0

  static func += (left: inout IPCExtent, right: IPCExtent) {
    left.nodes += right.nodes
    left.buffers += right.buffers
    left.views += right.views
  }
}
