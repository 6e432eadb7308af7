import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct SpillFileTests {
  @Test(arguments: IPCCompression.allCases) func everyRowComesBack(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let counter = ReleaseCounter()
    do {
      let folder = try place.folder(spillOptions(compression))
      var random = RandomArray(seed: 7)
      var refused = 0
      for type in try everyType() {
        for nulls in [NullPattern.none, .some] {
          let length = 130
          let offset = random.number(0...13)
          let specs = [random.array(type, length: length, offset: offset, nulls: nulls), numbers(0..<length)]
          let batch = try ArraySpec.table(specs, length: length).batch(Schema(fields: [type, try Field(name: "n", format: "l")]), counter)
          let file: SpillFile
          do throws(CacheError) {
            file = try folder.write(batch, pieceRows: 40)
          } catch {
            #expect(error.code == .type && error.message.contains("dictionary of dictionaries"), "\(type.summary)")
            refused += 1
            continue
          }
          let expected = exported(batch, offset: 0, count: length)
          #expect(file.rowCount == length && file.pieces == [0..<40, 40..<80, 80..<120, 120..<130])
          for (from, count) in [(0, Int.max), (0, 40), (39, 2), (40, 40), (1, 128), (129, 1), (130, 1), (5, 0), (-3, 4)] {
            let rows = min(max(from, 0), length)..<(min(max(from, 0), length) + min(max(count, 0), length - min(max(from, 0), length)))
            for columns in (count < 40 ? [nil, [0], [1], [1, 0, 1], [], [0, 9, -1]] : [nil]) as [[Int]?] {
              let wanted = (columns?.filter { (0..<2).contains($0) } ?? [0, 1]).map { Array(expected[$0][rows]) }
              #expect(try file.values(from, count, columns: columns) == wanted, "\(type.summary) \(from) \(count) \(columns ?? [])")
            }
          }
          let slices = try file.read(offset: 39, count: 2, columns: [])
          #expect(slices.map(\.count) == [1, 1])
        }
      }
      #expect(refused == 2)
      #expect(folder.fileCount == 0)
    }
    #expect(counter.live == 0)
    #expect(place.names == [])
  }

  @Test func uncompressedColumnsAreReadWhereTheyLie() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let file = try folder.write(try countingBatch(10_000), pieceRows: 3000)
    let first = try file.read(offset: 100, count: 10, columns: nil)
    let again = try file.read(offset: 2000, count: 10, columns: [0])
    #expect(first[0].batch.column(0).pointee.buffers[1] == again[0].batch.column(0).pointee.buffers[1])
    #expect(try file.decompressedBytes(offset: 0, count: .max, columns: nil) == 0)
    #expect(try file.storedBytes(offset: 2999, count: 2, columns: nil) == 6000 * 8)
    #expect(try file.storedBytes(offset: 0, count: .max, columns: []) == 0)
    #expect(try file.storedBytes(offset: 0, count: 0, columns: nil) == 0)
    try file.prefetch(offset: 0, count: .max, columns: nil)
    #expect(file.byteCount == (try SystemFiles().status(file.path)?.byteCount))
    #expect(folder.fileBytes == file.byteCount)
  }

  /// Readers of the same columns at the same time share what was decompressed for them.
  @Test(arguments: [IPCCompression.lz4, .zstd]) func decompressedColumnsGoWithTheirReaders(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let folder = try place.folder(spillOptions(compression))
    let dictionary = try Field(name: "d", format: "i", dictionary: try Field(name: "", format: "u"))
    let indices = ArraySpec(length: 4000, buffers: [nil, bytes((0..<4000).map { Int32($0 % 2) })], dictionary: [column([String(repeating: "x", count: 5000), "y"])])
    let fields = [try Field(name: "v", format: "l"), dictionary]
    let batch = try ArraySpec.table([numbers(0..<4000, modulo: 10), indices], length: 4000).batch(Schema(fields: fields), ReleaseCounter())
    let file = try folder.write(batch, pieceRows: 1000)
    #expect(file.byteCount < 32_000)
    #expect(try file.decompressedBytes(offset: 999, count: 2, columns: [0]) == 16_000)
    // The dictionary is counted once for all pieces.
    let withDictionary = try file.decompressedBytes(offset: 0, count: .max, columns: [1])
    #expect(withDictionary >= 16_000 + 5001 && withDictionary < 16_000 + 2 * 5001)
    var one: RecordBatch? = try file.read(offset: 0, count: 10, columns: [0])[0].batch
    let two = try file.read(offset: 10, count: 10, columns: [0])[0].batch
    #expect(one === two)
    let other = try file.read(offset: 10, count: 10, columns: nil)[0].batch
    #expect(one !== other)
    one = nil
    #expect(exported(other, offset: 0, count: 1000) == exported(batch, offset: 0, count: 1000))
  }

  /// The file is there as long as something that was read from it, and no longer; so is its mapping.
  @Test(arguments: IPCCompression.allCases) func readersKeepTheFile(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let folder = try place.folder(spillOptions(compression))
    let batch = try ArraySpec.table([numbers(0..<900), column((0..<900).map { "text \($0)" })], length: 900).batch(schema("l", "u"), ReleaseCounter())
    var file: SpillFile? = try folder.write(batch, pieceRows: 300)
    let path = try #require(file?.path)
    var array = ArrowArray()
    do {
      let slice = try #require(try file?.read(offset: 310, count: 20, columns: [1, 0])[0])
      slice.batch.export(columns: [0], offset: slice.offset, count: slice.count, to: &array)
    }
    file = nil
    #expect(try SystemFiles().status(path) != nil)
    #expect(folder.fileCount == 1)
    let child = try #require(array.children[0])
    #expect(Value.all(batch.schema.fields[1], child) == Array(batch.values(1)[310..<330]))
    array.release(&array)
    #expect(try SystemFiles().status(path) == nil)
    #expect(folder.fileCount == 0 && folder.fileBytes == 0)
    #expect(!processMappings.contains { $0.contains(path) })
  }

  /// What is mapped without a reader is bounded; a reader keeps its own beyond that.
  @Test func theFilesMappedFirstAreLetGoOf() throws {
    let place = try SpillPlace()
    let folder = try place.folder(spillOptions(.none, mappedFileLimit: 3))
    let files = try (0..<8).map { try folder.write(try countingBatch(1000, from: $0 * 1000)) }
    let held = try files[0].read(offset: 0, count: 5, columns: nil)
    for (index, file) in files.enumerated() { #expect(try file.values(7, 1) == [[Value.number(Int64(index * 1000 + 7))]]) }
    #expect(files.map(\.isMapped) == [true, false, false, false, false, true, true, true])
    #expect(folder.mappings.count == 3)
    #expect(exported(held[0].batch, offset: 0, count: 1) == [[Value.number(0)]])
    for _ in 0..<300 { for file in files { _ = try file.read(offset: 0, count: 1, columns: nil) } }
    #expect(folder.mappings.count == 3)
  }

  @Test func manyThreadsReadOneFile() throws {
    let place = try SpillPlace()
    for compression in [IPCCompression.none, .lz4] {
      let folder = try place.folder(spillOptions(compression, mappedFileLimit: 2))
      let files = try (0..<5).map { try folder.write(try countingBatch(5000, from: $0 * 5000), pieceRows: 700) }
      try parallel(count: 400, threads: 8) { _, index throws(CacheError) in
        let offset = index * 13 % 4990
        let values = try files[index % 5].values(offset, 10)
        let start = index % 5 * 5000 + offset
        #expect(values == [(start..<(start + 10)).map { Value.number(Int64($0)) }])
        files[index % 5].releasePages(offset: offset, count: 100, columns: nil)
      }
    }
  }

  /// Memory does not grow with what has been read.
  @Test(.serialized, arguments: [false, true]) func pagesThatWereReadAreGivenBack(whileOthersHold: Bool) throws {
    let place = try SpillPlace("/tmp")
    let folder = try place.folder()
    let rowCount = 26 << 20
    var file: SpillFile?
    do {
      let values = try #require(calloc(rowCount, 8))
      defer { free(values) }
      for row in stride(from: 0, to: rowCount, by: 512) { values.storeBytes(of: Int64(row), toByteOffset: row * 8, as: Int64.self) }
      file = try folder.write(try batchOver(values, rowCount), pieceRows: 1 << 20)
    }
    let read = try #require(file)
    func sum(_ slice: RecordBatchSlice) -> Int64 {
      let node = slice.batch.column(0).pointee
      guard let start = node.buffers[1]?.assumingMemoryBound(to: Int64.self) else { return -1 }
      var total: Int64 = 0
      for row in stride(from: 0, to: slice.count, by: 512) { total &+= start[Int(node.offset) + slice.offset + row] }
      return total
    }
    let expected = stride(from: 0, to: rowCount, by: 512).reduce(Int64(0)) { $0 + Int64($1) }
    func resident() -> Int { residentBytes(of: read.path) }
    #expect(resident() == 0)
    if whileOthersHold {
      let held = try read.read(offset: 0, count: .max, columns: nil)
      var total: Int64 = 0
      for (slice, piece) in zip(held, read.pieces) {
        for start in stride(from: 0, to: slice.count, by: 1 << 18) {
          total += sum(RecordBatchSlice(slice.batch, offset: start, count: 1 << 18))
          read.releasePages(offset: piece.lowerBound + start, count: 1 << 18, columns: [0])
        }
      }
      #expect(total == expected)
      #expect(resident() < 4 << 20)
      // They are there when they are wanted again.
      #expect(held.reduce(0) { $0 + sum($1) } == expected)
      withExtendedLifetime(held) {}
    } else {
      let held = try read.read(offset: 0, count: .max, columns: nil)
      #expect(held.reduce(0) { $0 + sum($1) } == expected)
      #expect(resident() > 150 << 20)
    }
    #expect(resident() == 0)
    #expect(read.isMapped)
  }

  @Test func nothingLeaks() throws {
    let place = try SpillPlace()
    func round() throws {
      let folder = try place.folder(spillOptions(.none))
      for index in 0..<20 {
        let file = try folder.write(try countingBatch(2000, from: index), pieceRows: 500)
        #expect(try file.values(700, 1) == [[Value.number(Int64(700 + index))]])
      }
      #expect(folder.mappings.count == 0)
      folder.close()
    }
    try round()
    let path = place.path
    func descriptors() -> Int { (try? SystemFiles().list("/proc/self/fd"))?.count { name in (try? link("/proc/self/fd/\(name)"))?.hasPrefix(path) ?? false } ?? -1 }
    for _ in 0..<3 { try round() }
    #expect(!processMappings.contains { $0.contains(path) })
    #expect(descriptors() == 0)
    #expect(place.names == [])
  }

  private func link(_ path: String) throws -> String {
    var target = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &target, target.count)
    return String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Value {
  /// A 64-bit number as the columns of numbers hold it.
  static func number(_ number: Int64) -> Value { .bytes(withUnsafeBytes(of: number) { [UInt8]($0) }) }
}

/// A batch over memory that the caller keeps.
private func batchOver(_ values: UnsafeMutableRawPointer, _ rowCount: Int) throws(CacheError) -> RecordBatch {
  let buffers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 2)
  buffers.initialize(to: nil)
  (buffers + 1).initialize(to: UnsafeRawPointer(values))
  let child = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
  child.initialize(
    to: ArrowArray(
      length: Int64(rowCount), null_count: 0, offset: 0, n_buffers: 2, n_children: 0, buffers: buffers, children: nil, dictionary: nil,
      release: { $0?.pointee.buffers?.deallocate(); $0?.pointee.release = nil }, private_data: nil))
  let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>.allocate(capacity: 1)
  children.initialize(to: child)
  var table = ArrowArray(
    length: Int64(rowCount), null_count: 0, offset: 0, n_buffers: 0, n_children: 1, buffers: nil, children: children, dictionary: nil,
    release: { array in
      array?.pointee.children?[0]?.deallocate()
      array?.pointee.children?.deallocate()
      array?.pointee.release = nil
    }, private_data: nil)
  return try RecordBatch(importing: &table, schema: schema("l"))
}
