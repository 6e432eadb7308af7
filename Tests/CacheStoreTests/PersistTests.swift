import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct PersistTests {
  private func texts(_ count: Int, _ salt: String = "") throws(CacheError) -> StreamSpec {
    let values = (0..<count).map { $0 % 7 == 0 ? nil : "text \(salt)\($0 % 40)" as String? }
    return StreamSpec(
      schema: Schema(
        fields: [try Field(name: "n", format: "l"), try Field(name: "t", format: "u")],
        metadata: [KeyValue(key: [UInt8]("pandas".utf8), value: [UInt8]("{\"index\":1}".utf8))]),
      batches: [.table([numbers(0..<count), column(values)], length: count)])
  }

  private func values(_ entry: Entry) throws -> [[Value]] {
    var result = [[Value]](repeating: [], count: entry.schema.fields.count)
    for segment in entry.segments {
      for slice in try segment.read(offset: 0, count: segment.rowCount) {
        for (index, values) in exported(slice.batch, offset: slice.offset, count: slice.count).enumerated() { result[index] += values }
      }
    }
    return result
  }

  @Test(arguments: IPCCompression.allCases) func anotherStoreHasItAgain(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let first = try Fixture { ($0.partitionSizeRows, $0.compression) = (300, compression) }
    let put = try first.put("A key/with ../ \u{e9}", try texts(1000), ttl: 100)
    let known = put.statistics(partition: 1, column: 0)
    #expect(try first.store.persist(put.key, in: place["x/y"]))
    let second = try Fixture()
    #expect(try second.store.load(put.key, from: place["x/y"], isVerified: true))
    let entry = try #require(second.store.peek(put.key))
    #expect(entry.schema == put.schema && entry.rowCount == 1000 && entry.kind == "test" && entry.userMetadata == "{}")
    #expect(entry.partitions.map(\.rowCount) == [300, 300, 300, 100])
    #expect(entry.createdAt == put.createdAt && entry.access.expiresAt == put.access.expiresAt)
    #expect(entry.knownStatistics == [1: [0: known]])
    #expect(try values(entry) == values(put))
    #expect(!entry.isInMemory)
    second.audit()
    #expect(try second.store.load("another", from: place["x/y"]) == false)
    #expect(try second.store.load(put.key, from: place["nowhere"]) == false)
    #expect(try second.store.persist("another", in: place["x/y"]) == false)
    second.clock.advance(by: 101)
    #expect(try second.store.load(put.key, from: place["x/y"]) == false)
    #expect(second.store.peek(put.key) == nil)
  }

  @Test func onlyWhatHasChangedIsWritten() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let fixture = try Fixture { ($0.partitionSizeRows, $0.files) = (100, files) }
    func rows(_ changed: Int64) -> [[Int64?]] { [(0..<1000).map { $0 == 450 ? changed : $0 }] }
    try fixture.put("k", rows(1))
    #expect(try fixture.store.persist("k", in: place.path))
    let folder = place[place.names[0]]
    func inodes() throws -> [String: UInt64] {
      var found: [String: UInt64] = [:]
      for name in try SystemFiles().list(folder) { found[name] = try SystemFiles().status("\(folder)/\(name)")?.inode }
      return found
    }
    let before = try inodes()
    #expect(before.count == 11)
    files.replaceFaults([])
    #expect(try fixture.store.persist("k", in: place.path))
    #expect(files.counts[.create] == nil && files.counts[.map] == nil, "the same version is not looked at")
    fixture.clock.advance(by: 1)
    try fixture.put("k", rows(1))
    files.replaceFaults([])
    #expect(try fixture.store.persist("k", in: place.path))
    #expect(files.counts[.create] == 1, "created_at has changed, the rows have not")
    try fixture.put("k", rows(2))
    #expect(try fixture.store.persist("k", in: place.path))
    let after = try inodes()
    #expect(after.count == 11)
    let same = before.filter { after[$0.key] == $0.value && $0.key.hasPrefix("part") }
    #expect(same.count == 9)
    #expect(try fixture.store.load("k", from: place.path, isVerified: true))
    #expect(try fixture.store.peek("k")?.numbers() == rows(2)[0])
    files.replaceFaults([])
    #expect(try fixture.store.persist("k", in: place.path))
    #expect(files.counts[.create] == nil, "what was loaded is there")
  }

  @Test func whoReadsTheOldVersionGoesOn() throws {
    let place = try SpillPlace()
    let fixture = try Fixture()
    try fixture.put("k", [[1, 2, 3]])
    try fixture.store.persist("k", in: place.path)
    let other = try Fixture()
    try other.store.load("k", from: place.path)
    let old = try #require(other.store.peek("k"))
    try fixture.put("k", [[4, 5]])
    try fixture.store.persist("k", in: place.path)
    #expect(try old.numbers() == [1, 2, 3])
    try other.store.load("k", from: place.path)
    #expect(try other.store.peek("k")?.numbers() == [4, 5])
    #expect(try old.numbers() == [1, 2, 3])
  }

  @Test func tablesWithoutRowsOrColumns() throws {
    let place = try SpillPlace()
    let fixture = try Fixture()
    try fixture.put("empty", [])
    try fixture.put("none", StreamSpec(schema: Schema(fields: []), batches: [.table([], length: 5)]))
    for key in ["empty", "none"] {
      let put = try #require(fixture.store.peek(key))
      #expect(try fixture.store.persist(key, in: place.path))
      #expect(try fixture.store.load(key, from: place.path))
      let entry = try #require(fixture.store.peek(key))
      #expect(entry.version > put.version && entry.schema == put.schema && entry.rowCount == put.rowCount)
    }
  }

  @Test func everyTypeComesBack() throws {
    let place = try SpillPlace()
    let fixture = try Fixture { $0.partitionSizeRows = 40 }
    var random = RandomArray(seed: 11)
    for (number, type) in try everyType().enumerated() {
      let spec = StreamSpec(schema: Schema(fields: [type]), batches: [.table([random.array(type, length: 100, offset: number % 9, nulls: .some)], length: 100)])
      let put = try fixture.put("k", spec)
      do throws(CacheError) {
        try fixture.store.persist("k", in: place.path)
      } catch {
        #expect(error.code == .type && error.message.contains("dictionary of dictionaries"), "\(type.summary): \(error)")
        continue
      }
      #expect(try Schema(encoded: put.schema.encoded) == put.schema, "\(type.summary)")
      let expected = try values(put)
      try fixture.store.load("k", from: place.path, isVerified: true)
      #expect(try values(#require(fixture.store.peek("k"))) == expected, "\(type.summary)")
    }
  }

  /// Manifests of earlier engines do not have the schema: a part says it then.
  @Test func aManifestMayLackTheSchema() throws {
    let place = try SpillPlace()
    let first = try Fixture { ($0.storagePath, $0.deletesFilesOnClose) = (place["x"], false) }
    try first.put("k")
    first.store.storage?.abandon()
    let path = "\(PersistedFolder(key: "k", in: place["x"], files: SystemFiles()).path)/manifest.json"
    var manifest = try Manifest(SystemFiles().read(path, limitBytes: 1 << 20), path)
    manifest.schema = nil
    let image = manifest.encoded
    #expect(try Manifest(image, path).schema == nil)
    #expect(unlink(path) == 0)
    let file = try SystemFiles().create(path)
    try image.withUnsafeBytes { _ = try SystemFiles().write($0, to: file, at: 0) }
    let files = FaultyFiles()
    let second = try Fixture { ($0.storagePath, $0.deletesFilesOnClose, $0.files) = (place["x"], false, files) }
    #expect(files.counts[.map] == 1)
    #expect(try second.store.peek("k")?.numbers() == [1, 2, 3])
    let put = try second.put("k", [[4]])
    let text = try #require(try Manifest.read(in: folder(of: path), files: SystemFiles())?.schema)
    #expect(try Schema(encoded: bytes(base64: text) ?? []) == put.schema)
  }

  /// A loaded entry is hot, comes to memory, and goes again without being written.
  @Test func loadedRowsMoveLikeOthers() throws {
    let place = try SpillPlace()
    let spill = try SpillPlace()
    let fixture = try Fixture {
      ($0.spillsToDisk, $0.spillDirectory, $0.memoryLimitBytes, $0.partitionSizeRows) = (true, spill.path, 100_000, 1000)
    }
    try fixture.put("k", bytes: 40_000)
    try fixture.store.persist("k", in: place.path)
    #expect(fixture.store.remove("k"))
    try fixture.store.load("k", from: place.path)
    for _ in 0..<3 { _ = try fixture.store.lookup("k")?.numbers() }
    fixture.store.housekeep()
    #expect(fixture.store.peek("k")?.isInMemory == true)
    fixture.audit()
    try fixture.put("other", bytes: 70_000)
    #expect(fixture.store.peek("k")?.isInMemory == false)
    #expect(fixture.store.status().tiers.writtenBytes == 0)
    #expect(try fixture.store.peek("k")?.numbers().count == 5000)
    fixture.audit()
    #expect(fixture.store.remove("k"))
    #expect(try fixture.store.load("k", from: place.path), "the files are not the cache's to remove")
  }
}
