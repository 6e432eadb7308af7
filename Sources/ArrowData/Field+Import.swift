import CArrow
import Primitives

/// Beyond this a schema is refused: everything that walks a type recurses.
let maximumDepth = 64

extension Field {
  convenience init(_ schema: ArrowSchema, depth: Int) throws(CacheError) {
    guard depth <= maximumDepth else {
      throw CacheError(.type, "the schema is nested more than \(maximumDepth) levels deep: flatten it")
    }
    guard let format = schema.format else { throw CacheError(.stream, "the schema has a field without a format") }
    guard let format = String(validatingCString: format) else { throw CacheError(.stream, "the schema has a format that is not UTF-8") }
    var name = ""
    if let bytes = schema.name {
      guard let text = String(validatingCString: bytes) else { throw CacheError(.type, "a column name is not UTF-8: rename the column") }
      name = text
    }
    guard schema.n_children >= 0, schema.n_children == 0 || schema.children != nil else {
      throw CacheError(.stream, "field '\(name)' has \(schema.n_children) children and no list of them")
    }
    var children: [Field] = []
    if let pointers = schema.children {
      for index in 0..<Int(schema.n_children) {
        guard let child = pointers[index], child.pointee.release != nil else {
          throw CacheError(.stream, "field '\(name)' lacks child \(index)")
        }
        children.append(try Field(child.pointee, depth: depth + 1))
      }
    }
    var dictionary: Field?
    if let values = schema.dictionary { dictionary = try Field(values.pointee, depth: depth + 1) }
    try self.init(
      name: name, format: format, nullable: schema.flags & 2 != 0, dictionaryOrdered: schema.flags & 1 != 0,
      keysSorted: schema.flags & 4 != 0, metadata: try KeyValues(encoded: schema.metadata), children: children,
      dictionary: dictionary)
  }
}

extension [KeyValue] {
  /// Reads the interface's encoding: a count, then length and bytes of each key and value, in native byte order.
  init(encoded pointer: UnsafePointer<CChar>?) throws(CacheError) {
    self = []
    guard var position = pointer.map({ UnsafeRawPointer($0) }) else { return }
    func count() throws(CacheError) -> Int {
      let value = position.loadUnaligned(as: Int32.self)
      guard value >= 0 else { throw CacheError(.stream, "the schema's metadata holds the length \(value)") }
      position += 4
      return Int(value)
    }
    func bytes() throws(CacheError) -> [UInt8] {
      let byteCount = try count()
      defer { position += byteCount }
      return [UInt8](UnsafeRawBufferPointer(start: position, count: byteCount))
    }
    for _ in 0..<(try count()) { append(KeyValue(key: try bytes(), value: try bytes())) }
  }

  var encoded: [UInt8] {
    var result: [UInt8] = []
    func append(_ count: Int) { Swift.withUnsafeBytes(of: Int32(truncatingIfNeeded: count)) { result.append(contentsOf: $0) } }
    append(count)
    for pair in self {
      append(pair.key.count)
      result += pair.key
      append(pair.value.count)
      result += pair.value
    }
    return result
  }
}
