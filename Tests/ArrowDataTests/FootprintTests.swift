import ArrowData
import CArrow
import Primitives
import Testing

@Suite struct FootprintTests {
  @Test func everyBufferCountsOnceUpToTheLastValue() throws {
    let counter = ReleaseCounter()
    let field = try Field(name: "s", format: "+s", children: [try Field(name: "a", format: "l"), try Field(name: "b", format: "u")])
    let spec = ArraySpec(
      length: 3, nullCount: 1, offset: 1, buffers: [[0b1011]],
      children: [column([Int64(1), 2, 3, 4, 5]), column(["ab", "c", "", "def"])])
    let batch = try ArraySpec.table([spec], length: 3).batch(Schema(fields: [field]), counter)
    // Validity of 4 values; 5 numbers of 8 bytes; 5 offsets of 4 bytes; 6 bytes of text.
    #expect(batch.buffers.map(\.byteCount).sorted() == [1, 6, 20, 40])
    #expect(Set(batch.buffers.map(\.address)).count == 4)
    // By rows: the bitmap's byte; 8 bytes each; 4 bytes each and the text of the rows 1...3 of the children.
    #expect(batch.byteCount(offset: 0, count: 3) == 1 + 24 + (12 + 4))
    #expect(batch.byteCount(offset: 2, count: 1) == 1 + 8 + (4 + 3))
    #expect(batch.byteCount(offset: 3, count: 5) == 0)
  }

  @Test func slicesOfOneBufferCountTheLargest() {
    var set = BufferSet()
    for byteCount in [100, 40, 100, 0, 120] { set.insert(BufferSpan(address: 64, byteCount: byteCount)) }
    set.insert(BufferSpan(address: 4096, byteCount: 7))
    #expect(set.totalBytes == 127)
    #expect(Set(set.spans) == [BufferSpan(address: 64, byteCount: 120), BufferSpan(address: 4096, byteCount: 7)])
    set.insert(BufferSpan(address: 8192, byteCount: .max))
    #expect(set.totalBytes == .max)
  }

  @Test func sharedBuffersOfACopyOfSomeColumnsCountOnce() throws {
    let counter = ReleaseCounter()
    let batch = try ArraySpec.table([column([Int64(1), 2]), column([Int64(3), 4])], length: 2).batch(schema("l", "l"), counter)
    let copy = try batch.copied(columns: [0], offset: 0, count: 2)
    var set = BufferSet()
    set.insert(batch)
    #expect(set.totalBytes == 32)
    set.insert(copy)
    #expect(set.totalBytes == 48)
  }

  /// Every row of every type costs something between nothing and all; rows add up to no more than the whole and its rounding.
  @Test(arguments: try everyType()) func rowsAddUp(type: Field) throws {
    var random = RandomArray(seed: 3)
    let counter = ReleaseCounter()
    let batch = try ArraySpec.table([random.array(type, length: 64, offset: 8, nulls: .some)], length: 64).batch(Schema(fields: [type]), counter)
    let whole = batch.byteCount(offset: 0, count: 64)
    let quarters = (0..<4).reduce(0) { $0 + batch.byteCount(offset: 16 * $1, count: 16) }
    // Bitmaps round up to bytes in each part, so do shares.
    #expect(abs(whole - quarters) <= 16 * 4, "\(whole) in one, \(quarters) in four")
    #expect(whole <= batch.buffers.reduce(0) { $0 + $1.byteCount } + 16)
  }

  /// A length that no memory could hold, of a type that needs none.
  @Test func absurdLengthsDoNotOverflow() throws {
    let counter = ReleaseCounter()
    let length = Int.max / 128
    let field = try Field(name: "n", format: "+s", children: [try Field(name: "a", format: "n"), try Field(name: "b", format: "w:0")])
    let nulls = ArraySpec(length: Int64(length), nullCount: Int64(length), buffers: [])
    let spec = ArraySpec(length: Int64(length), buffers: [nil], children: [nulls, ArraySpec(length: Int64(length), buffers: [nil, []])])
    let batch = try ArraySpec.table([spec], length: length).batch(Schema(fields: [field]), counter)
    #expect(batch.byteCount(offset: 0, count: length) == 0)
    #expect(batch.buffers.isEmpty)
    #expect(ColumnStatistics(of: batch, column: 0, offset: 0, count: length).nullCount == 0)
    let copy = try batch.copied(columns: nil, offset: 5, count: length - 5)
    #expect(copy.rowCount == length - 5)
  }
}
