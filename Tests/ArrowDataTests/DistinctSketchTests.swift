import CArrow
import Testing

@testable import ArrowData

@Suite struct DistinctSketchTests {
  /// Counts that fill no register twice, some, and all of them; the hashes are fixed, so are the errors.
  @Test(arguments: [0, 1, 2, 100, 700, 2000, 4000, 10_000, 200_000])
  func estimatesAreWithinTheErrorOfTheSketch(count: Int) throws {
    let values = (0..<max(1, 3 * count)).map { count == 0 ? nil : Int64($0 % count) * 1_000_003 }
    let batch = try ArraySpec.table([ArrowDataTests.column(values)], length: values.count).batch(schema("l"), ReleaseCounter())
    let estimate = try #require(Self.estimate([RecordBatchSlice(batch, offset: 0, count: values.count)]))
    #expect(abs(Double(estimate - count)) <= 0.1 * Double(count), "\(estimate) for \(count)")
    if count <= 2 { #expect(estimate == count) }
  }

  @Test func slicesAreOneSet() throws {
    let batch = try ArraySpec.table([ArrowDataTests.column((0..<500).map { Int64($0 % 300) }, offset: 3)], length: 500).batch(schema("l"), ReleaseCounter())
    let slices = [(0, 100), (100, 0), (50, 250), (499, 1)].map { RecordBatchSlice(batch, offset: $0.0, count: $0.1) }
    let estimate = try #require(Self.estimate(slices))
    #expect((290...310).contains(estimate))
  }

  @Test func equalValuesCountOnce() throws {
    let doubles: [Double] = [0, -0.0, .nan, -Double.nan, Double(bitPattern: 0x7ff8_0000_0000_0001), 1, 77, 78]
    let array = ArraySpec(length: 8, nullCount: 2, buffers: [[0b0011_1111], bytes(doubles)])
    #expect(try Self.estimate(array, Field(name: "", format: "g"), 8) == 3)
    #expect(try Self.estimate(ArrowDataTests.column([Int128(1), 1 << 64, 1, nil, -1]), Field(name: "", format: "d:38,2"), 5) == 3)
    let flags = ArraySpec(length: 5, nullCount: 1, buffers: [[0b11110], [0b00101]])
    #expect(try Self.estimate(flags, Field(name: "", format: "b"), 5) == 2)
  }

  @Test func textsAreTheSameHoweverTheyAreKept() throws {
    let texts = (0..<600).map { $0 % 5 == 0 ? nil : Array("text of some length, number \($0 % 91)".utf8) }
    let expected = Set(texts.compactMap { $0 }).count
    for format in ["u", "U", "vu"] {
      let found = try #require(try Self.estimate(textColumn(texts, format: format, offset: 3), Field(name: "", format: format), 600))
      #expect(abs(found - expected) <= 4)
    }
    // Values that the dictionary has twice, one that is null, one that no row has, and an index of none.
    var codes = ArrowDataTests.column([Int8(0), 1, 2, 3, nil, 0, 9], offset: 1)
    codes.dictionary = [textColumn([Array("a".utf8), Array("b".utf8), Array("a".utf8), nil, Array("unused".utf8)], format: "u", offset: 2)]
    #expect(try Self.estimate(codes, Field(name: "", format: "c", dictionary: Field(name: "", format: "u")), 7) == 2)
  }

  @Test func typesWithoutOneOrderOfBytesHaveNone() throws {
    let values = ArrowDataTests.column([Int64(1), 2])
    #expect(try Self.estimate(values, Field(name: "", format: "tiD"), 2) == nil)
    let mark = KeyValue(key: Array("ARROW:extension:name".utf8), value: Array("mine".utf8))
    #expect(try Self.estimate(values, Field(name: "", format: "l", metadata: [mark]), 2) == nil)
    let batch = try ArraySpec.table([values], length: 2).batch(schema("l"), ReleaseCounter())
    var sketch = DistinctSketch()
    #expect(!sketch.add(RecordBatchSlice(batch, offset: 0, count: 2), column: 1) && sketch.estimate == 0)
  }

  private static func estimate(_ slices: [RecordBatchSlice]) -> Int? {
    var sketch = DistinctSketch()
    for slice in slices where !sketch.add(slice, column: 0) { return nil }
    return sketch.estimate
  }

  private static func estimate(_ array: ArraySpec, _ field: Field, _ count: Int) throws -> Int? {
    let batch = try ArraySpec.table([array], length: count).batch(Schema(fields: [field]), ReleaseCounter())
    return estimate([RecordBatchSlice(batch, offset: 0, count: count)])
  }

  @Test(arguments: [0, 1, 900, 2048])
  func fewValuesAreCounted(count: Int) throws {
    let values = (0..<2048).map { count == 0 ? nil : Int64($0 % count) * 1_000_003 }
    let batch = try ArraySpec.table([ArrowDataTests.column(values)], length: 2048).batch(schema("l"), ReleaseCounter())
    var found = DistinctCount(capacity: 2048)
    let added = [(0, 1000, 0), (1000, 1048, 0), (0, 1, 1)].map { found.add(RecordBatchSlice(batch, offset: $0.0, count: $0.1), column: $0.2) }
    #expect(added == [true, true, false])
    #expect(found.count == count)
  }

  @Test func moreValuesThanPlacesAreNotCounted() throws {
    let batch = try ArraySpec.table([ArrowDataTests.column((0..<100).map { Int64($0) })], length: 100).batch(schema("l"), ReleaseCounter())
    var found = DistinctCount(capacity: 4)
    let counts = [8, 100].map { rows in found.add(RecordBatchSlice(batch, offset: 0, count: rows), column: 0) ? found.count : -1 }
    #expect(counts == [8, nil])
  }

  /// A dictionary larger than the rows that are looked at: only their values are.
  @Test func largeDictionariesAreLookedIntoByRow() throws {
    var codes = ArrowDataTests.column([Int16(0), 1, 2, 99, nil, 0, 500], offset: 1)
    codes.dictionary = [textColumn((0..<100).map { $0 == 1 ? nil : Array("text \($0 % 98)".utf8) }, format: "u", offset: 2)]
    let field = try Field(name: "", format: "s", dictionary: Field(name: "", format: "u"))
    let batch = try ArraySpec.table([codes], length: 7).batch(Schema(fields: [field]), ReleaseCounter())
    var found = DistinctCount(capacity: 7)
    let isAdded = found.add(RecordBatchSlice(batch, offset: 0, count: 7), column: 0)
    #expect(isAdded)
    // Texts 0, 2 and 1 (of 99): the value 1 is null, and 500 is none.
    #expect(found.count == 3)
  }
}
