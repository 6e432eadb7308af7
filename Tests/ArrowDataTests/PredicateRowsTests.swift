import ArrowData
import CArrow
import Testing

/// Rows that predicates choose, against the same predicates asked of each value by itself.
@Suite struct PredicateRowsTests {
  /// A value as DuckDB orders it.
  private enum Known {
    case null
    case integer(Int128)
    case number(Double)
    case text([UInt8])

    /// Below 0, 0 or above; nil where a null or another kind is compared.
    func order(_ other: Known) -> Int? {
      switch (self, other) {
      case (.integer(let left), .integer(let right)): left < right ? -1 : left > right ? 1 : 0
      case (.number(let left), .number(let right)):
        left.isNaN || right.isNaN ? (left.isNaN ? 1 : 0) - (right.isNaN ? 1 : 0) : left < right ? -1 : left > right ? 1 : 0
      case (.text(let left), .text(let right)): left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
      default: nil
      }
    }
  }

  private struct Column {
    let field: Field
    let array: ArraySpec
    let values: [Known]
    let literals: [Predicate.Literal]
  }

  private static func known(_ literal: Predicate.Literal) -> Known {
    switch literal {
    case .int(let value): .integer(Int128(value))
    case .uint(let value): .integer(Int128(value))
    case .wide(let value): .integer(value)
    case .double(let value): .number(value)
    case .bytes(let value): .text(value)
    }
  }

  private static func satisfies(_ predicate: Predicate, _ row: Int, _ columns: [Column]) -> Bool {
    func value(_ column: Int) -> Known { columns[column].values[row] }
    switch predicate {
    case .unknown, .meets: return true
    case .and(let parts): return parts.allSatisfy { satisfies($0, row, columns) }
    case .or(let parts): return parts.contains { satisfies($0, row, columns) }
    case .isNull(let column): if case .null = value(column) { return true } else { return false }
    case .isNotNull(let column): if case .null = value(column) { return false } else { return true }
    case .isIn(let column, let literals): return literals.contains { value(column).order(known($0)) == 0 }
    case .prefix(let column, let prefix): if case .text(let text) = value(column) { return text.starts(with: prefix) } else { return false }
    case .compare(let column, let comparison, let literal):
      guard let order = value(column).order(known(literal)) else { return false }
      return switch comparison {
      case .equal: order == 0
      case .notEqual: order != 0
      case .less: order < 0
      case .lessOrEqual: order <= 0
      case .greater: order > 0
      case .greaterOrEqual: order >= 0
      }
    }
  }

  private static let words = ["", "a", "ab", "abc", "b", "ab\0", "twelve bytes", "thirteen byte", "thirteen bytf", "\u{e9}", "Z"]
  private static let texts: [[UInt8]] = words.map { Array($0.utf8) } + [[255], [0]] as [[UInt8]]

  private static func integers<Number: FixedWidthInteger>(
    _ format: String, _: Number.Type, _ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator,
    literal: (Int128) -> Predicate.Literal
  ) throws -> Column {
    var pool: [Number] = [.min, .max, 0, 1, 2, 5, Number.max - 1, Number.min + 1]
    for _ in 0..<4 { pool.append(Number.random(in: .min ... .max, using: &random)) }
    let values: [Number?] = (0..<count).map { _ in hasNulls && Int.random(in: 0...3, using: &random) == 0 ? nil : pool.randomElement(using: &random) }
    var constants = pool.map { Int128($0) }
    if Number.bitWidth < 128 { constants += [Int128(Number.min) - 1, Int128(Number.max) + 1] }
    return Column(
      field: try Field(name: "", format: format), array: ArrowDataTests.column(values, offset: offset),
      values: values.map { $0.map { .integer(Int128($0)) } ?? .null }, literals: constants.map(literal))
  }

