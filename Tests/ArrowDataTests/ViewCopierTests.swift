import CArrow
import Primitives
import Testing

@testable import ArrowData

@Suite struct ViewCopierTests {
  /// Values of 20 bytes in buffers of at most so many: as many buffers as that takes, no value divided.
  @Test(arguments: [20, 39, 40, 59, 60, 1000]) func dataIsSpreadOverBuffersOfLimitedSize(limit: Int) throws {
    let counter = ReleaseCounter()
    let data = (0..<200).map { UInt8($0) }
    let views = (0..<7).flatMap { index in bytes([Int32(20), Int32(index), 0, Int32(25 * index)]) }
    let spec = ArraySpec(length: 7, buffers: [nil, views, data, bytes([Int64(200)])])
    let field = try Field(name: "v", format: "vz")
    let batch = try ArraySpec.table([spec], length: 7).batch(Schema(fields: [field]), counter)
    let array = batch.column(0).pointee
    let copier = ArrayCopier(memory: CopyMemory(expectedBytes: 0), dictionaries: DictionaryCopies(), source: batch, column: "v")
    let target = try ViewCopier(array, from: 0, count: 7, copier: copier, bufferLimit: limit)
    #expect(target.dataCount == (7 + limit / 20 - 1) / (limit / 20))
    var node = try copier.memory.node(bufferCount: 3 + target.dataCount, childCount: 0)
    node.length = 7
    try target.finish(into: node)
    #expect(Value.all(field, &node) == batch.values(0))
    for index in 0..<target.dataCount { #expect(node.variadicSize(index) <= limit) }
  }

  @Test func valuesThatManyViewsShareAreCopiedOnce() throws {
    let counter = ReleaseCounter()
    let views = [[UInt8]](repeating: bytes([Int32(20), 0, 0, 0]), count: 50).flatMap { $0 }
    let spec = ArraySpec(length: 50, buffers: [nil, views, [UInt8](repeating: 7, count: 30), bytes([Int64(30)])])
    let batch = try ArraySpec.table([spec], length: 50).batch(schema("vz"), counter)
    let copy = try batch.copied(columns: nil, offset: 0, count: 50)
    #expect(copy.buffers.reduce(0) { $0 + $1.byteCount } == 50 * 16 + 30 + 8)
    #expect(copy.values(0) == batch.values(0))
  }
}
