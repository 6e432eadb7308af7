import CArrow
import Glibc
import Primitives
import Testing

@testable import ArrowData

/// Files with bytes changed or cut off at random. Whatever is believed of them: no crash; with checksums: never a wrong value.
@Suite struct DamageTests {
  private static let kinds = ArrayMaker.kinds
  /// Files for each seed; more of them where a longer search is wanted.
  private static let rounds = getenv("ARROW_CACHE_DAMAGE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100

  private struct Sample {
    let folder: TestFolder
    let content: [UInt8]
    let rows: [String]

    init(_ compression: IPCCompression, rowCount: Int) throws {
      folder = try TestFolder()
      let batch = try makeBatch(DamageTests.kinds, count: rowCount, lead: 2)
      var options = IPCWriteOptions()
      options.compression = compression
      options.mergesSlices = false
      let slices = [RecordBatchSlice(batch, offset: 0, count: rowCount / 3), RecordBatchSlice(batch, offset: rowCount / 3, count: rowCount)]
      try IPCWriter(options: options).write(slices, schema: batch.schema, to: folder["a"])
      content = try folder.read("a")
      rows = render(batch)
    }

    /// Reads all of a file that has this content.
    func read(_ content: [UInt8], _ trust: IPCTrust) throws(CacheError) -> [RecordBatch] {
      try folder.write("damaged", content)
      var options = IPCReadOptions()
      options.trust = trust
      options.decompressionLimitBytes = 64 << 20
      let file = try IPCFile(folder["damaged"], options: options)
      return try (0..<file.batchCount).map { index throws(CacheError) in try file.batch(index) }
    }

    /// The same, and uses every value, in the way that readers do which believe the structure. True where nothing was refused.
    func use(_ content: [UInt8], _ trust: IPCTrust) -> Bool {
      do throws(CacheError) {
        for batch in try read(content, trust) {
          // What is there may be large by its lengths alone: values of no bytes are as many as they say.
          guard batch.rowCount < 10_000, batch.byteCount(offset: 0, count: batch.rowCount) < 16 << 20 else { continue }
          _ = render(try batch.copied(columns: nil, offset: 0, count: batch.rowCount))
          _ = render(batch)
          for column in 0..<batch.columnCount { _ = ColumnStatistics(of: batch, column: column, offset: 0, count: batch.rowCount) }
        }
        return true
      } catch {
        #expect(!error.message.isEmpty)
        return false
      }
    }
  }

  private static func damage(_ content: [UInt8], _ random: inout SeededGenerator, from: Int = 0) -> [UInt8] {
    var damaged = content
    switch random.below(10) {
    case 0: return Array(damaged.prefix(random.below(content.count)))
    case 1:
      let start = from + random.below(content.count - from)
      for index in start..<min(content.count, start + random.below(64)) { damaged[index] = 0 }
    case 2:
      let start = from + random.below(content.count - from)
      for index in start..<min(content.count, start + 8) { damaged[index] = 0xff }
    case 3: damaged += (0..<random.below(20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    default:
      for _ in 0...random.below(4) { damaged[from + random.below(content.count - from)] ^= UInt8(1 << random.below(8)) }
    }
    return damaged
  }

  @Test(arguments: IPCCompression.allCases, 1...4)
  func checksumsFindAllDamage(compression: IPCCompression, seed: Int) throws {
    let sample = try Sample(compression, rowCount: 40)
    var random = SeededGenerator(seed)
    var refused = 0
    for _ in 0..<Self.rounds {
      let damaged = Self.damage(sample.content, &random)
      do throws(CacheError) {
        #expect(try sample.read(damaged, .checksums).flatMap { render($0) } == sample.rows)
      } catch {
        #expect(error.code == .storage)
        #expect(error.message.contains("damaged'"))
        refused += 1
      }
    }
    #expect(refused > Self.rounds / 3)
    #expect(refused < Self.rounds || compression != .none)  // damage between buffers is none
  }

  /// Files of other writers are looked at value by value.
  @Test(arguments: IPCCompression.allCases, 1...4)
  func foreignFilesNeverCrashTheReader(compression: IPCCompression, seed: Int) throws {
    let sample = try Sample(compression, rowCount: 40)
    var foreign = sample.content
    Footer.disown(&foreign)
    #expect(try sample.read(foreign, .automatic).flatMap { render($0) } == sample.rows)
    var random = SeededGenerator(100 + seed)
    var passed = 0
    for _ in 0..<Self.rounds where sample.use(Self.damage(foreign, &random), .structure) { passed += 1 }
    #expect(passed < Self.rounds)
  }

  /// The metadata is where lengths and places are: most of a small file is that.
  @Test(arguments: 1...8)
  func damagedMetadataOfForeignFiles(seed: Int) throws {
    let sample = try Sample(.none, rowCount: 2)
    var foreign = sample.content
    Footer.disown(&foreign)
    let footer = Footer.range(foreign).lowerBound
    var random = SeededGenerator(200 + seed)
    var passed = 0
    for round in 0..<(2 * Self.rounds) where sample.use(Self.damage(foreign, &random, from: round % 2 == 0 ? footer : 0), .structure) { passed += 1 }
    #expect(passed < 2 * Self.rounds)
  }

  /// A forged seal is believed: then lengths and ends are still checked, before anything is read beyond the file.
  @Test(arguments: 1...4)
  func forgedFootersNeverCrashTheReader(seed: Int) throws {
    let sample = try Sample(.none, rowCount: 10)
    var random = SeededGenerator(300 + seed)
    let footer = Footer.range(sample.content)
    for _ in 0..<Self.rounds {
      var forged = sample.content
      for _ in 0...random.below(3) { forged[footer.lowerBound + random.below(footer.count)] ^= UInt8(1 << random.below(8)) }
      Footer.seal(&forged)
      _ = try? sample.read(forged, .sealed)
    }
  }

  @Test func everyLengthOfACutFileIsRefused() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["utf8", "dictionary8"], count: 5)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let content = try folder.read("a")
    for length in 0..<content.count {
      try folder.write("b", Array(content.prefix(length)))
      #expect(throws: CacheError.self) { try IPCFile(folder["b"]) }
    }
  }

  /// Every single byte of a file is under a checksum, or is nothing.
  @Test func everyByteIsCoveredOrPadding() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(["utf8", "dictionary8", "view"], count: 6, lead: 1)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let content = try folder.read("a")
    let rows = render(batch)
    var options = IPCReadOptions()
    options.trust = .checksums
    let footer = Footer.range(content)
    let endOfMessages = (footer.lowerBound - 8)..<footer.lowerBound
    var harmless = 0
    for index in content.indices {
      var damaged = content
      damaged[index] ^= 0x10
      try folder.write("b", damaged)
      do throws(CacheError) {
        let file = try IPCFile(folder["b"], options: options)
        #expect(render(try file.batch(0)) == rows)
        try file.verify()
        harmless += 1
        #expect(content[index] == 0 || endOfMessages.contains(index), "byte \(index)")
      } catch {
        #expect(error.code == .storage)
      }
    }
    #expect(harmless > 0)
    #expect(harmless < content.count / 2)
  }
}
