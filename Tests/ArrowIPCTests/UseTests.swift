import ArrowData
import Primitives
import Testing

/// How the layers above use files: through what is public alone.
@Suite struct UseTests {
  @Test func aSliceIsSpilledAndMappedBack() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["int64", "utf8", "dictionary8"], count: 1000)
    let before = render(batch, offset: 100, count: 500)

    let facts = try IPCWriter().write([RecordBatchSlice(batch, offset: 100, count: 500)], schema: batch.schema, to: folder["7-3.arrow"])
    var reading = IPCReadOptions()
    reading.trust = .sealed
    let file = try IPCFile(folder["7-3.arrow"], options: reading, expecting: batch.schema)
    let mapped = try file.batch(0)
    try SystemFiles().unlink(folder["7-3.arrow"])  // the disk has the room back when `mapped` is gone

    #expect(facts.rowCount == 500)
    #expect(mapped.schema === batch.schema)
    #expect(render(mapped) == before)
    #expect(mapped.buffers.allSatisfy { file.mapping.contains($0.address) })
  }

  @Test func anEntryIsWrittenAFileAPartitionAndReadAgain() throws {
    let folder = try TestFolder()
    let first = try makeBatch(["int64", "utf8", "dictionary8"], count: 700, seed: 1)
    let second = try makeBatch(["int64", "utf8", "dictionary8"], count: 500, seed: 2)
    // The middle partition has rows of both batches.
    let partitions = [
      [RecordBatchSlice(first, offset: 0, count: 400)],
      [RecordBatchSlice(first, offset: 400, count: 300), RecordBatchSlice(second, offset: 0, count: 100)],
      [RecordBatchSlice(second, offset: 100, count: 400)],
    ]

    try parallel(count: partitions.count, threads: 2) { _, index throws(CacheError) in
      var options = IPCWriteOptions()
      options.compression = .zstd
      options.isDurable = true
      options.metadata = [
        KeyValue(key: [UInt8]("arrow_cache.key".utf8), value: [UInt8]("sales".utf8)),
        KeyValue(key: [UInt8]("arrow_cache.partition".utf8), value: [UInt8]("\(index)".utf8)),
      ]
      try IPCWriter(options: options).write(partitions[index], schema: first.schema, to: folder["sales-\(index).arrow"])
    }

    var reading = IPCReadOptions()
    reading.trust = .checksums
    reading.threadCount = 2
    var found: [String] = []
    for index in partitions.indices {
      let file = try IPCFile(folder["sales-\(index).arrow"], options: reading, expecting: first.schema)
      #expect(file.metadata.text("arrow_cache.key") == "sales")
      #expect(file.metadata.text("arrow_cache.partition") == "\(index)")
      #expect(file.batchCount == 1)
      #expect(try file.rowCount(0) == 400)
      #expect(try file.decompressedBytes(0, columns: [1]) < file.decompressedBytes(0))
      found += render(try file.batch(0))
    }
    #expect(found == render(first) + render(second))
  }
}
