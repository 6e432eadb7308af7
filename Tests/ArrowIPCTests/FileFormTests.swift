import CArrow
import Glibc
import Primitives
import Testing

@testable import ArrowData

@Suite struct FileFormTests {
  @Test(arguments: IPCCompression.allCases)
  func everyBufferStartsAt64Bytes(compression: IPCCompression) throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 333, lead: 3)
    var options = IPCWriteOptions()
    options.compression = compression
    let facts = try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    #expect(file.mapping.bytes.count == facts.byteCount)
    let start = UInt(bitPattern: file.mapping.bytes.baseAddress)
    let header = try file.header(0)
    #expect(header.bufferCount > 100)
    for index in 0..<header.bufferCount {
      let buffer = try header.buffer(index)
      #expect((UInt(bitPattern: buffer.baseAddress) - start) % 64 == 0)
    }
    for index in file.blocks.dictionaries.indices {
      let header = try file.blocks.dictionaryHeader(index).batch
      for index in 0..<header.bufferCount { #expect((UInt(bitPattern: try header.buffer(index).baseAddress) - start) % 64 == 0) }
    }
  }

  @Test func aSliceTakesTheBytesOfItsRowsAlone() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["int64", "utf8", "view", "list", "denseUnion", "runs32", "listView", "bool"], count: 100_000, lead: 1)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["all"])
    let whole = try SystemFiles().status(folder["all"])!.byteCount
    let facts = try IPCWriter().write([RecordBatchSlice(batch, offset: 5000, count: 100)], schema: batch.schema, to: folder["few"])
    #expect(whole > 5_000_000)
    #expect(facts.byteCount < 40_000)
    #expect(facts.bufferBytes < facts.byteCount)
  }

  /// Views that have been filtered still refer to all buffers of before.
  @Test func scatteredViewsAreGathered() throws {
    let memory = ArrayMemory()
    let data = [UInt8](repeating: UInt8(ascii: "q"), count: 4 << 20)
    var views: [UInt8] = []
    for index in 0..<200 { views += bytes([Int32(100)]) + data[..<4] + bytes([Int32(0), Int32(index * 20_000)]) }
    let field = try Field(name: "v", format: "vz")
    let array = memory.array(200, [nil, views, data, bytes([Int64(data.count)])])
    let batch = makeBatch([(field, array)], rowCount: 200, memory: memory)
    let folder = try TestFolder()
    let facts = try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    #expect(facts.byteCount < 30_000)
    #expect(render(try IPCFile(folder["a"]).batch(0)) == render(batch))
  }

  @Test func metadataOfTheCallerComesBack() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int8", count: 3)
    var options = IPCWriteOptions()
    options.metadata = [
      KeyValue(key: [UInt8]("arrow_cache.key".utf8), value: [UInt8]("Straße/…".utf8)), KeyValue(key: [], value: [UInt8](repeating: 65, count: 100_000)),
    ]
    try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    #expect(try IPCFile(folder["a"]).metadata == options.metadata)
    for key in [IPCChecksums.key, IPCChecksums.sealKey, IPCChecksums.formatKey, "arrow_cache.dictionary.0.name"] {
      options.metadata = [KeyValue(key: [UInt8](key.utf8), value: [])]
      let error = #expect(throws: CacheError.self) {
        try IPCWriter(options: options).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["b"])
      }
      #expect(error?.code == .argument)
    }
    #expect(folder.names == ["a"])
  }

  @Test func fieldsOfDictionaryValuesComeBackWhole() throws {
    let memory = ArrayMemory()
    let pairs = [KeyValue(key: [0xff, 0], value: [1]), KeyValue(key: [2], value: [])]
    let inner = try Field(name: "i", format: "s", dictionary: Field(name: "deep", format: "n", metadata: pairs))
    let values = try Field(name: "värden", format: "+s", nullable: false, metadata: pairs, children: [inner])
    let field = try Field(name: "c", format: "C", dictionaryOrdered: true, metadata: pairs, dictionary: values)
    let deep = memory.array(1, nulls: 1, [])
    let struc = memory.array(1, [nil], children: [memory.array(1, [nil, bytes([Int16(0)])], dictionary: deep)])
    let batch = makeBatch([(field, memory.array(2, [nil, [0, 0]], dictionary: struc))], rowCount: 2, memory: memory)
    let folder = try TestFolder()
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    #expect(try IPCFile(folder["a"]).schema == batch.schema)
    #expect(try IPCFile(folder["a"]).metadata.isEmpty)
  }

  @Test func aDictionaryOfDictionariesIsRefused() throws {
    let inner = try Field(name: "", format: "c", dictionary: Field(name: "", format: "u"))
    let schema = Schema(fields: [try Field(name: "c", format: "c", dictionary: inner)])
    let folder = try TestFolder()
    let error = #expect(throws: CacheError.self) { try IPCWriter().write([], schema: schema, to: folder["a"]) }
    #expect(error?.code == .type)
    #expect(folder.names.isEmpty)
  }

  @Test func theExpectedSchemaIsTheOneThatBatchesHave() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 3)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"], expecting: batch.schema)
    #expect(file.schema === batch.schema)
    #expect(try file.batch(0).schema === batch.schema)
    let other = try makeBatch(["int8"], count: 3).schema
    let error = #expect(throws: CacheError.self) { try IPCFile(folder["a"], expecting: other) }
    #expect(error?.code == .type)
  }

  @Test func aLaterFormatIsRefused() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int8", count: 3)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    var content = try folder.read("a")
    try Footer.change(&content, from: [UInt8](IPCChecksums.formatKey.utf8), skip: 1, byte: UInt8(ascii: "9"))
    Footer.seal(&content)
    try folder.write("b", content)
    let error = #expect(throws: CacheError.self) { try IPCFile(folder["b"]) }
    #expect(error?.code == .type)
    #expect(error?.message.contains("format version 9, this engine reads up to 1: use a newer arrow_cache") == true)
  }

  @Test func anExistingFileIsNotTouched() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int8", count: 3)
    try folder.write("a", [1, 2, 3])
    let error = #expect(throws: CacheError.self) { try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"]) }
    #expect(error?.message == "cannot write '\(folder["a"])': it is there already: choose another name")
    #expect(folder.names == ["a"])
    #expect(try folder.read("a") == [1, 2, 3])
  }

  @Test func storedBytesAreThoseOfTheColumnsAskedFor() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["int64", "int8", "utf8"], count: 1000, nullShare: 0)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let file = try IPCFile(folder["a"])
    #expect(try file.storedBytes(0, columns: [0]) == 8000)
    #expect(try file.storedBytes(0, columns: [1]) == 1000)
    #expect(try file.storedBytes(0, columns: []) == 0)
    #expect(try file.storedBytes(0) > 9000 + 4004)
    try file.prefetch(0)
    try file.prefetch(0, columns: [1])
  }
}

