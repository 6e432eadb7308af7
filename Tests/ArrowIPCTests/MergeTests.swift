import CArrow
import Primitives
import Testing

@testable import ArrowData

@Suite struct MergeTests {
  /// Pieces of several batches of one schema, each with dictionaries, buffers and offsets of its own, come to be one batch.
  @Test(arguments: ArrayMaker.kinds, [IPCCompression.none, .zstd])
  func slicesOfSeveralBatchesBecomeOne(kind: String, compression: IPCCompression) throws {
    let folder = try TestFolder()
    let pieces = [(40, 0, 0, 40), (9, 3, 1, 8), (70, 8, 3, 0), (70, 5, 13, 57), (1, 0, 0, 1), (33, 1, 7, 20)]
    var slices: [RecordBatchSlice] = []
    var wanted: [String] = []
    for (seed, piece) in pieces.enumerated() {
      let batch = try makeBatch(kind, count: piece.0, lead: piece.1, seed: seed, nullShare: seed == 1 ? 0 : 0.3)
      slices.append(RecordBatchSlice(batch, offset: piece.2, count: piece.3))
      wanted += render(batch, offset: piece.2, count: piece.3)
    }
    var options = IPCWriteOptions()
    options.compression = compression
    for merges in [true, false] {
      options.mergesSlices = merges
      let path = folder["\(merges)"]
      let facts = try IPCWriter(options: options).write(slices, schema: slices[0].batch.schema, to: path)
      let file = try IPCFile(path)
      #expect(facts.batchCount == (merges ? 1 : pieces.count))
      #expect(file.batchCount == facts.batchCount)
      #expect(facts.rowCount == wanted.count)
      var found: [String] = []
      for index in 0..<file.batchCount { found += render(try file.batch(index)) }
      #expect(found == wanted)
      // What has been put together is whole by the rules for foreign files, too.
      var strict = IPCReadOptions()
      strict.trust = .structure
      for index in 0..<file.batchCount { _ = try IPCFile(path, options: strict).batch(index) }
    }
  }

  @Test func batchesThatShareADictionaryKeepItsOrder() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["dictionary8", "dictionaryU64"], count: 100)
    let slices = [RecordBatchSlice(batch, offset: 0, count: 50), RecordBatchSlice(batch, offset: 50, count: 50)]
    try IPCWriter().write(slices, schema: batch.schema, to: folder["a"])
    let read = try IPCFile(folder["a"]).batch(0)
    for column in 0..<2 {
      let (old, new) = (batch.column(column).pointee, read.column(column).pointee)
      #expect(new.dictionary.pointee.length == old.dictionary.pointee.length)
      for row in 0..<100 {
        guard render(batch.schema.fields[column], old, row) != "-" else { continue }
        let width = column == 0 ? 1 : 8
        for byte in (row * width)..<((row + 1) * width) {
          #expect(new.buffers[1]!.load(fromByteOffset: byte, as: UInt8.self) == old.buffers[1]!.load(fromByteOffset: byte, as: UInt8.self))
        }
      }
    }
  }

  /// Values of the second dictionary that the first has are not there twice.
  @Test func dictionariesThatDifferHaveEachValueOnce() throws {
    let memory = ArrayMemory()
    func batch(_ words: [String], _ indices: [Int8]) throws -> RecordBatch {
      let offsets = words.reduce(into: [Int32(0)]) { $0.append($0[$0.count - 1] + Int32($1.utf8.count)) }
      let values = memory.array(words.count, [nil, bytes(offsets), words.flatMap { Array($0.utf8) }])
      let field = try Field(name: "c", format: "c", dictionary: Field(name: "", format: "u"))
      let array = memory.array(indices.count, [nil, indices.map { UInt8(bitPattern: $0) }], dictionary: values)
      return makeBatch([(field, array)], rowCount: indices.count, memory: memory)
    }
    let batches = [try batch(["x", "y"], [0, 1, 1]), try batch(["y", "z", "x", "w"], [0, 1, 2, 3]), try batch(["x", "y"], [1])]
    let folder = try TestFolder()
    try IPCWriter().write(batches.map { RecordBatchSlice($0) }, schema: batches[0].schema, to: folder["a"])
    let read = try IPCFile(folder["a"]).batch(0)
    #expect(render(read) == batches.flatMap { render($0) })
    let dictionary = read.column(0).pointee.dictionary.pointee
    let values = try (0..<dictionary.count).map { render(try Field(name: "", format: "u"), dictionary, $0) }
    #expect(values == ["78", "79", "7a", "77"])
  }

  @Test func whatOneBatchCannotHoldStaysApart() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("runs16", count: 20_000)
    let slices = [RecordBatchSlice(batch), RecordBatchSlice(batch)]
    let facts = try IPCWriter().write(slices, schema: batch.schema, to: folder["a"])
    #expect(facts.batchCount == 2)
    let file = try IPCFile(folder["a"])
    #expect(render(try file.batch(1), offset: 19_990, count: 10) == render(batch, offset: 19_990, count: 10))
  }

  @Test func anotherSchemaIsRefused() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int8", count: 3)
    let other = try makeBatch("int16", count: 3)
    let error = #expect(throws: CacheError.self) {
      try IPCWriter().write([RecordBatchSlice(batch), RecordBatchSlice(other)], schema: batch.schema, to: folder["a"])
    }
    #expect(error?.code == .argument)
    #expect(folder.names.isEmpty)
  }
}
