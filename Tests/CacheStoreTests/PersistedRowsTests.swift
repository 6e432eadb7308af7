import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

/// Rows that leave memory where the storage has them already.
@Suite struct PersistedRowsTests {
  private struct Place {
    let storage: SpillPlace
    let spill: SpillPlace

    init() throws { (storage, spill) = (try SpillPlace(), try SpillPlace()) }

    func fixture(_ change: (inout StoreOptions) -> Void = { _ in }) throws(CacheError) -> Fixture {
      try Fixture { options in
        (options.storagePath, options.spillDirectory, options.spillsToDisk) = (storage["s"], spill["x"], true)
        (options.deletesFilesOnClose, options.memoryLimitBytes, options.partitionSizeRows) = (false, 100_000, 1000)
        change(&options)
      }
    }

    func folder(_ key: String) -> PersistedFolder { PersistedFolder(key: key, in: storage["s"], files: SystemFiles()) }
  }

  private func isOnDisk(_ fixture: Fixture, _ key: String) -> Bool { fixture.store.peek(key)?.isInMemory == false }

  /// Batches of 700 rows in partitions of 1000: segments and files do not end together.
  @Test(arguments: IPCCompression.allCases) func rowsLeaveWithoutBeingWritten(compression: IPCCompression) throws {
    let place = try Place()
    let fixture = try place.fixture { $0.compression = compression }
    let batches = (0..<7).map { batch in (0..<700).map { Int64(batch * 700 + $0) as Int64? } }
    try fixture.put("k", batches)
    for other in ["x", "y", "z"] { try fixture.put(other, bytes: 30_000) }
    #expect(isOnDisk(fixture, "k"))
    let status = fixture.store.status()
    #expect(status.tiers.writtenBytes == 0 && status.diskBytes == 0 && status.tiers.spilled.count >= 5)
    let parts = try #require(try Manifest.read(in: place.folder("k").path, files: SystemFiles())).parts
    let readNow = fixture.store.peek("k")?.segments.filter { $0.placement.tier == .disk } ?? []
    #expect(!readNow.isEmpty && readNow.allSatisfy { $0.file is PersistedRows })
    #expect(status.persistedFileCount <= parts.count && status.persistedFileCount > 0)
    #expect(status.currentSizeBytes == status.residentBytes + status.persistedBytes)
    let entry = try #require(fixture.store.peek("k"))
    #expect(try entry.numbers() == batches.flatMap { $0 })
    for (offset, limit) in [(0, 1), (699, 2), (999, 2), (1399, 702), (4899, 5), (5000, 1), (0, 0)] {
      #expect(try entry.numbers(offset: offset, limit: limit) == Array(batches.flatMap { $0 }.dropFirst(offset).prefix(limit)))
    }
    fixture.audit()
  }

  /// Whoever holds a version goes on reading it when the key gets another one, and when the entry goes.
  @Test func theVersionOfBeforeStaysReadable() throws {
    let place = try Place()
    let fixture = try place.fixture()
    let rows = (0..<5000).map { Int64($0) as Int64? }
    try fixture.put("k", [rows])
    try fixture.put("other", bytes: 80_000)
    let old = try #require(fixture.store.peek("k"))
    #expect(!old.isInMemory)
    try fixture.put("k", [[1]])
    #expect(try old.numbers() == rows)
    let other = try #require(fixture.store.peek("other"))
    #expect(try fixture.store.removeDurably("other"))
    #expect(try other.numbers().count == 10_000)
    #expect(try old.numbers() == rows)
    fixture.audit(HeldOutside(entries: [old, other]))
  }