  private static func floats(_ format: String, _ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    let pool = [0.0, -0.0, .nan, -Double.nan, .infinity, -.infinity, 1, 1.5, -2, 5e-324, 3.3, Double(Float(3.3))]
    let isFloat = format == "f"
    let values: [Double?] = (0..<count).map { _ in
      guard !hasNulls || Int.random(in: 0...3, using: &random) > 0, let value = pool.randomElement(using: &random) else { return nil }
      return isFloat ? Double(Float(value)) : value
    }
    let filled = [Double](repeating: 1, count: offset) + values.map { $0 ?? 1 }
    let bits = [Bool](repeating: true, count: offset) + values.map { $0 != nil }
    let array = ArraySpec(
      length: Int64(count), nullCount: -1, offset: Int64(offset), buffers: [bytes(bits), isFloat ? bytes(filled.map { Float($0) }) : bytes(filled)])
    return Column(
      field: try Field(name: "", format: format), array: array, values: values.map { $0.map { .number($0) } ?? .null }, literals: pool.map { .double($0) })
  }

  private static func texts(_ format: String, _ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    let values = (0..<count).map { _ in hasNulls && Int.random(in: 0...3, using: &random) == 0 ? nil : texts.randomElement(using: &random) }
    return Column(
      field: try Field(name: "", format: format), array: textColumn(values, format: format, offset: offset),
      values: values.map { $0.map { .text($0) } ?? .null }, literals: texts.map { .bytes($0) })
  }

  /// Texts behind indices; some of the dictionary's own values are null, which makes the rows so.
  private static func encoded(_ index: String, _ format: String, _ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    let dictionary: [[UInt8]?] = texts + (hasNulls ? [nil] : [])
    let codes: [Int?] = (0..<count).map { _ in hasNulls && Int.random(in: 0...3, using: &random) == 0 ? nil : Int.random(in: 0..<dictionary.count, using: &random) }
    var array: ArraySpec =
      switch index {
      case "c": ArrowDataTests.column(codes.map { $0.map { Int8($0) } }, offset: offset)
      case "S": ArrowDataTests.column(codes.map { $0.map { UInt16($0) } }, offset: offset)
      case "i": ArrowDataTests.column(codes.map { $0.map { Int32($0) } }, offset: offset)
      default: ArrowDataTests.column(codes.map { $0.map { Int64($0) } }, offset: offset)
      }
    array.dictionary = [textColumn(dictionary, format: format, offset: 2)]
    return Column(
      field: try Field(name: "", format: index, dictionary: Field(name: "", format: format)), array: array,
      values: codes.map { $0.flatMap { dictionary[$0] }.map { .text($0) } ?? .null }, literals: texts.map { .bytes($0) })
  }

  private static func bits(_ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    let values: [Bool?] = (0..<count).map { _ in hasNulls && Int.random(in: 0...3, using: &random) == 0 ? nil : Bool.random(using: &random) }
    let junk = [Bool](repeating: true, count: offset)
    return Column(
      field: try Field(name: "", format: "b"),
      array: ArraySpec(
        length: Int64(count), nullCount: Int64(values.count { $0 == nil }), offset: Int64(offset),
        buffers: [hasNulls ? bytes(junk + values.map { $0 != nil }) : nil, bytes(junk + values.map { $0 ?? true })]),
      values: values.map { $0.map { .integer($0 ? 1 : 0) } ?? .null }, literals: [.int(0), .int(1), .int(2), .int(-1), .uint(1)])
  }

  /// Decimals of 128 bits whose type fits into half of them.
  private static func shortDecimals(_ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    let most: Int128 = 999_999_999_999_999_999
    let pool: [Int128] = [0, 1, -1, 5, 700, most, -most, most - 1, 1 << 40, -(1 << 40)]
    let values: [Int128?] = (0..<count).map { _ in hasNulls && Int.random(in: 0...3, using: &random) == 0 ? nil : pool.randomElement(using: &random) }
    return Column(
      field: try Field(name: "", format: "d:18,2"), array: ArrowDataTests.column(values, offset: offset),
      values: values.map { $0.map { .integer($0) } ?? .null },
      literals: (pool + [most + 1, 1 << 63, -(1 << 63), 1 << 64, .min, .max]).map { .wide($0) })
  }

