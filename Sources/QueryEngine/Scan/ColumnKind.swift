import ArrowData

/// How a column gets into a DuckDB vector.
enum ColumnKind: Sendable, Equatable {
  /// Values of this many bytes that both sides store alike: copied as they are.
  case fixed(Int)
  case bits
  /// Half floats, widened to FLOAT.
  case halfFloat
  /// Decimals of 128 bits, kept by DuckDB in this many bytes by their precision.
  case decimal(Int)
  /// Strings or bytes behind offsets: DuckDB's string headers are built over Arrow's bytes.
  case text32, text64, textView
  /// Values in a dictionary: indices of this many bytes.
  case dictionaryText(indexBytes: Int, offsetBytes: Int)
  case dictionaryFixed(indexBytes: Int, byteWidth: Int)
  /// Whole numbers of so many bytes, kept as unsigned distances from a number.
  case narrow(bytes: Int, target: Int, base: Int64)
  /// Structs, whose columns are filled one by one; DuckDB 2.0 only.
  indirect case structure([ColumnKind])
  /// Everything else: DuckDB's own conversion from Arrow.
  case converted

  /// Whether vectors point into the column's memory, for strings of more than 12 bytes.
  var isText: Bool {
    switch self {
    case .text32, .text64, .textView, .dictionaryText: true
    case .structure(let kinds): kinds.contains(where: \.isText)
    case .fixed, .bits, .halfFloat, .decimal, .dictionaryFixed, .narrow, .converted: false
    }
  }

  /// Whether rows can be brought together before they are filled (`PickedColumn`).
  var canBePicked: Bool { if case .structure = self { false } else { self != .converted } }

  /// Texts as they are.
  var isPlainText: Bool { [.text32, .text64, .textView].contains(self) }

  /// DuckDB's types, by name; each API has its own numbers.
  enum SQLType: Sendable {
    case boolean, tinyint, smallint, integer, bigint, utinyint, usmallint, uinteger, ubigint, float, double
    case date, time, timestamp, timestampS, timestampMS, timestampNS, timestampTZ, varchar, blob
  }

  /// The way for a field, and its type where no conversion decides it.
  ///
  /// - Parameter decodesNumbers: whether dictionaries of numbers and times are decoded here too, for DuckDB 1.5, which reads null indices
  ///   wrongly.
  static func of(_ field: Field, decodesNumbers: Bool) -> (kind: ColumnKind, type: SQLType?) {
    if field.isExtension { return (.converted, nil) }
    if let values = field.dictionary {
      guard let index = indexBytes(field.format), !values.isExtension, values.dictionary == nil else { return (.converted, nil) }
      let (kind, type) = of(values, decodesNumbers: decodesNumbers)
      switch kind {
      case .text32: return (.dictionaryText(indexBytes: index, offsetBytes: 4), type)
      case .text64: return (.dictionaryText(indexBytes: index, offsetBytes: 8), type)
      case .fixed(let width) where decodesNumbers: return (.dictionaryFixed(indexBytes: index, byteWidth: width), type)
      default: return (.converted, nil)
      }
    }
    switch field.format {
    case "b": return (.bits, .boolean)
    case "c": return (.fixed(1), .tinyint)
    case "C": return (.fixed(1), .utinyint)
    case "s": return (.fixed(2), .smallint)
    case "S": return (.fixed(2), .usmallint)
    case "i": return (.fixed(4), .integer)
    case "I": return (.fixed(4), .uinteger)
    case "l": return (.fixed(8), .bigint)
    case "L": return (.fixed(8), .ubigint)
    case "e": return (.halfFloat, .float)
    case "f": return (.fixed(4), .float)
    case "g": return (.fixed(8), .double)
    case "tdD": return (.fixed(4), .date)
    case "ttu": return (.fixed(8), .time)
    case "tss:": return (.fixed(8), .timestampS)
    case "tsm:": return (.fixed(8), .timestampMS)
    case "tsu:": return (.fixed(8), .timestamp)
    case "tsn:": return (.fixed(8), .timestampNS)
    case "u": return (.text32, .varchar)
    case "U": return (.text64, .varchar)
    case "vu": return (.textView, .varchar)
    case "z": return (.text32, .blob)
    case "Z": return (.text64, .blob)
    case "vz": return (.textView, .blob)
    default:
      if let bytes = decimalBytes(field.format) { return (.decimal(bytes), nil) }
      // With a zone only microseconds are stored alike.
      return field.format.hasPrefix("tsu:") ? (.fixed(8), .timestampTZ) : (.converted, nil)
    }
  }

