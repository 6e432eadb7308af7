import ArrowData
import CArrow
import Primitives
import Testing

/// Arrays that lie: refused with a message that names the column, released once, and nothing of them is read beyond its end.
@Suite struct BrokenArrayTests {
  private static func int(_ change: (inout ArraySpec) -> Void) -> ArraySpec {
    var spec = column([Int32(1), 2, 3])
    change(&spec)
    return spec
  }

  private static func text(_ change: (inout ArraySpec) -> Void) -> ArraySpec {
    var spec = column(["a", "b", "c"])
    change(&spec)
    return spec
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let field: Field
    let spec: ArraySpec

    init(_ name: String, _ format: String, _ spec: ArraySpec, children: [String] = [], dictionary: String? = nil) throws {
      testDescription = name
      field = try Field(
        name: "bad", format: format, children: children.map { try Field(name: "x", format: $0) },
        dictionary: dictionary.map { try Field(name: "", format: $0) })
      self.spec = spec
    }
  }

  static func cases() throws -> [Case] {
    let threeInts = column([Int32(1), 2, 3])
    func list(_ offsets: [Int32], _ child: ArraySpec) -> ArraySpec {
      ArraySpec(length: Int64(offsets.count - 1), buffers: [nil, bytes(offsets)], children: [child])
    }
    let sizes = bytes([Int64(10)])
    return [
      try Case("negative length", "i", int { $0.length = -1 }),
      try Case("negative offset", "i", int { $0.offset = -1 }),
      try Case("offset and length overflow", "i", int { ($0.offset, $0.length) = (.max, 3) }),
      try Case("huge length", "i", int { $0.length = .max }),
      try Case("null count below -1", "i", int { $0.nullCount = -2 }),
      try Case("null count above length", "i", int { $0.nullCount = 4 }),
      try Case("nulls without a bitmap", "i", int { $0.nullCount = 1 }),
      try Case("no values", "i", int { $0.buffers[1] = nil }),
      try Case("too few buffers", "i", int { $0.buffers = [nil] }),
      try Case("too many buffers", "i", int { $0.buffers.append(nil) }),
      try Case("negative number of buffers", "i", int { $0.claimedBuffers = -1 }),
      try Case("absurd number of buffers", "vu", ArraySpec(length: 0, buffers: [nil, nil, nil], claimedBuffers: .max)),
      try Case("no list of buffers", "i", int { $0.hasNullLists = true }),
      try Case("unexpected children", "i", int { $0.claimedChildren = 1 }),
      try Case("unexpected dictionary", "i", int { $0.dictionary = [threeInts] }),
      try Case("missing dictionary", "i", threeInts, dictionary: "u"),
      try Case("broken dictionary", "i", int { $0.dictionary = [text { $0.buffers[1] = nil }] }, dictionary: "u"),
      try Case("released column", "i", int { $0.isReleased = true }),
      try Case("shorter than the table", "i", column([Int32(1), 2])),
      try Case("no offsets", "u", text { $0.buffers[1] = nil }),
      try Case("no data", "u", text { $0.buffers[2] = nil }),
      try Case("negative offset of a value", "u", text { $0.buffers[1] = bytes([Int32(-1), 1, 2, 3]) }),
      try Case("falling offsets", "u", text { $0.buffers[1] = bytes([Int32(3), 2, 1, 0]) }),
      try Case("absurd offsets", "U", ArraySpec(length: 3, buffers: [nil, bytes([0, 0, 0, Int64.max]), []])),
      try Case("no bits", "b", ArraySpec(length: 3, buffers: [nil, nil])),
      try Case("no views", "vu", ArraySpec(length: 3, buffers: [nil, nil, nil])),
      try Case("view data missing", "vu", ArraySpec(length: 3, buffers: [nil, [UInt8](repeating: 0, count: 48), nil, sizes])),
      try Case("view data of negative size", "vu", ArraySpec(length: 3, buffers: [nil, [UInt8](repeating: 0, count: 48), [0], bytes([Int64(-1)])])),
      try Case("list without child", "+l", ArraySpec(length: 3, buffers: [nil, bytes([Int32(0), 1, 2, 3])]), children: ["i"]),
      try Case("list beyond its child", "+l", list([0, 1, 2, 4], threeInts), children: ["i"]),
      try Case("broken child", "+l", list([0, 1, 2, 3], int { $0.length = -3 }), children: ["i"]),
      try Case("fixed-size list beyond its child", "+w:2", ArraySpec(length: 3, buffers: [nil], children: [threeInts]), children: ["i"]),
      try Case("fixed-size lists beyond counting", "+w:2000000000", ArraySpec(length: 3, offset: 1 << 56, buffers: [nil], children: [threeInts]), children: ["i"]),
      try Case("struct with a short child", "+s", ArraySpec(length: 3, offset: 1, buffers: [nil], children: [threeInts]), children: ["i"]),
      try Case("list view without sizes", "+vl", ArraySpec(length: 3, buffers: [nil, bytes([Int32(0), 0, 0]), nil], children: [threeInts]), children: ["i"]),
      try Case("union without type ids", "+us:0", ArraySpec(length: 3, buffers: [nil], children: [threeInts]), children: ["i"]),
      try Case("union with a short child", "+us:0", ArraySpec(length: 3, buffers: [[0, 0, 0]], children: [column([Int32(1)])]), children: ["i"]),
      try Case("dense union without offsets", "+ud:0", ArraySpec(length: 3, buffers: [[0, 0, 0], nil], children: [threeInts]), children: ["i"]),
      try Case("runs that end early", "+r", ArraySpec(length: 3, buffers: [], children: [column([Int32(1), 2]), column([Int32(1), 2])]), children: ["i", "i"]),
      try Case("runs without values", "+r", ArraySpec(length: 3, buffers: [], children: [column([Int32(3)]), column([Int32]())]), children: ["i", "i"]),
      try Case("no runs", "+r", ArraySpec(length: 3, buffers: [], children: [column([Int32]()), column([Int32]())]), children: ["i", "i"]),
      try Case("null run ends", "+r", ArraySpec(length: 3, buffers: [], children: [column([nil, Int32(3)]), column([Int32(1), 2])]), children: ["i", "i"]),
    ]
  }

