import Primitives

/// The `Schema` table of an Arrow file.
func flatSchema(_ schema: Schema, _ fields: [NumberedField]) throws(CacheError) -> FlatObject {
  var objects: [FlatObject] = []
  for field in fields { objects.append(try field.flat()) }
  return .table([.int16(0), .tables(objects), flatKeyValues(schema.metadata)])
}

func flatKeyValues(_ pairs: KeyValues) -> FlatSlot? {
  pairs.isEmpty ? nil : .tables(pairs.map { .table([.object(.bytes($0.key)), .object(.bytes($0.value))]) })
}

extension NumberedField {
  fileprivate func flat() throws(CacheError) -> FlatObject {
    // A dictionary-encoded field has the type and the children of its values there, its own type in the encoding.
    let typed = values ?? self
    let type = try typed.field.flatType()
    var encoding: FlatSlot?
    if let dictionaryID {
      encoding = .table([.int64(dictionaryID), .table(try field.flatType().slots), .bool(field.dictionaryOrdered)])
    }
    var objects: [FlatObject] = []
    for child in typed.children { objects.append(try child.flat()) }
    return .table([
      .string(field.name), .bool(field.nullable), .int8(type.number), .table(type.slots), encoding, .tables(objects),
      flatKeyValues(field.metadata),
    ])
  }
}

extension Field {
  fileprivate func flatType() throws(CacheError) -> (number: Int, slots: [FlatSlot?]) {
    if let plain = FlatType.plain.first(where: { $0.format == format }) { return (plain.number, []) }
    if let integer = FlatType.integers.first(where: { $0.1 == format || $0.2 == format }) {
      return (FlatType.int, [.int32(integer.0), .bool(integer.1 == format)])
    }
    if let precision = FlatType.floats.firstIndex(of: format) { return (FlatType.float, [.int16(precision)]) }
    if let unit = FlatType.intervals.firstIndex(of: format) { return (FlatType.interval, [.int16(unit)]) }

    let head = String(format.prefix { $0 != ":" })
    let argument = format.dropFirst(head.count + 1)
    let numbers = argument.split(separator: ",").map { Int($0) ?? 0 }
    let unit = FlatType.units.firstIndex { head.hasSuffix($0) } ?? 0
    switch (head, numbers.count) {
    case ("d", 2), ("d", 3): return (FlatType.decimal, [.int32(numbers[0]), .int32(numbers[1]), .int32(numbers.count == 3 ? numbers[2] : 128)])
    case ("w", 1): return (FlatType.fixedBinary, [.int32(numbers[0])])
    case ("+w", 1): return (FlatType.fixedList, [.int32(numbers[0])])
    case ("+m", _): return (FlatType.map, [.bool(keysSorted)])
    case ("+ud", _), ("+us", _): return (FlatType.union, [.int16(head == "+ud" ? 1 : 0), .object(.int32s(numbers))])
    case ("tdD", _): return (FlatType.date, [.int16(0)])
    case ("tdm", _): return (FlatType.date, [.int16(1)])
    case ("tts", _), ("ttm", _): return (FlatType.time, [.int16(unit), .int32(32)])
    case ("ttu", _), ("ttn", _): return (FlatType.time, [.int16(unit), .int32(64)])
    case ("tss", _), ("tsm", _), ("tsu", _), ("tsn", _):
      return (FlatType.timestamp, [.int16(unit), argument.isEmpty ? nil : .string(String(argument))])
    case ("tDs", _), ("tDm", _), ("tDu", _), ("tDn", _): return (FlatType.duration, [.int16(unit)])
    default: throw CacheError(.type, "Arrow format '\(format)' cannot be written to an Arrow file: cast column '\(name)' to a standard type")
    }
  }
}