  private static let kindCount = 22

  private static func column(_ kind: Int, _ count: Int, _ offset: Int, _ hasNulls: Bool, _ random: inout SeededGenerator) throws -> Column {
    switch kind {
    case 0: try integers("c", Int8.self, count, offset, hasNulls, &random) { .int(Int64($0)) }
    case 1: try integers("s", Int16.self, count, offset, hasNulls, &random) { .int(Int64($0)) }
    case 2: try integers("tdD", Int32.self, count, offset, hasNulls, &random) { .int(Int64($0)) }
    case 3: try integers("tsn:UTC", Int64.self, count, offset, hasNulls, &random) { Int64(exactly: $0).map { .int($0) } ?? .wide($0) }
    case 4: try integers("C", UInt8.self, count, offset, hasNulls, &random) { UInt64(exactly: $0).map { .uint($0) } ?? .int(Int64($0)) }
    case 5: try integers("S", UInt16.self, count, offset, hasNulls, &random) { .int(Int64($0)) }
    case 6: try integers("I", UInt32.self, count, offset, hasNulls, &random) { .int(Int64($0)) }
    case 7: try integers("L", UInt64.self, count, offset, hasNulls, &random) { UInt64(exactly: $0).map { .uint($0) } ?? .wide($0) }
    case 8: try integers("d:9,2,32", Int32.self, count, offset, hasNulls, &random) { .wide($0) }
    case 9: try integers("d:38,2", Int128.self, count, offset, hasNulls, &random) { .wide($0) }
    case 10: try floats("f", count, offset, hasNulls, &random)
    case 11: try floats("g", count, offset, hasNulls, &random)
    case 12: try texts("u", count, offset, hasNulls, &random)
    case 13: try texts("U", count, offset, hasNulls, &random)
    case 14: try texts("vu", count, offset, hasNulls, &random)
    case 15: try texts("vz", count, offset, hasNulls, &random)
    case 16: try encoded("c", "u", count, offset, hasNulls, &random)
    case 17: try encoded("S", "U", count, offset, hasNulls, &random)
    case 18: try encoded("i", "vu", count, offset, hasNulls, &random)
    case 19: try encoded("l", "z", count, offset, hasNulls, &random)
    case 20: try shortDecimals(count, offset, hasNulls, &random)
    default: try bits(count, offset, hasNulls, &random)
    }
  }

  private static func predicate(_ columns: [Column], depth: Int, _ random: inout SeededGenerator) -> Predicate {
    if depth > 0, Int.random(in: 0...2, using: &random) > 0 {
      let parts = (0..<Int.random(in: 0...3, using: &random)).map { _ in predicate(columns, depth: depth - 1, &random) }
      return Bool.random(using: &random) ? .and(parts) : .or(parts)
    }
    let column = Int.random(in: 0..<columns.count, using: &random)
    let literals = columns[column].literals
    let literal = literals[Int.random(in: 0..<literals.count, using: &random)]
    switch Int.random(in: 0...12, using: &random) {
    case 0: return .isNull(column: column)
    case 1: return .isNotNull(column: column)
    case 2: return Int.random(in: 0...3, using: &random) == 0 ? .unknown : .isNull(column: column)
    case 3, 4: return .isIn(column: column, (0..<Int.random(in: 0...6, using: &random)).map { _ in literals[Int.random(in: 0..<literals.count, using: &random)] })
    case 5 where literal.isText:
      guard case .bytes(let bytes) = literal else { return .unknown }
      return .prefix(column: column, Array(bytes.prefix(Int.random(in: 0...3, using: &random))))
    default:
      let comparisons: [Predicate.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
      let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        let other = literals[Int.random(in: 0..<literals.count, using: &random)]
        return Predicate.compare(column: column, comparisons[Int.random(in: 0..<6, using: &random)], other)
      }
      return parts.count == 1 ? parts[0] : .and(parts)
    }
  }

