import Primitives

extension Schema {
  /// The schema as bytes of FlatBuffers: a table of Arrow's own `Schema`, and of what that has no place for.
  ///
  /// Throws `.type` for types that Arrow files cannot hold.
  public var encoded: [UInt8] {
    get throws(CacheError) {
      let numbered = try NumberedField.fields(of: self)
      return FlatObject.table([.object(try flatSchema(self, numbered)), flatKeyValues(DictionaryFacts.pairs(numbered))]).encoded
    }
  }

  /// What `encoded` has made. Throws `.storage` where the bytes are damaged, `.type` for types that are not known.
  public convenience init(encoded bytes: [UInt8]) throws(CacheError) {
    let schema = try bytes.withUnsafeBufferPointer { bytes throws(CacheError) -> Schema in
      let bytes = UnsafeRawBufferPointer(bytes)
      let budget = MetadataBudget(byteCount: bytes.count)
      let table = try FlatTable(root: bytes)
      guard let schemaTable = try table.table(0) else { throw damaged("it has no schema") }
      let read = try readSchema(schemaTable, budget)
      let fields = try DictionaryFacts.apply(try table.keyValues(1, budget), to: read.fields)
      return Schema(fields: fields.map(\.field), metadata: read.schema.metadata)
    }
    self.init(fields: schema.fields, metadata: schema.metadata)
  }
}