  /// The way for a struct of values that need no conversion, and of such structs; nil for all others.
  static func structure(_ field: Field) -> ColumnKind? {
    guard field.format == "+s", !field.isExtension, field.dictionary == nil, !field.children.isEmpty else { return nil }
    var kinds: [ColumnKind] = []
    for child in field.children {
      let kind = structure(child) ?? (child.dictionary == nil ? of(child, decodesNumbers: false).kind : .converted)
      guard kind != .converted else { return nil }
      kinds.append(kind)
    }
    return .structure(kinds)
  }

  /// What a whole number takes in a vector, where values may be kept narrow.
  var narrowTarget: Int? {
    switch self {
    case .fixed(let width) where width > 1: width
    case .decimal(let bytes) where bytes <= 8: bytes
    default: nil
    }
  }

  /// The way for a column of this batch, which the cache may have dictionary-encoded or narrowed; `usual` is the way by the table's own schema.
  static func of(_ column: Int, in batch: RecordBatch, usual: ColumnKind) -> ColumnKind {
    let field = batch.schema.fields[column]
    if let base = field.narrowBase, let bytes = indexBytes(field.format), let target = usual.narrowTarget {
      return .narrow(bytes: bytes, target: target, base: Int64(truncatingIfNeeded: base))
    }
    guard field.encodedFormat != nil, let index = indexBytes(field.format) else { return usual }
    return .dictionaryText(indexBytes: index, offsetBytes: 4)
  }

  /// As DuckDB stores a decimal by its precision; nil for what is no decimal of 128 bits that DuckDB has.
  private static func decimalBytes(_ format: String) -> Int? {
    guard format.hasPrefix("d:") else { return nil }
    let parts = format.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2 || parts.count == 3 && parts[2] == 128, let precision = parts[0], let scale = parts[1], scale >= 0, scale <= precision
    else { return nil }
    return switch precision {
    case 1...4: 2
    case 5...9: 4
    case 10...18: 8
    case 19...38: 16
    default: nil
    }
  }

  private static func indexBytes(_ format: String) -> Int? {
    switch format {
    case "c", "C": 1
    case "s", "S": 2
    case "i", "I": 4
    case "l", "L": 8
    default: nil
    }
  }

  /// Why DuckDB may not be given the field, where that is so: values that it is known to read wrongly, or to break or crash on.
  static func refusal(_ field: Field, isStableAPI: Bool) -> String? {
    if let values = field.dictionary, values.containsDictionary { return "a dictionary inside a dictionary breaks DuckDB" }
    if field.format == "+r", let values = field.children.last, !values.children.isEmpty || values.dictionary != nil {
      return "DuckDB misreads run-end-encoded values that are nested or dictionary-encoded"
    }
    if isStableAPI, field.format.hasPrefix("+v") { return "DuckDB 1.5 crashes on list views" }
    // A plain list of dictionary-encoded values is read well by DuckDB 2.0, and nothing else that has them inside.
    let isPlainList = !isStableAPI && (field.format == "+l" || field.format == "+L")
    if !isPlainList, field.children.contains(where: { $0.dictionary != nil }) {
      return "DuckDB misreads dictionary-encoded values inside a nested type"
    }
    for child in field.children + [field.dictionary].compactMap({ $0 }) {
      if let refusal = refusal(child, isStableAPI: isStableAPI) { return refusal }
    }
    return nil
  }
}

extension Field {
  fileprivate var containsDictionary: Bool { dictionary != nil || children.contains { $0.containsDictionary } }
}