  @Test(arguments: 0..<kindCount)
  func chosenAreThoseThatSatisfy(kind: Int) throws {
    var random = SeededGenerator(UInt64(kind) &* 7919 &+ 17)
    for count in [0, 1, 63, 64, 65, 130, 2047, 2049] {
      for (offset, hasNulls) in [(0, false), (0, true), (11, true)] {
        let columns = [
          try Self.column(kind, count, offset, hasNulls, &random),
          try Self.column(Int.random(in: 0..<Self.kindCount, using: &random), count, offset, !hasNulls, &random),
        ]
        let schema = Schema(fields: columns.map(\.field))
        let batch = try ArraySpec.table(columns.map(\.array), length: count).batch(schema, ReleaseCounter())
        for _ in 0..<(count > 2000 ? 5 : 30) {
          let predicate = Self.predicate(columns, depth: 2, &random)
          let first = Int.random(in: 0...count, using: &random)
          for range in [0..<count, first..<count, (count - first)..<count] {
            var mask = RowMask(count: range.count, isFull: true)
            predicate.narrow(&mask, batch, offset: range.lowerBound) { $0 }
            let expected = range.filter { Self.satisfies(predicate, $0, columns) }
            let found = mask.rows().map { Int($0) + range.lowerBound }
            let isAlike = found == expected && mask.population == expected.count && mask.isEmpty == expected.isEmpty
            #expect(isAlike, "\(predicate) of \(schema.fields.map(\.format)), rows \(range): \(found), not \(expected)")
          }
        }
      }
    }
  }

  @Test func whatIsNotUnderstoodStays() throws {
    let ints = ArrowDataTests.column([Int64(1), nil, 3])
    let batch = try ArraySpec.table([ints], length: 3).batch(schema("l"), ReleaseCounter())
    func rows(_ predicate: Predicate, place: (Int) -> Int? = { $0 }) -> [UInt32] {
      var mask = RowMask(count: 3, isFull: true)
      predicate.narrow(&mask, batch, offset: 0, place: place)
      return mask.rows()
    }
    let one = Predicate.compare(column: 0, .equal, .int(1))
    #expect(rows(one) == [0])
    #expect(rows(.compare(column: 0, .equal, .double(1))) == [0, 1, 2])
    #expect(rows(.compare(column: 0, .equal, .bytes([1]))) == [0, 1, 2])
    #expect(rows(.prefix(column: 0, [1])) == [0, 1, 2])
    #expect(rows(one, place: { _ in nil }) == [0, 1, 2])
    #expect(rows(.or([one, .unknown])) == [0, 1, 2] && rows(.and([one, .unknown])) == [0])
    #expect(rows(.or([one, .compare(column: 0, .equal, .double(1))])) == [0, 1, 2])
    #expect(rows(.or([])) == [] && rows(.and([])) == [0, 1, 2])
    // Rows beyond the batch.
    var mask = RowMask(count: 3, isFull: true)
    one.narrow(&mask, batch, offset: 1) { $0 }
    #expect(mask.rows() == [0, 1, 2])
    #expect(one.isUnderstood && Predicate.and([one, .unknown]).isUnderstood && !Predicate.or([one, .unknown]).isUnderstood)
    #expect(Predicate.or([one, .isNull(column: 7)]).columns == [0, 7])
  }

  @Test func decimalsBeyondTheirTypeStay() throws {
    // 2^64 + 1 has the low half of 1.
    let values = ArrowDataTests.column([Int128(1), (1 << 64) + 1, 7, -(1 << 70), nil])
    let batch = try ArraySpec.table([values], length: 5).batch(Schema(fields: [Field(name: "d", format: "d:15,2")]), ReleaseCounter())
    func rows(_ predicate: Predicate) -> [UInt32] {
      var mask = RowMask(count: 5, isFull: true)
      predicate.narrow(&mask, batch, offset: 0) { $0 }
      return mask.rows()
    }
    func compare(_ comparison: Predicate.Comparison, _ value: Int128) -> Predicate { .compare(column: 0, comparison, .wide(value)) }
    #expect(rows(compare(.equal, 7)) == [1, 2, 3] && rows(compare(.less, 7)) == [0, 1, 3])
    #expect(rows(.and([compare(.greater, 1), compare(.lessOrEqual, 7)])) == [1, 2, 3])
    #expect(rows(.and([compare(.greater, 7), compare(.less, 1)])) == [1, 3])
  }

