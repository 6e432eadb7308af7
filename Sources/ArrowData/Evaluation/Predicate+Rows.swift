import CArrow

extension Predicate {
  /// Takes the rows that cannot satisfy this out of `mask`, which is about rows `offset ..< offset + mask.count` of the batch.
  ///
  /// Exact for what is understood, in DuckDB's order of values; a condition, a type or a value that is not stays wanted.
  ///
  /// - Parameter place: where the batch has a column of the table; nil: nowhere.
  public func narrow(_ mask: inout RowMask, _ batch: RecordBatch, offset: Int, place: (Int) -> Int?) {
    func rows(_ column: Int, _ body: (TestedColumn) -> Void) {
      guard let index = place(column), batch.schema.fields.indices.contains(index), offset >= 0,
        offset <= batch.rowCount, mask.count <= batch.rowCount - offset
      else { return }
      body(TestedColumn(batch.schema.fields[index], batch.column(index).pointee, offset: offset, count: mask.count))
    }
    if mask.count == 0 || mask.isEmpty { return }
    switch self {
    case .unknown, .meets: return
    case .and(let parts):
      let (ranges, rest) = ValueRanges.collect(parts)
      for (column, test) in ranges { rows(column) { $0.narrow(&mask, test) } }
      for part in rest { part.narrow(&mask, batch, offset: offset, place: place) }
    case .or(let parts):
      if !isUnderstood { return }
      var found = RowMask(count: mask.count, isFull: false)
      for part in parts {
        var branch = mask.copy()
        part.narrow(&branch, batch, offset: offset, place: place)
        found.formUnion(branch)
      }
      mask.formIntersection(found)
    case .isNull(let column): rows(column) { $0.narrowToNulls(&mask) }
    case .isNotNull(let column): rows(column) { $0.narrowToValues(&mask) }
    case .compare(let column, let comparison, let literal): rows(column) { $0.narrow(&mask, .compare(comparison, literal)) }
    case .isIn(let column, let literals): rows(column) { $0.narrow(&mask, .isIn(literals)) }
    case .prefix(let column, let bytes): rows(column) { $0.narrow(&mask, .prefix(bytes)) }
    }
  }

  /// The columns of the table that are looked at.
  public var columns: Set<Int> {
    switch self {
    case .unknown: []
    case .meets(let column, _): [column]
    case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion($1.columns) }
    case .isNull(let column), .isNotNull(let column), .compare(let column, _, _), .isIn(let column, _), .prefix(let column, _): [column]
    }
  }

  /// Whether some row could be told not to satisfy this.
  public var isUnderstood: Bool {
    switch self {
    case .unknown, .meets: false
    case .and(let parts): parts.contains { $0.isUnderstood }
    case .or(let parts): parts.allSatisfy { $0.isUnderstood }
    default: true
    }
  }
}

/// Rows of one column that are tested.
struct TestedColumn {
  let field: Field
  let range: ValueRange

  init(_ field: Field, _ array: ArrowArray, offset: Int, count: Int) {
    self.field = field
    range = ValueRange(array, layout: field.layout, offset: offset, count: count)
  }

  func narrowToNulls(_ mask: inout RowMask) {
    guard field.layout.hasValidity else { return }
    var nulls = mask.copy()
    if let validity = range.validity { nulls.narrow(bits: validity, first: range.first, isNegated: true) } else { nulls.removeAll() }
    if dictionaryHasNulls {
      if let validity = range.validity { mask.narrow(bits: validity, first: range.first) }
      narrowEncoded(&mask) { $0.narrowToNulls(&$1) }
      mask.formUnion(nulls)
    } else {
      mask.formIntersection(nulls)
    }
  }

  func narrowToValues(_ mask: inout RowMask) {
    if case .null = field.layout { return mask.removeAll() }
    if let validity = range.validity { mask.narrow(bits: validity, first: range.first) }
    if dictionaryHasNulls { narrowEncoded(&mask) { $0.narrowToValues(&$1) } }
  }

  private var dictionaryHasNulls: Bool {
    guard field.dictionary != nil, let dictionary = range.array.dictionary?.pointee else { return false }
    return dictionary.null_count != 0 && dictionary.buffer(0) != nil
  }

  func narrow(_ mask: inout RowMask, _ test: ValueTest) {
    guard isTestable(test) else { return }
    if let validity = range.validity { mask.narrow(bits: validity, first: range.first) }
    if mask.isEmpty { return }
    if field.dictionary != nil { return narrowEncoded(&mask) { $0.narrow(&$1, test) } }
    let test = field.narrowBase.map { test.shifted(by: $0) } ?? test
    switch field.format {
    case "b": narrowBits(&mask, test)
    case "c": narrow(&mask, Int8.self, test)
    case "s": narrow(&mask, Int16.self, test)
    case "i", "tdD", "tts", "ttm": narrow(&mask, Int32.self, test)
    case "l", "tdm", "ttu", "ttn": narrow(&mask, Int64.self, test)
    case "C": narrow(&mask, UInt8.self, test)
    case "S": narrow(&mask, UInt16.self, test)
    case "I": narrow(&mask, UInt32.self, test)
    case "L": narrow(&mask, UInt64.self, test)
    case "f": narrow(&mask, floats: Float.self, test)
    case "g": narrow(&mask, floats: Double.self, test)
    case "u", "z": if let texts = OffsetTexts<Int32>(range.array) { narrow(&mask, texts, test) }
    case "U", "Z": if let texts = OffsetTexts<Int64>(range.array) { narrow(&mask, texts, test) }
    case "vu", "vz": if let texts = ViewTexts(range.array) { narrow(&mask, texts, test) }
    default:
      if field.format.utf8.starts(with: "ts".utf8) { return narrow(&mask, Int64.self, test) }
      guard field.format.utf8.starts(with: "d:".utf8), case .fixed(let width) = field.layout else { return }
      switch width {
      case 4: narrow(&mask, Int32.self, test)
      case 8: narrow(&mask, Int64.self, test)
      case 16: narrowWide(&mask, test)
      default: return
      }
    }
  }

  /// Whether a test says something of this column's values, so that nulls at least can be told from what satisfies it.
  private func isTestable(_ test: ValueTest) -> Bool {
    guard !field.isExtension, field.layout.hasValidity, !(field.dictionary?.isExtension ?? false) else { return false }
    let values = field.dictionary ?? field
    guard values.dictionary == nil, values.children.isEmpty else { return false }
    func fits(_ literal: Predicate.Literal) -> Bool {
      switch (values.layout, literal) {
      case (.binary, .bytes), (.view, .bytes): true
      case (.fixed, .double): values.format == "f" || values.format == "g"
      case (.fixed, .int), (.fixed, .uint), (.fixed, .wide): !["e", "f", "g"].contains(values.format)
      case (.bits, .int), (.bits, .uint): true
      default: false
      }
    }
    return switch test {
    case .compare(_, let literal): fits(literal)
    case .isIn(let literals): literals.allSatisfy(fits)
    case .within: fits(.int(0))
    case .between: fits(.double(0))
    case .prefix: fits(.bytes([]))
    }
  }
}
