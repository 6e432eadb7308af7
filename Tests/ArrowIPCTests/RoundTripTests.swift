import Primitives
import Testing

@testable import ArrowData

@Suite struct RoundTripTests {
  static let slices = [(0, 150), (0, 0), (1, 100), (3, 147), (8, 64), (13, 1), (64, 80), (149, 1)]

  /// Every layout, at several offsets of its own, sliced, through every codec, with one thread and several.
  @Test(arguments: ArrayMaker.kinds, [0, 3, 8, 13])
  func everyLayoutComesBackAsItWas(kind: String, lead: Int) throws {
    let folder = try TestFolder()
    for (number, slice) in Self.slices.enumerated() {
      let batch = try makeBatch(kind, count: 150, lead: lead, seed: number + lead, nullShare: number % 3 == 0 ? 0 : 0.3)
      let wanted = render(batch, offset: slice.0, count: slice.1)
      for compression in IPCCompression.allCases {
        var options = IPCWriteOptions()
        options.compression = compression
        options.threadCount = 1 + number % 3
        let path = folder["\(number)-\(compression)"]
        let facts = try IPCWriter(options: options).write(
          [RecordBatchSlice(batch, offset: slice.0, count: slice.1)], schema: batch.schema, to: path)
        #expect(facts.rowCount == slice.1)
        #expect(facts.batchCount == 1)
        for trust in [IPCTrust.automatic, .sealed, .checksums, .structure] {
          var reading = IPCReadOptions()
          reading.trust = trust
          reading.threadCount = 1 + number % 2
          let file = try IPCFile(path, options: reading)
          #expect(file.isSealed)
          #expect(file.schema == batch.schema)
          let read = try file.batch(0)
          #expect(read.rowCount == slice.1)
          #expect(render(read) == wanted, "\(kind) \(lead) \(slice) \(compression)")
        }
      }
    }
  }

  @Test(arguments: IPCCompression.allCases)
  func allLayoutsTogetherWithSomeColumnsRead(compression: IPCCompression) throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 97, lead: 5)
    var options = IPCWriteOptions()
    options.compression = compression
    try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    #expect(render(try file.batch(0)) == render(batch))
    for columns in [[], [0], [12, 30, 12], Array(stride(from: 1, to: ArrayMaker.kinds.count, by: 4)), [3, 1000, -1]] {
      let known = columns.filter(batch.schema.fields.indices.contains)
      let read = try file.batch(0, columns: columns)
      #expect(read.schema == batch.schema.selecting(known))
      #expect(read.rowCount == 97)
      for (position, column) in known.enumerated() {
        for row in 0..<97 {
          #expect(
            render(read.schema.fields[position], read.column(position).pointee, row)
              == render(batch.schema.fields[column], batch.column(column).pointee, 5 + row))
        }
      }
      #expect(try file.decompressedBytes(0, columns: columns) <= file.decompressedBytes(0))
      if compression == .none { #expect(try file.decompressedBytes(0) == 0) }
    }
  }

  @Test func aTableWithoutColumnsOrRowsOrBatches() throws {
    let folder = try TestFolder()
    let schema = Schema(fields: [], metadata: [KeyValue(key: [1, 2], value: [])])
    let memory = ArrayMemory()
    let batch = makeBatch([], rowCount: 12, memory: memory, schema: schema)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    #expect(file.schema == schema)
    #expect(try file.batch(0).rowCount == 12)

    let full = try makeBatch(["dictionary8", "utf8"], count: 3)
    try IPCWriter().write([], schema: full.schema, to: folder["b"])
    #expect(try IPCFile(folder["b"]).batchCount == 0)
    #expect(try IPCFile(folder["b"]).schema == full.schema)
    try IPCWriter().write([RecordBatchSlice(full, offset: 2, count: 0)], schema: full.schema, to: folder["c"])
    #expect(try IPCFile(folder["c"]).batch(0).rowCount == 0)
    #expect(throws: CacheError.self) { try IPCFile(folder["c"]).batch(1) }
    #expect(throws: CacheError.self) { try IPCFile(folder["c"]).batch(-1) }
  }

  @Test func aBatchReadIsWrittenAgainFromTheMapping() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 80, lead: 3)
    var path = folder["0"]
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: path)
    for step in 1...4 {
      let read = try IPCFile(path).batch(0)
      path = folder["\(step)"]
      try IPCWriter().write([RecordBatchSlice(read, offset: 1, count: 80 - step)], schema: batch.schema, to: path)
    }
    #expect(render(try IPCFile(path).batch(0)) == render(batch, offset: 4, count: 76))
  }

  @Test(arguments: [(IPCCompression.zstd, -5), (.zstd, 3), (.zstd, 1000), (.lz4, -1), (.lz4, 9), (.lz4, 1000), (.none, 7)])
  func levelsAndOptionsChangeNoValue(compression: IPCCompression, level: Int) throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["utf8", "int64", "view"], count: 5000, lead: 1)
    var options = IPCWriteOptions()
    (options.compression, options.level) = (compression, level)
    (options.preallocates, options.leavesPageCache, options.threadCount) = (false, true, 100_000)
    let facts = try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    #expect(render(try IPCFile(folder["a"]).batch(0)) == render(batch))
    #expect(compression == .none || facts.byteCount < facts.bufferBytes)
  }
}