  @Test func comparisonsOfOneColumnAreOneRange() throws {
    let values: [Int32] = [-5, 0, 3, 4, 5, 9]
    let batch = try ArraySpec.table([ArrowDataTests.column(values)], length: 6).batch(schema("i"), ReleaseCounter())
    func rows(_ parts: [(Predicate.Comparison, Int64)]) -> [Int32] {
      var mask = RowMask(count: 6, isFull: true)
      Predicate.and(parts.map { .compare(column: 0, $0, .int($1)) }).narrow(&mask, batch, offset: 0) { $0 }
      return mask.rows().map { values[Int($0)] }
    }
    #expect(rows([(.greaterOrEqual, 0), (.less, 5)]) == [0, 3, 4] && rows([(.greater, -5), (.lessOrEqual, 9), (.notEqual, 3)]) == [0, 4, 5, 9])
    #expect(rows([(.greater, 4), (.less, 4)]) == [] && rows([(.equal, 4), (.greaterOrEqual, 4)]) == [4] && rows([(.equal, 4), (.greater, 4)]) == [])
    #expect(rows([(.greater, Int64.min), (.less, Int64.max)]) == values && rows([(.less, Int64.min), (.less, 7)]) == [])
  }

  @Test func damagedTextsStay() throws {
    // The second text ends beyond the data, the index of the third row is none of the dictionary's.
    let broken = ArraySpec(length: 3, buffers: [nil, bytes([Int32(0), 90, 1, 2]), [97, 98]])
    let codes = ArraySpec(length: 3, buffers: [nil, [0, 1, 9]], dictionary: [ArrowDataTests.column(["x", "y"])])
    let fields = [try Field(name: "t", format: "u"), try Field(name: "d", format: "C", dictionary: Field(name: "", format: "u"))]
    let batch = try ArraySpec.table([broken, codes], length: 3).batch(Schema(fields: fields), ReleaseCounter())
    for (column, expected) in [(0, [UInt32(0), 1]), (1, [2])] {
      var mask = RowMask(count: 3, isFull: true)
      Predicate.compare(column: column, .equal, .bytes(Array("zz".utf8))).narrow(&mask, batch, offset: 0) { $0 }
      #expect(mask.rows() == expected)
    }
  }

  @Test func masksOfRuns() {
    var mask = RowMask(count: 200, isFull: false)
    #expect(mask.runCount == 0 && mask.isEmpty)
    mask.insert(3..<10)
    mask.insert(60..<70)
    mask.insert(199..<300)
    #expect(mask.runCount == 3 && mask.population == 18 && mask[3] && mask[69] && !mask[70] && !mask[-1] && !mask[200])
    #expect(mask.runs() == [3, 10, 60, 70, 199, 200] && RowMask(count: 64, isFull: true).runs() == [0, 64])
    var same = RowMask(count: 200, isFull: false)
    same.insert(bits: mask.bits())
    #expect(same.rows() == mask.rows())
    for first in [0, 1, 64, 100] {
      var larger = RowMask(count: 300, isFull: false)
      larger.insert(mask, at: first)
      #expect(larger.rows() == mask.rows().map { $0 + UInt32(first) })
      larger.insert(mask, at: 101)
      #expect(larger.population == mask.population)
    }
    #expect(RowMask(count: 128, isFull: true).runCount == 1 && RowMask(count: 0, isFull: true).isEmpty)
  }
}

extension Predicate.Literal {
  fileprivate var isText: Bool { if case .bytes = self { true } else { false } }
}
