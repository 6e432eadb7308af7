import ArrowData
import CArrow
import Primitives
import Testing

private let lengths = [0, 1, 8, 63, 65, 130]
private let offsets = [0, 1, 13, 64]

@Suite struct RecordBatchTests {
  @Test(arguments: try everyType())
  func importExportAndCopyKeepEveryValue(type: Field) throws {
    var random = RandomArray(seed: UInt64(type.summary.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    for length in lengths {
      for offset in offsets {
        for nulls in NullPattern.allCases { try checkRoundTrips(type, length, offset, nulls, &random) }
      }
    }
  }

  private func checkRoundTrips(_ type: Field, _ length: Int, _ offset: Int, _ nulls: NullPattern, _ random: inout RandomArray) throws {
    let counter = ReleaseCounter()
    do {
      // The table's own offset adds to the column's.
      let tableOffset = length > 8 ? 3 : 0
      let spec = random.array(type, length: length + tableOffset, offset: offset, nulls: nulls)
      var raw = ArrowArray()
      spec.export(counter, to: &raw)
      let expected = Array(Value.all(type, &raw).dropFirst(tableOffset))
      raw.release(&raw)

      let schema = Schema(fields: [type])
      let batch = try ArraySpec.table([spec], length: length, offset: tableOffset).batch(schema, counter)
      #expect(batch.rowCount == length)
      #expect(batch.values(0) == expected)
      for (from, count) in [(0, length), (length / 3, length / 2), (length, 0), (max(0, length - 1), 1)] {
        let wanted = Array(expected[min(from, length)..<min(from + count, length)])
        #expect(exported(batch, offset: from, count: count) == [wanted], "rows \(from)+\(count)")
        let copy = try batch.copied(columns: nil, offset: from, count: count)
        #expect(copy.values(0) == wanted, "copy of rows \(from)+\(count), \(nulls)")
        try checkOwnMemory(copy, apartFrom: batch)
        // A copy of a copy, and an export of it, work as well.
        #expect(exported(try copy.copied(columns: nil, offset: 0, count: count), offset: 0, count: count) == [wanted])
      }
    }
    #expect(counter.live == 0)
  }

  private func checkOwnMemory(_ copy: RecordBatch, apartFrom batch: RecordBatch) throws {
    #expect(Set(copy.buffers.map(\.address)).isDisjoint(with: batch.buffers.map(\.address)))
    for span in copy.buffers {
      #expect(span.address % 64 == 0)
      let end = try #require(UnsafePointer<UInt8>(bitPattern: span.address + UInt(span.byteCount)))
      for padding in 0..<((64 - span.byteCount % 64) % 64) { #expect(end[padding] == 0) }
    }
  }

  @Test(arguments: [0, 1, 8, 61], [1, 7, 8, 9, 63, 64, 65, 71]) func copiedBitsAreThoseAskedForAndNoMore(offset: Int, count: Int) throws {
    let ones = [UInt8](repeating: 0xff, count: 20)
    let spec = ArraySpec(length: 160, buffers: [nil, ones])
    let copy = try ArraySpec.table([spec], length: 160).batch(schema("b"), ReleaseCounter()).copied(columns: nil, offset: offset, count: count)
    let bits = try #require(copy.column(0).pointee.buffers[1]).assumingMemoryBound(to: UInt8.self)
    let expected = bytes([Bool](repeating: true, count: count))
    #expect((0..<expected.count).map { bits[$0] } == expected)
  }

  @Test func emptyBatchesHaveEveryBufferAndNoRow() throws {
    for type in try everyType() {
      let batch = RecordBatch(emptyOf: Schema(fields: [type]))
      #expect(batch.rowCount == 0)
      #expect(batch.buffers.isEmpty)
      #expect(exported(batch, offset: 0, count: 10) == [[]])
      #expect(try batch.copied(columns: nil, offset: 0, count: 0).values(0) == [])
    }
  }

  @Test func nullBuffersOfNoValuesAreFine() throws {
    for type in try everyType() {
      let counter = ReleaseCounter()
      func hollow(_ field: Field) -> ArraySpec {
        let buffers: Int = switch field.layout {
        case .null, .runs: 0
        case .structure, .fixedList: 1
        case .bits, .fixed, .list: 2
        case .binary, .view, .listView: 3
        case .union(let isDense, _): isDense ? 2 : 1
        }
        return ArraySpec(
          length: 0, nullCount: 0, buffers: [[UInt8]?](repeating: nil, count: buffers), children: field.children.map(hollow),
          dictionary: field.dictionary.map { [hollow($0)] } ?? [])
      }
      do {
        let batch = try ArraySpec.table([hollow(type)], length: 0).batch(Schema(fields: [type]), counter)
        #expect(exported(batch, offset: 0, count: 0) == [[]])
        #expect(try batch.copied(columns: nil, offset: 0, count: 0).rowCount == 0)
        #expect(batch.buffers.isEmpty)
      }
      #expect(counter.live == 0)
    }
  }

  @Test func columnsAreSelectedAndRangesAreCut() throws {
    let counter = ReleaseCounter()
    let batch = try ArraySpec.table([column([Int32(1), 2, 3]), column(["a", nil, "c"])], length: 3).batch(schema("i", "u"), counter)
    let (first, second) = (batch.values(0), batch.values(1))
    #expect(exported(batch, columns: [1, 0, 1], offset: 0, count: 3) == [second, first, second])
    #expect(exported(batch, columns: [], offset: 0, count: 3) == [])
    #expect(exported(batch, columns: [5, -1, 0], offset: 0, count: 3) == [first])
    for (offset, count, expected) in [
      (-5, 2, 0..<2), (1, .max, 1..<3), (.min, .max, 0..<3), (3, 1, 3..<3), (.max, .max, 3..<3), (0, -1, 0..<0), (1, 1, 1..<2),
    ] as [(Int, Int, Range<Int>)] {
      #expect(exported(batch, offset: offset, count: count) == [Array(first[expected]), Array(second[expected])])
      #expect(try batch.copied(columns: nil, offset: offset, count: count).values(1) == Array(second[expected]))
    }
    var array = ArrowArray()
    batch.export(columns: [], offset: 1, count: 2, to: &array)
    #expect(array.length == 2)
    array.release(&array)
  }

  @Test func exportedNodesLiveByThemselves() throws {
    let counter = ReleaseCounter()
    let list = try Field(name: "l", format: "+l", children: [try Field(name: "item", format: "u")])
    var random = RandomArray(seed: 1)
    let spec = random.array(list, length: 20, offset: 2, nulls: .some)
    var array = ArrowArray()
    var expected: [Value] = []
    do {
      let batch = try ArraySpec.table([spec, column((0..<20).map { Int64($0) })], length: 20).batch(Schema(fields: [list, try Field(name: "i", format: "l")]), counter)
      expected = batch.values(0)
      batch.export(offset: 0, count: 20, to: &array)
    }
    // The batch is gone. Move the first column out, then the child of that, each time releasing what is left.
    let child = try #require(array.children[0])
    var column = child.pointee
    child.pointee.release = nil
    array.release(&array)
    #expect(Value.all(list, &column) == expected)
    let item = try #require(column.children[0])
    var items = item.pointee
    item.pointee.release = nil
    let texts = Value.all(list.children[0], &items)
    column.release(&column)
    #expect(counter.live > 0)
    #expect(Value.all(list.children[0], &items) == texts)
    items.release(&items)
    #expect(counter.live == 0)
  }

  @Test func aColumnThatIsExportedAloneDoesNotKeepTheOthers() throws {
    let counter = ReleaseCounter()
    var array = ArrowArray()
    do {
      let batch = try ArraySpec.table([column([Int32(1)]), column(["a"])], length: 1).batch(schema("i", "u"), counter)
      batch.export(columns: [0], offset: 0, count: 1, to: &array)
    }
    #expect(counter.live == 1)
    array.release(&array)
    #expect(counter.live == 0)
  }

  @Test func aCopyOfSomeColumnsLetsGoOfTheirSource() throws {
    let counter = ReleaseCounter()
    do {
      var batch = try ArraySpec.table([column((0..<10).map { Int32($0) }), column(["a", "b"] + [String?](repeating: nil, count: 8))], length: 10).batch(schema("i", "u"), counter)
      let (first, second) = (batch.values(0), batch.values(1))
      let shared = batch.column(1).pointee.buffers[2]
      let source = batch.column(0).pointee.buffers[1]
      batch = try batch.copied(columns: [0], offset: 1, count: 5)
      #expect(counter.live == 1)
      #expect(batch.values(0) == Array(first[1..<6]))
      #expect(batch.values(1) == Array(second[1..<6]))
      #expect(batch.column(1).pointee.buffers[2] == shared)
      #expect(batch.column(0).pointee.buffers[1] != source)
      #expect(exported(batch, columns: [1], offset: 2, count: 2) == [Array(second[3..<5])])
    }
    #expect(counter.live == 0)
  }

  @Test func piecesOfOneTableShareTheCopyOfADictionary() throws {
    let counter = ReleaseCounter()
    let type = try Field(name: "d", format: "i", dictionary: try Field(name: "", format: "u"))
    let other = ArraySpec(length: 1, buffers: [nil, bytes([Int32(0)])], dictionary: [column(["z"])])
    let spec = ArraySpec(length: 4, buffers: [nil, bytes([Int32(0), 1, 0, 1])], dictionary: [column(["x", "y"])])
    do {
      let batch = try ArraySpec.table([spec], length: 4).batch(Schema(fields: [type]), counter)
      let next = try ArraySpec.table([other], length: 1).batch(batch.schema, counter)
      let dictionaries = DictionaryCopies()
      let pieces = try [0, 2].map { try batch.copied(columns: nil, offset: $0, count: 2, dictionaries: dictionaries) }
      let differing = try next.copied(columns: nil, offset: 0, count: 1, dictionaries: dictionaries)
      let addresses = (pieces + [differing]).map { $0.column(0).pointee.dictionary?.pointee.buffers[2] }
      #expect(addresses[0] == addresses[1])
      #expect(addresses[0] != addresses[2])
      #expect(pieces.flatMap { $0.values(0) } == batch.values(0))
      #expect(differing.values(0) == next.values(0))
      var set = BufferSet()
      for piece in pieces { set.insert(piece) }
      #expect(set.totalBytes == 8 + 8 + 12 + 2)
    }
    #expect(counter.live == 0)
  }
}