  @Test(arguments: try cases())
  func brokenColumnsAreRefused(broken: Case) throws {
    let counter = ReleaseCounter()
    let schema = Schema(fields: [try Field(name: "good", format: "i"), broken.field])
    let error = #expect(throws: CacheError.self) {
      try ArraySpec.table([column([Int32(7), 8, 9]), broken.spec], length: 3).batch(schema, counter)
    }
    #expect(error?.code == .stream)
    #expect(error?.message.contains("'bad'") ?? false)
    #expect(counter.live == 0)
  }

  @Test func brokenTablesAreRefused() throws {
    let good = column([Int32(1), 2, 3])
    var tables = [ArraySpec.table([], length: 3), .table([good, good], length: 3), .table([good], length: -1), .table([good], length: 3, offset: -1)]
    tables += [.table([good], length: 3, offset: .max), .table([good], length: 2, offset: 2), .table([good], length: .max)]
    var noLists = ArraySpec.table([good], length: 3)
    noLists.hasNullLists = true
    noLists.children = []
    noLists.claimedChildren = 1
    var released = ArraySpec.table([good], length: 3)
    released.isReleased = true
    var withDictionary = ArraySpec.table([good], length: 3)
    withDictionary.dictionary = [good]
    var manyBuffers = ArraySpec.table([good], length: 3)
    manyBuffers.buffers = [nil, nil]
    for table in tables + [noLists, released, withDictionary, manyBuffers] {
      let counter = ReleaseCounter()
      let error = #expect(throws: CacheError.self) { try table.batch(schema("i"), counter) }
      #expect(error?.code == .stream)
      #expect(counter.live == 0)
    }
  }

  @Test func rowsThatAreNullAsAWholeAreRefused() throws {
    for (bits, offset, nullCount, isFine) in [
      ([true, true, true], 0, Int64(-1), true), ([false, true, true, true], 1, -1, true), ([true, false, true], 0, 1, false),
      ([true, false, true], 0, -1, false), ([false, false, false], 0, 0, true),
    ] {
      let counter = ReleaseCounter()
      var table = ArraySpec.table([column([Int32(1), 2, 3, 4])], length: 3, offset: offset)
      table.buffers = [bytes(bits)]
      table.nullCount = nullCount
      if isFine {
        #expect(try table.batch(schema("i"), counter).rowCount == 3)
      } else {
        let error = #expect(throws: CacheError.self) { try table.batch(schema("i"), counter) }
        #expect(error?.code == .type)
      }
      #expect(counter.live == 0)
    }
  }

  /// What import cannot see without a pass over the values, a copy meets: it refuses rather than reads beyond a buffer.
  @Test func copiesRefuseValuesOutsideTheirBuffers() throws {
    let ints = try Field(name: "x", format: "i")
    let child = column([Int32(1), 2, 3])
    func views(_ length: Int32, _ buffer: Int32, _ offset: Int32) -> ArraySpec {
      ArraySpec(length: 1, buffers: [nil, bytes([length, 0, buffer, offset]), [UInt8](repeating: 1, count: 20), bytes([Int64(20)])])
    }
    let cases: [(Field, ArraySpec)] = [
      (try Field(name: "bad", format: "vu"), views(-1, 0, 0)), (try Field(name: "bad", format: "vu"), views(21, 0, 0)),
      (try Field(name: "bad", format: "vu"), views(20, 1, 0)), (try Field(name: "bad", format: "vu"), views(20, -1, 0)),
      (try Field(name: "bad", format: "vu"), views(20, 0, -1)), (try Field(name: "bad", format: "vu"), views(20, 0, 1)),
      (try Field(name: "bad", format: "vu"), views(.max, 0, .max)),
      (try Field(name: "bad", format: "+vl", children: [ints]), ArraySpec(length: 1, buffers: [nil, bytes([Int32(2)]), bytes([Int32(2)])], children: [child])),
      (try Field(name: "bad", format: "+vl", children: [ints]), ArraySpec(length: 1, buffers: [nil, bytes([Int32(-1)]), bytes([Int32(2)])], children: [child])),
      (try Field(name: "bad", format: "+vl", children: [ints]), ArraySpec(length: 1, buffers: [nil, bytes([Int32(0)]), bytes([Int32(-2)])], children: [child])),
      (try Field(name: "bad", format: "+vL", children: [ints]), ArraySpec(length: 1, buffers: [nil, bytes([Int64.max]), bytes([Int64.max])], children: [child])),
      (try Field(name: "bad", format: "+ud:3", children: [ints]), ArraySpec(length: 1, buffers: [[4], bytes([Int32(0)])], children: [child])),
      (try Field(name: "bad", format: "+ud:3", children: [ints]), ArraySpec(length: 1, buffers: [[0x83], bytes([Int32(0)])], children: [child])),
      (try Field(name: "bad", format: "+ud:3", children: [ints]), ArraySpec(length: 1, buffers: [[3], bytes([Int32(3)])], children: [child])),
      (try Field(name: "bad", format: "+ud:3", children: [ints]), ArraySpec(length: 1, buffers: [[3], bytes([Int32(-1)])], children: [child])),
    ]
    for (field, spec) in cases {
      let counter = ReleaseCounter()
      let batch = try ArraySpec.table([spec], length: 1).batch(Schema(fields: [field]), counter)
      let error = #expect(throws: CacheError.self) { try batch.copied(columns: nil, offset: 0, count: 1) }
      #expect(error?.code == .stream, "\(field.format)")
      #expect(error?.message.contains("'bad'") ?? false)
    }
    // Offsets that fall in the middle.
    let texts = ArraySpec(length: 3, buffers: [nil, bytes([Int32(0), 9, 1, 3]), Array("abc".utf8)])
    let batch = try ArraySpec.table([texts], length: 3).batch(schema("u"), ReleaseCounter())
    #expect(throws: CacheError.self) { try batch.copied(columns: nil, offset: 0, count: 1) }
    #expect(throws: CacheError.self) { try batch.copied(columns: nil, offset: 1, count: 1) }
  }
}
