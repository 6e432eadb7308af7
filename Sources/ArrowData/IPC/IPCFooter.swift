import Primitives

/// What the footer of a file says: its schema, where its messages are, and what the writer added.
struct IPCFooter {
  let schema: Schema
  let fields: [NumberedField]
  let metadata: KeyValues
  let isSealed: Bool
  let blocks: IPCBlocks

  init(_ mapping: FileMapping, _ options: IPCReadOptions, expecting expected: Schema?) throws(CacheError) {
    let bytes = try Self.bytes(of: mapping.bytes)
    let budget = MetadataBudget(byteCount: bytes.count)
    let footer = try FlatTable(root: bytes)
    let sealPlace = try IPCChecksums.sealPlace(footer, budget)
    if let place = sealPlace {
      guard IPCChecksums.number(bytes[place]) == IPCChecksums.seal(bytes, place: place) else {
        throw damaged("its footer has another checksum than it says")
      }
    } else if options.trust == .sealed || options.trust == .checksums {
      throw damaged("it has no seal: it was not written by this engine, or its end is damaged")
    }
    isSealed = sealPlace != nil

    guard let schemaTable = try footer.table(1) else { throw damaged("its footer has no schema") }
    let pairs = try footer.keyValues(4, budget)
    let read = try readSchema(schemaTable, budget)
    let fields = isSealed ? try DictionaryFacts.apply(pairs, to: read.fields) : read.fields
    try Self.checkDictionaries(fields)
    (schema, self.fields) = try Self.settle(Schema(fields: fields.map(\.field), metadata: read.schema.metadata), fields, expected)
    metadata = pairs.filter { !IPCChecksums.isReserved($0) }

    var checksums: IPCChecksums?
    if isSealed {
      try Self.checkFormat(pairs.text(IPCChecksums.formatKey))
      guard let text = pairs.first(where: { $0.key.elementsEqual(IPCChecksums.key.utf8) })?.value else {
        throw damaged("its footer has no checksums")
      }
      checksums = try IPCChecksums(text: text)
    }
    blocks = try IPCBlocks(footer, mapping, checksums, oldestVersion: Self.oldestVersion(fields), budget)
  }

  /// The footer's bytes, found from the end of the file.
  private static func bytes(of file: UnsafeRawBufferPointer) throws(CacheError) -> UnsafeRawBufferPointer {
    let magic = IPCOutput.magic
    guard file.count >= 8 + magic.count + 4, file.prefix(magic.count).elementsEqual(magic) else { throw damaged("it is no Arrow IPC file") }
    guard file.suffix(magic.count).elementsEqual(magic) else { throw damaged("it is an Arrow IPC file whose end is missing") }
    let end = file.count - magic.count - 4
    let size = Int(try load(file, end, as: Int32.self))
    guard size > 0, size <= end - 8 else { throw damaged("its footer has a size of \(size) bytes in a file of \(file.count)") }
    return UnsafeRawBufferPointer(rebasing: file[(end - size)..<end])
  }

  private static func checkFormat(_ text: String?) throws(CacheError) {
    guard let text, let format = Int(text) else { throw damaged("its footer has no format version") }
    guard format <= IPCChecksums.format else {
      throw CacheError(.type, "it has format version \(format), this engine reads up to \(IPCChecksums.format): use a newer arrow_cache")
    }
  }

  /// Up to version 4 there were validity bitmaps where there are none now.
  private static func oldestVersion(_ fields: [NumberedField]) -> Int {
    var oldest = FlatMessage.oldestVersion
    for field in fields {
      field.forEach { if !$0.field.layout.hasValidity, $0.field.layout != .null { oldest = FlatMessage.version } }
    }
    return oldest
  }

  private static func checkDictionaries(_ fields: [NumberedField]) throws(CacheError) {
    var values: [Int: Field] = [:]
    for field in fields {
      try field.forEach { (field) throws(CacheError) in
        guard let id = field.dictionaryID, let dictionary = field.values?.field else { return }
        guard values.updateValue(dictionary, forKey: id).map({ $0 == dictionary }) ?? true else {
          throw damaged("its fields with dictionary \(id) are of different types")
        }
      }
    }
  }

  /// The schema that was expected, where the file says the same.
  private static func settle(
    _ schema: Schema, _ fields: [NumberedField], _ expected: Schema?
  ) throws(CacheError) -> (Schema, [NumberedField]) {
    guard let expected else { return (schema, fields) }
    let expectedFields = try NumberedField.fields(of: expected)
    guard try flatSchema(expected, expectedFields).encoded == flatSchema(schema, fields).encoded else {
      throw CacheError(.type, "it has another schema than the one that it was written with: it is another file")
    }
    return (expected, expectedFields)
  }
}