  /// Without the storage's files as they were written, the rows are written to a file of their own.
  @Test(arguments: ["missing", "cut", "other", "seal", "manifest"]) func whatIsNotThereIsWritten(damage: String) throws {
    let place = try Place()
    let fixture = try place.fixture()
    let rows = (0..<5000).map { Int64($0) as Int64? }
    try fixture.put("k", [rows])
    let folder = place.folder("k").path
    let manifest = try #require(try Manifest.read(in: folder, files: SystemFiles()))
    let path = "\(folder)/\(manifest.parts[2].name)"
    switch damage {
    case "missing": try SystemFiles().unlink(path)
    case "cut": #expect(truncate(path, off_t(manifest.parts[2].byteCount - 8)) == 0)
    case "other":
      try SystemFiles().unlink(path)
      #expect(link("\(folder)/\(manifest.parts[1].name)", path) == 0)
    case "seal":
      var bytes = try SystemFiles().read(path, limitBytes: .max)
      bytes[bytes.count - 40] ^= 1
      try SystemFiles().unlink(path)
      let file = try SystemFiles().create(path)
      try bytes.withUnsafeBytes { try SystemFiles().writeAll($0, to: file, at: 0) }
    default: try SystemFiles().unlink("\(folder)/\(Manifest.name)")
    }
    try fixture.put("other", bytes: 80_000)
    #expect(isOnDisk(fixture, "k"))
    #expect(fixture.store.status().tiers.writtenBytes > 0)
    #expect(try fixture.store.peek("k")?.numbers() == rows)
    fixture.audit()
  }

  /// Somebody removes the files: what has left memory for them is still there, and so is what leaves later.
  @Test func aStorageThatIsRemovedByHandLosesNothing() throws {
    let place = try Place()
    let fixture = try place.fixture()
    let rows = (0..<5000).map { Int64($0) as Int64? }
    try fixture.put("left", [rows])
    try fixture.put("stays", bytes: 80_000)
    #expect(isOnDisk(fixture, "left") && fixture.store.status().tiers.writtenBytes == 0)
    for key in ["left", "stays"] { place.folder(key).remove() }
    for key in ["left", "stays"] { attempt { () throws(CacheError) in try SystemFiles().unlink("\(place.folder(key).path)/\(Manifest.name)") } }
    try fixture.put("more", bytes: 80_000)
    #expect(isOnDisk(fixture, "stays"))
    #expect(try fixture.store.peek("left")?.numbers() == rows)
    #expect(try fixture.store.peek("stays")?.numbers().count == 10_000)
    fixture.audit()
  }

  /// A folder that `persist` was given is nobody's but the user's.
  @Test func otherFoldersAreNotReliedOn() throws {
    let place = try SpillPlace()
    let spill = try SpillPlace()
    let fixture = try Fixture {
      ($0.spillsToDisk, $0.spillDirectory, $0.memoryLimitBytes, $0.partitionSizeRows) = (true, spill.path, 100_000, 1000)
    }
    try fixture.put("k", bytes: 40_000)
    try fixture.store.persist("k", in: place.path)
    try fixture.put("other", bytes: 80_000)
    #expect(fixture.store.status().tiers.writtenBytes >= 40_000)
    #expect(fixture.store.status().persistedFileCount == 0)
    fixture.audit()
  }

  /// What is loaded, and what is opened again, counts; each file once; not against the disk limit.
  @Test func persistedFilesAreCounted() throws {
    let place = try Place()
    do {
      let fixture = try place.fixture()
      try fixture.put("a", bytes: 40_000)
      try fixture.put("b", bytes: 16_000)
      #expect(fixture.store.status().persistedBytes == 0)
      fixture.store.close()
    }
    func bytes(_ key: String) throws -> Int {
      try #require(try Manifest.read(in: place.folder(key).path, files: SystemFiles())).parts.reduce(0) { $0 + $1.byteCount }
    }
    let fixture = try place.fixture { $0.diskLimitBytes = 1000 }
    let opened = fixture.store.status()
    #expect(opened.persistedBytes == (try bytes("a") + bytes("b")) && opened.persistedFileCount == 5 + 2)
    #expect(opened.diskBytes == 0 && opened.currentSizeBytes == opened.persistedBytes)
    #expect(try fixture.store.load("a", from: place.storage["s"]))
    #expect(fixture.store.status().persistedBytes == opened.persistedBytes, "the same files")
    fixture.audit()
    let allOfB = try bytes("b")
    #expect(try fixture.store.removeDurably("a"))
    #expect(fixture.store.status().persistedBytes == allOfB && fixture.store.status().persistedFileCount == 2)
    let held = try #require(fixture.store.peek("b"))
    fixture.store.close()
    #expect(fixture.store.status().persistedFileCount == 2, "as long as somebody reads it")
    #expect(try held.numbers().count == 2000)
  }
}
