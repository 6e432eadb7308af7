import Primitives

/// Reads the `Schema` table of an Arrow file.
func readSchema(_ table: FlatTable, _ budget: MetadataBudget) throws(CacheError) -> (schema: Schema, fields: [NumberedField]) {
  guard try table.int(0, Int16.self) == 0 else { throw damaged("its numbers are big-endian: write it anew on a little-endian machine") }
  let metadata = try table.keyValues(2, budget)
  var fields: [NumberedField] = []
  for field in try table.tables(1, budget) { fields.append(try NumberedField(field, depth: 1, budget)) }
  return (Schema(fields: fields.map(\.field), metadata: metadata), fields)
}

extension NumberedField {
  fileprivate convenience init(_ table: FlatTable, depth: Int, _ budget: MetadataBudget) throws(CacheError) {
    try budget.takeField()
    guard depth <= maximumDepth else { throw CacheError(.type, "its schema is nested more than \(maximumDepth) levels deep: flatten it") }
    let name = try table.text(0, "a column name of it", budget)
    var children: [NumberedField] = []
    for child in try table.tables(5, budget) { children.append(try NumberedField(child, depth: depth + 1, budget)) }
    guard let type = try table.table(3) else { throw damaged("its field '\(name)' has no type") }
    let number = try table.int(2, UInt8.self)
    let keysSorted = number == FlatType.map ? try type.bool(0) : false
    let format = try readFormat(number, type, childCount: children.count, budget)
    let nullable = try table.bool(1)
    let metadata = try table.keyValues(6, budget)
    let childFields = children.map(\.field)
    guard let encoding = try table.table(4) else {
      let field = try Field(
        name: name, format: format, nullable: nullable, keysSorted: keysSorted, metadata: metadata, children: childFields)
      self.init(field, dictionaryID: nil, children: children, values: nil)
      return
    }
    var index = "i"
    if let type = try encoding.table(1) { index = try readFormat(FlatType.int, type, childCount: 0, budget) }
    let values = try Field(name: "", format: format, keysSorted: keysSorted, children: childFields)
    let field = try Field(
      name: name, format: index, nullable: nullable, dictionaryOrdered: try encoding.bool(2), metadata: metadata, dictionary: values)
    self.init(
      field, dictionaryID: try encoding.int(0, Int64.self), children: [],
      values: NumberedField(values, dictionaryID: nil, children: children, values: nil))
  }
}

/// The format string of a type, by its number in the union and its parameters.
private func readFormat(_ number: Int, _ type: FlatTable, childCount: Int, _ budget: MetadataBudget) throws(CacheError) -> String {
  func choice(_ choices: [String], _ index: Int) throws(CacheError) -> String {
    guard choices.indices.contains(index) else { throw damaged("its schema has a type \(number) with parameter \(index), which is not known") }
    return choices[index]
  }
  func unit(default absent: Int) throws(CacheError) -> String { try choice(FlatType.units, try type.int(0, Int16.self, default: absent)) }

  if let plain = FlatType.plain.first(where: { $0.number == number }) { return plain.format }
  switch number {
  case FlatType.int:
    let bits = try type.int(0, Int32.self)
    guard let integer = FlatType.integers.first(where: { $0.0 == bits }) else { throw damaged("its schema has integers of \(bits) bits") }
    return try type.bool(1) ? integer.1 : integer.2
  case FlatType.float: return try choice(FlatType.floats, try type.int(0, Int16.self))
  case FlatType.decimal:
    let bits = try type.int(2, Int32.self, default: 128)
    return "d:\(try type.int(0, Int32.self)),\(try type.int(1, Int32.self))" + (bits == 128 ? "" : ",\(bits)")
  case FlatType.date: return try choice(["tdD", "tdm"], try type.int(0, Int16.self, default: 1))
  case FlatType.time:
    let unit = try unit(default: 1)
    let bits = try type.int(1, Int32.self, default: 32)
    guard bits == (["s", "m"].contains(unit) ? 32 : 64) else { throw damaged("its schema has times of \(bits) bits") }
    return "tt" + unit
  case FlatType.timestamp: return "ts\(try unit(default: 0)):" + (try type.text(1, "a time zone of it", budget))
  case FlatType.interval: return try choice(FlatType.intervals, try type.int(0, Int16.self))
  case FlatType.union:
    let ids = try type.vector(1, stride: 4)
    try budget.take(byteCount: 4 * ids.count)
    var numbers = ids.count == 0 ? Array(0..<childCount) : []
    for index in 0..<ids.count { numbers.append(try ids.int(index, Int32.self)) }
    return (try type.int(0, Int16.self) == 1 ? "+ud:" : "+us:") + numbers.map(String.init).joined(separator: ",")
  case FlatType.fixedBinary: return "w:\(try type.int(0, Int32.self))"
  case FlatType.fixedList: return "+w:\(try type.int(0, Int32.self))"
  case FlatType.map: return "+m"
  case FlatType.duration: return "tD" + (try unit(default: 1))
  default: throw CacheError(.type, "its schema has a type with the number \(number), which is not known: write it with standard types")
  }
}