/// Changes a file of this engine in ways that leave it whole.
enum Footer {
  static func range(_ content: [UInt8]) -> Range<Int> {
    let end = content.count - 10
    let size = content[end..<(end + 4)].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    return (end - size)..<end
  }

  /// Where bytes occur in the footer, at last.
  static func find(_ bytes: [UInt8], in content: [UInt8]) -> Int? {
    let range = range(content)
    return (range.lowerBound...(range.upperBound - bytes.count)).last { content[$0..<($0 + bytes.count)].elementsEqual(bytes) }
  }

  /// Sets the first byte of the value that belongs to a key.
  static func change(_ content: inout [UInt8], from key: [UInt8], skip: Int, byte: UInt8) throws {
    let place = try #require(find(key, in: content))
    // A zero ends the key; the value comes after padding and its size.
    var value = place + key.count + 1
    while value % 4 != range(content).lowerBound % 4 { value += 1 }
    content[value + 4] = byte
  }

  /// Makes a file one of another writer: no seal, no checksums.
  static func disown(_ content: inout [UInt8]) {
    guard let place = find([UInt8](IPCChecksums.sealKey.utf8), in: content) else { return }
    content[place] = UInt8(ascii: "A")
  }

  /// Puts the right seal into a changed footer.
  static func seal(_ content: inout [UInt8]) {
    let range = range(content)
    let footer = Array(content[range])
    footer.withUnsafeBytes { bytes in
      guard let table = try? FlatTable(root: bytes), let place = try? IPCChecksums.sealPlace(table, MetadataBudget(byteCount: bytes.count)) else { return }
      let seal = IPCChecksums.digits(IPCChecksums.seal(bytes, place: place))
      for (index, digit) in seal.enumerated() { content[range.lowerBound + place.lowerBound + index] = digit }
    }
  }
}
