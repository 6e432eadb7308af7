import ArrowData
import CArrow
import Glibc
import Primitives
import Synchronization
import Testing

@testable import CacheStore

/// What persisting and loading ask of the disk, and in which order.
@Suite struct PersistOrderTests {
  private final class Log: Sendable {
    private let calls = Locked<[(operation: FileOperation, path: String)]>([])

    func add(_ operation: FileOperation, _ path: String) { calls.withLock { $0.append((operation, path)) } }

    var all: [(operation: FileOperation, path: String)] { calls.withLock { $0 } }

    func places(_ operation: FileOperation, _ isMeant: (String) -> Bool = { _ in true }) -> [Int] {
      all.indices.filter { all[$0].operation == operation && isMeant(all[$0].path) }
    }
  }

  /// A power cut after any of the calls leaves what the manifest names: files are durable before they get their names, names before the
  /// manifest's, each with one sync.
  @Test(arguments: [1, 2, 7]) func everyPartIsDurableBeforeTheManifestNamesIt(threads: Int) throws {
    let place = try SpillPlace()
    let log = Log()
    let files = FaultyFiles { operation, path, _ in log.add(operation, path) }
    let fixture = try Fixture { ($0.partitionSizeRows, $0.files, $0.threadCount) = (100, files, threads) }
    try fixture.put("k", [(0..<2000).map { $0 }])
    #expect(try fixture.store.persist("k", in: place.path))
    let folder = PersistedFolder(key: "k", in: place.path, files: SystemFiles()).path
    let manifest = try #require(try Manifest.read(in: folder, files: SystemFiles()))
    #expect(manifest.parts.count == 20)
    let synced = log.places(.synchronize)
    #expect(synced.count == 21, "each part and the manifest")
    #expect(log.places(.synchronizeFolder) { $0 == folder }.count == 2)
    let manifestRenamed = try #require(log.places(.rename) { $0.contains("/manifest.json.tmp.") }.first)
    let namesSynced = try #require(log.places(.synchronizeFolder) { $0 == folder }.first)
    let manifestWritten = try #require(log.places(.create) { $0.contains("/manifest.json.tmp.") }.first)
    #expect(namesSynced < manifestWritten && manifestWritten < manifestRenamed)
    for index in manifest.parts.indices {
      let provisional = "\(folder)/\(PersistedFolder.partName(index, content: "new"))"
      let durable = log.places(.synchronize) { $0 == provisional }
      let renamed = log.places(.rename) { $0 == provisional }
      let lastWrite = try #require(log.places(.write) { $0.hasPrefix(provisional) }.last)
      #expect(durable.count == 1 && renamed.count == 1 && lastWrite < durable[0] && durable[0] < renamed[0] && renamed[0] < namesSynced)
    }
    #expect(log.places(.create).count == 21 && log.places(.map).isEmpty, "what has been written is not read")
  }

  /// Bytes written are those of what has changed.
  @Test func onlyAChangedPartitionCostsWrites() throws {
    let place = try SpillPlace()
    let log = Log()
    let files = FaultyFiles { operation, path, _ in log.add(operation, path) }
    let fixture = try Fixture { ($0.partitionSizeRows, $0.files, $0.threadCount) = (100, files, 2) }
    for version in 0..<3 {
      let before = log.all.count
      try fixture.put("k", [(0..<1000).map { $0 == 450 ? Int64(-version) : $0 }])
      #expect(try fixture.store.persist("k", in: place.path))
      let created = log.all[before...].filter { $0.operation == .create }.count
      #expect(created == (version == 0 ? 11 : 2))
      #expect(fixture.store.events.last?.bytes == (version == 0 ? try partBytes(place, "k") : try partBytes(place, "k") / 10))
    }
  }

  private func partBytes(_ place: SpillPlace, _ key: String) throws -> Int {
    let folder = PersistedFolder(key: key, in: place.path, files: SystemFiles()).path
    return try #require(try Manifest.read(in: folder, files: SystemFiles())).parts.reduce(0) { $0 + $1.byteCount }
  }

  /// Loading reads the manifest, maps each part, and looks into one: what is wrong with another shows when its rows are asked for.
  @Test func loadingLooksIntoOnePart() throws {
    let place = try SpillPlace()
    let first = try Fixture { $0.partitionSizeRows = 100 }
    try first.put("k", [(0..<1000).map { $0 }])
    #expect(try first.store.persist("k", in: place.path))
    let folder = PersistedFolder(key: "k", in: place.path, files: SystemFiles()).path
    let parts = try #require(try Manifest.read(in: folder, files: SystemFiles())).parts
    let damagedPath = "\(folder)/\(parts[6].name)"
    var bytes = try SystemFiles().read(damagedPath, limitBytes: .max)
    bytes[bytes.count - 40] ^= 1
    try SystemFiles().unlink(damagedPath)
    let file = try SystemFiles().create(damagedPath)
    try bytes.withUnsafeBytes { try SystemFiles().writeAll($0, to: file, at: 0) }

    let files = FaultyFiles()
    let second = try Fixture { $0.files = files }
    #expect(try second.store.load("k", from: place.path))
    #expect(files.counts[.map] == 10 && files.counts[.read] == 1)
    let entry = try #require(second.store.peek("k"))
    #expect(try entry.numbers(limit: 1) == [0])
    #expect(try entry.numbers(offset: 500, limit: 100) == (500..<600).map { $0 })
    #expect(files.counts[.map] == 10, "what is mapped is not opened again")
    let error = #expect(throws: CacheError.self) { _ = try entry.segments[6].read(offset: 0, count: 1) }
    #expect(error?.code == .storage && error?.message.contains(damagedPath) == true)
    #expect(try entry.numbers(offset: 700) == (700..<1000).map { $0 })
    let verified = #expect(throws: CacheError.self) { try second.store.load("k", from: place.path, isVerified: true) }
    #expect(verified?.message.contains(damagedPath) == true)
  }

  /// Whatever the number of threads, only the caller's asks whether to cancel, and the version of before stays.
  @Test(arguments: [1, 4]) func aCancelledPersistLeavesTheVersionOfBefore(threads: Int) throws {
    let place = try SpillPlace()
    let fixture = try Fixture { ($0.partitionSizeRows, $0.threadCount) = (100, threads) }
    try fixture.put("k", [[7]])
    #expect(try fixture.store.persist("k", in: place.path))
    try fixture.put("k", [(0..<2000).map { $0 }])
    let caller = pthread_self()
    // The others may have done everything before the caller asks again.
    for limit in threads == 1 ? [0, 1, 5, 11] : [0, 0, 0] {
      let asked = Atomic(0)
      let error = #expect(throws: CacheError.self) {
        try fixture.store.persist("k", in: place.path) {
          #expect(pthread_equal(pthread_self(), caller) != 0)
          return asked.wrappingAdd(1, ordering: .relaxed).newValue > limit
        }
      }
      #expect(error?.code == .interrupted)
      let other = try Fixture()
      #expect(try other.store.load("k", from: place.path, isVerified: true))
      #expect(try other.store.peek("k")?.numbers() == [7])
    }
    #expect(try fixture.store.persist("k", in: place.path) { false })
    #expect(try fixture.store.load("k", from: place.path, isVerified: true))
    #expect(try fixture.store.peek("k")?.numbers() == (0..<2000).map { $0 })
  }
}
