import CArrow
import Glibc
import Primitives
import Testing

@testable import ArrowData

@Suite struct LifetimeTests {
  @Test(arguments: IPCCompression.allCases)
  func batchesOutliveTheFileAndItsName(compression: IPCCompression) throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 60, lead: 2)
    var options = IPCWriteOptions()
    options.compression = compression
    try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    weak var mapping: FileMapping?
    var copies: [RecordBatch] = []
    do {
      var read: RecordBatch?
      do {
        let file = try IPCFile(folder["a"])
        mapping = file.mapping
        read = try file.batch(0)
      }
      try SystemFiles().unlink(folder["a"])
      #expect(mapping != nil)
      #expect(read.map { render($0) } == render(batch))
      // One column alone keeps what it needs.
      var array = ArrowArray()
      read?.export(columns: [16, 29], offset: 3, count: 50, to: &array)
      let schema = batch.schema.selecting([16, 29])
      read = nil
      let moved = try RecordBatch(importing: &array, schema: schema)
      #expect(mapping != nil)
      copies.append(try moved.copied(columns: nil, offset: 0, count: 50))
      for column in 0..<2 {
        for row in 0..<50 {
          let wanted = render(batch.schema.fields[[16, 29][column]], batch.column([16, 29][column]).pointee, 2 + 3 + row)
          #expect(render(schema.fields[column], moved.column(column).pointee, Int(moved.column(column).pointee.offset) + row) == wanted)
        }
      }
    }
    #expect(mapping == nil)
    #expect(copies[0].rowCount == 50)
  }

  @Test func uncompressedColumnsLieInTheMapping() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["int64", "utf8", "dictionary8"], count: 600)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    for span in try file.batch(0).buffers { #expect(file.mapping.contains(span.address)) }
    var options = IPCWriteOptions()
    options.compression = .lz4
    try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["b"])
    let packed = try IPCFile(folder["b"])
    // Random numbers do not get smaller: they are stored, and read, as they are.
    let numbers = try packed.batch(0, columns: [0])
    #expect(packed.mapping.contains(UInt(bitPattern: numbers.column(0).pointee.buffers[1])))
    #expect(try packed.decompressedBytes(0, columns: [0]) == 0)
    // Texts do.
    let texts = try packed.batch(0, columns: [1])
    #expect(!packed.mapping.contains(UInt(bitPattern: texts.column(0).pointee.buffers[2])))
    #expect(try packed.decompressedBytes(0, columns: [1]) > 0)
  }

  @Test func decompressingBeyondTheLimitIsRefused() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["utf8", "list"], count: 3000)
    var options = IPCWriteOptions()
    options.compression = .zstd
    try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let needed = try IPCFile(folder["a"]).decompressedBytes(0)
    for (limit, isEnough) in [(0, false), (needed - 1, false), (needed, true), (needed + 1, true)] {
      var reading = IPCReadOptions()
      reading.decompressionLimitBytes = limit
      let file = try IPCFile(folder["a"], options: reading)
      if isEnough {
        #expect(render(try file.batch(0)) == render(batch))
      } else {
        let error = #expect(throws: CacheError.self) { try file.batch(0) }
        #expect(error?.code == .memoryLimit)
      }
    }
  }

  @Test func manyThreadsReadOneFile() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["dictionary8", "dictionaryOfStructsOfDictionaries", "utf8", "view"], count: 200)
    var options = IPCWriteOptions()
    options.compression = .lz4
    options.mergesSlices = false
    let slices = (0..<10).map { RecordBatchSlice(batch, offset: $0 * 20, count: 20) }
    try IPCWriter(options: options).write(slices, schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    let rows = Locked([Int: [String]]())
    try parallel(count: 10, threads: 8) { _, index throws(CacheError) in
      let read = render(try file.batch(index))
      rows.withLock { $0[index] = read }
    }
    #expect((0..<10).flatMap { index in rows.withLock { $0[index] ?? [] } } == render(batch))
    // One dictionary for all of them.
    let batches = try (0..<10).map { try file.batch($0) }
    #expect(Set(batches.map { UInt(bitPattern: $0.column(0).pointee.dictionary) }).count == 1)
  }
}
