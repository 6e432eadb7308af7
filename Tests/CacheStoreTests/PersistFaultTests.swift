import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct PersistFaultTests {
  private static let old = (0..<450).map { Int64($0) }
  /// One partition changed, one grown, one more.
  private static let new = (0..<520).map { Int64($0 == 250 ? -1 : $0) }

  private func write(_ rows: [Int64], to path: String) throws {
    let batch = try ArraySpec.table([column(rows.map { $0 })], length: rows.count).batch(schema("l"), ReleaseCounter())
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: path)
  }

  /// The rows that a store of its own finds, verified; nil: there is nothing.
  private func found(in path: String) throws -> [Int64]? {
    let fixture = try Fixture()
    guard try fixture.store.load("k", from: path, isVerified: true) else { return nil }
    let rows = try #require(fixture.store.peek("k")).numbers().compactMap { $0 }
    fixture.audit()
    return rows
  }

  /// Only what the manifest names is there.
  private func expectNoOrphans(in path: String, _ place: SourceLocation = #_sourceLocation) throws {
    let folder = PersistedFolder(key: "k", in: path, files: SystemFiles()).path
    let manifest = try #require(try Manifest.read(in: folder, files: SystemFiles()))
    #expect(Set(try SystemFiles().list(folder)) == Set(manifest.parts.map(\.name) + [Manifest.name]), sourceLocation: place)
  }

  /// A process that is killed before any file call of its own: the old version or the new one is there, whole, and the next persist leaves nothing
  /// but its own files.
  @Test(arguments: [false, true]) func aKilledProcessLeavesAWholeVersion(isFirst: Bool) throws {
    let place = try SpillPlace()
    try write(Self.old, to: place["old.arrow"])
    try write(Self.new, to: place["new.arrow"])
    func ask(_ name: String, _ to: String, _ kill: Int? = nil) throws -> Int? {
      let tool = try Tool()
      let answer = try? tool.ask("persist\t\(place[name])\t\(place[to])" + (kill.map { "\tkill=\($0)" } ?? ""))
      return answer.flatMap { Int($0) }
    }
    if !isFirst { _ = try ask("old.arrow", "count") }
    let total = try #require(try ask("new.arrow", "count"))
    #expect(total > 40)
    var seen: Set<Int> = []
    for call in 0..<total {
      let name = "at\(call)"
      if !isFirst { #expect(try ask("old.arrow", name) != nil) }
      let answer = try ask("new.arrow", name, call)
      #expect(answer == nil, "it has been killed at \(call)")
      let rows = try found(in: place[name])
      #expect(rows == Self.new || rows == (isFirst ? nil : Self.old), "killed at call \(call): \(rows?.count ?? -1) rows")
      seen.insert(rows?.count ?? 0)
      let again = try Fixture { $0.partitionSizeRows = 100 }
      try again.put("k", [Self.new.map { $0 }])
      #expect(try again.store.persist("k", in: place[name]))
      #expect(try found(in: place[name]) == Self.new)
      try expectNoOrphans(in: place[name])
    }
    #expect(seen == [isFirst ? 0 : Self.old.count, Self.new.count], "kills before and after the swap")
  }

  /// Whichever file call fails: an error, and the old version or the new one, whole, with nothing beside it.
  @Test(arguments: IPCCompression.allCases) func aFailedPersistLeavesAWholeVersion(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let fixture = try Fixture {
      ($0.partitionSizeRows, $0.files, $0.compression, $0.threadCount) = (100, files, compression, compression == .none ? 3 : 1)
    }
    func persist(_ rows: [Int64]) throws {
      try fixture.put("k", [rows.map { $0 }])
      try fixture.store.persist("k", in: place.path)
    }
    try persist(Self.old)
    files.replaceFaults([])
    try persist(Self.new)
    let counts = files.counts
    #expect(counts[.synchronize, default: 0] >= 4 && counts[.synchronizeFolder, default: 0] >= 2 && counts[.rename, default: 0] >= 4)
    var failures = 0
    for (operation, count) in counts {
      for call in 1...count {
        for errorNumber in [ENOSPC, EIO] {
          files.replaceFaults([])
          try persist(Self.old)
          files.replaceFaults([.init(operation, call: call, .error(errorNumber))])
          do throws(CacheError) {
            try fixture.put("k", [Self.new.map { $0 }])
            try fixture.store.persist("k", in: place.path)
            #expect(try! found(in: place.path) == Self.new, "\(operation) \(call)")
          } catch {
            failures += 1
            #expect(error.code == .storage && error.systemError == errorNumber && error.message.contains(place.path), "\(operation) \(call): \(error)")
            let rows = try found(in: place.path)
            #expect(rows == Self.old || rows == Self.new, "\(operation) \(call)")
          }
        }
      }
    }
    #expect(failures > 40)
    files.replaceFaults([])
    try persist(Self.new)
    try expectNoOrphans(in: place.path)
    files.replaceFaults([.init(.write, call: 1, .shortWrite(byteCount: 7), isLasting: true)])
    try persist(Self.old)
    #expect(try found(in: place.path) == Self.old)
  }

  /// Flipped bytes and cut files: an error that names the file, or the right rows; the cache is as it was.
  @Test func damageIsFoundOrHarmless() throws {
    let place = try SpillPlace()
    let fixture = try Fixture { $0.partitionSizeRows = 100 }
    try fixture.put("k", [Self.old.map { $0 }])
    try fixture.store.persist("k", in: place.path)
    let folder = PersistedFolder(key: "k", in: place.path, files: SystemFiles()).path
    let names = try SystemFiles().list(folder).sorted()
    var random = RandomArray(seed: 5)
    var (found, harmless) = (0, 0)
    for round in 0..<3000 {
      let name = names[random.number(0...names.count - 1)]
      let path = "\(folder)/\(name)"
      let bytes = try SystemFiles().read(path, limitBytes: .max)
      var damaged = bytes
      if round % 4 == 0 {
        damaged.removeLast(random.number(1...bytes.count))
      } else {
        for _ in 0...random.number(0...2) { damaged[random.number(0...bytes.count - 1)] ^= UInt8(1 << random.number(0...7)) }
      }
      try replace(path, damaged)
      let other = try Fixture()
      try other.put("k", [[7]])
      do throws(CacheError) {
        #expect(try other.store.load("k", from: place.path, isVerified: round % 2 == 0))
        let entry = other.store.peek("k")
        let rows = entry?.segments.isEmpty ?? true ? [] : try entry?.batches().flatMap { numbersOf($0) }
        #expect(rows == Self.old.map { $0 })
        harmless += 1
      } catch {
        #expect(error.code == .storage || error.code == .type, "\(error)")
        #expect(error.message.contains(path), "\(error)")
        found += 1
        if other.store.peek("k")?.rowCount == 1 { #expect((try? other.store.peek("k")?.numbers()) == [7]) }
      }
      try replace(path, bytes)
    }
    #expect(found > 2000, "\(found) found, \(harmless) harmless")
    #expect(try self.found(in: place.path) == Self.old)
  }

  private func replace(_ path: String, _ bytes: [UInt8]) throws(CacheError) {
    let file = try AtomicFile(path, files: SystemFiles())
    try bytes.withUnsafeBufferPointer { bytes throws(CacheError) in try file.write(UnsafeRawBufferPointer(bytes), at: 0) }
    try file.publish(isDurable: false, replaces: true)
  }

  @Test func whatIsNotOursIsSaid() throws {
    let place = try SpillPlace()
    let fixture = try Fixture()
    try fixture.put("k")
    try place.touch("file")
    for path in [place["file"], place["file/below"]] {
      #expect(#expect(throws: CacheError.self) { try fixture.store.persist("k", in: path) }?.systemError == ENOTDIR)
    }
    #expect(#expect(throws: CacheError.self) { try fixture.store.load("k", from: place["file"]) }?.code == .storage)
    try fixture.store.persist("k", in: place.path)
    let folder = PersistedFolder(key: "k", in: place.path, files: SystemFiles()).path
    let path = "\(folder)/\(Manifest.name)"
    let bytes = try SystemFiles().read(path, limitBytes: .max)
    try replace(path, [UInt8]("{\"hello\": 1}".utf8))
    #expect(#expect(throws: CacheError.self) { try fixture.store.load("k", from: place.path) }?.message.contains(path) == true)
    try fixture.store.persist("k", in: place.path)
    #expect(try fixture.store.load("k", from: place.path), "what is damaged is written anew")
    let other = PersistedFolder(key: "other", in: place.path, files: SystemFiles()).path
    #expect(Glibc.rename(folder, other) == 0)
    #expect(#expect(throws: CacheError.self) { try fixture.store.load("other", from: place.path) }?.message.contains("'k', not 'other'") == true)
    try fixture.put("other")
    #expect(throws: CacheError.self) { try fixture.store.persist("other", in: place.path) }
    #expect(bytes.count > 100)
  }

  @Test func whoWritesAtTheSameTimeIsNamed() throws {
    let place = try SpillPlace()
    let fixture = try Fixture()
    try fixture.put("k")
    try fixture.store.persist("k", in: place.path)
    let folder = PersistedFolder(key: "k", in: place.path, files: SystemFiles())
    let lock = try folder.lockForWriting()
    let error = #expect(throws: CacheError.self) { try fixture.store.persist("k", in: place.path) }
    #expect(error?.message.contains("process \(getpid())") == true)
    #expect(try fixture.store.load("k", from: place.path), "reading needs no lock")
    folder.unlock(lock)
    #expect(try fixture.store.persist("k", in: place.path))
  }
}
