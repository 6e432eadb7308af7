import ArrowData
import Glibc
import Primitives
import Testing

@testable import CacheStore
@testable import QueryEngine

/// Queries over rows that are on disk.
@Suite struct SpilledScanTests {
  /// A store whose rows go to disk when it is told to.
  private func fixture(_ engineName: String, _ folder: TestFolder, compression: IPCCompression = .none, partitionRows: Int = 1000, files: any FileSystem = SystemFiles()) throws -> Fixture {
    var options = StoreOptions()
    options.memoryLimitBytes = 1 << 30
    options.hasBackground = false
    options.spillDirectory = folder.path
    options.compression = compression
    options.partitionSizeRows = partitionRows
    options.files = files
    return try Fixture(engineName, storeOptions: options) { InternalTable.all(of: $0) }
  }

  private func spill(_ fixture: Fixture) throws {
    while fixture.store.tiers.spillColdest(1 << 40, cause: "test") {}
    for key in fixture.store.keys() { #expect(fixture.store.peek(key)?.segments.contains(where: \.isInMemory) == false, "\(key)") }
  }

  @Test(arguments: engineNames, [IPCCompression.none, .lz4, .zstd])
  func everyTypeComesBackFromDisk(engineName: String, compression: IPCCompression) throws {
    let folder = TestFolder()
    for partitionRows in [1000, 2049, 200_000] {
      let fixture = try fixture(engineName, folder, compression: compression, partitionRows: partitionRows)
      try fixture.put("mixed", ScanTests.mixed)
      try fixture.run("CREATE TABLE mixed AS \(ScanTests.mixed)")
      try spill(fixture)
      #expect(try fixture.rows("SELECT * FROM _cache_mixed") == (try fixture.rows("SELECT * FROM mixed")))
      #expect(try fixture.rows("SELECT t, s, id, bytes FROM _cache_mixed WHERE id % 3 = 2 ORDER BY s DESC, t", streaming: true) ==
        (try fixture.rows("SELECT t, s, id, bytes FROM mixed WHERE id % 3 = 2 ORDER BY s DESC, t")))
      #expect(try fixture.rows("SELECT s, max(t), min(bytes), count(*) FROM _cache_mixed GROUP BY s ORDER BY s") ==
        (try fixture.rows("SELECT s, max(t), min(bytes), count(*) FROM mixed GROUP BY s ORDER BY s")))
      #expect(try fixture.rows("SELECT count(*) FROM _cache_mixed a JOIN mixed b USING (s, t, bytes)") == (try fixture.rows("SELECT count(*) FROM mixed a JOIN mixed b USING (s, t, bytes)")))
      try spill(fixture)
    }
  }

  /// Strings that a query keeps while the batches they came from have gone: by aggregates, sorting, joins and a slow reader.
  @Test(arguments: engineNames, [IPCCompression.none, .lz4])
  func stringsOutliveTheirBatches(engineName: String, compression: IPCCompression) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder, compression: compression, partitionRows: 3000)
    let sql = """
      SELECT range AS id, CASE WHEN range % 17 = 0 THEN NULL ELSE 'the text of row number ' || range || repeat('.', (range % 50)::INTEGER) END AS s,
        encode('bytes of row number ' || range) AS b, CASE WHEN range % 2 = 0 THEN 'short' ELSE 'sometimes it is long ' || (range % 10) END AS v
      FROM range(60000)
      """
    try fixture.put("t", sql)
    try fixture.run("CREATE TABLE t AS \(sql)")
    try spill(fixture)
    for query in [
      "SELECT arg_max(s, id), arg_min(b, id), min(s), max(s), last(s ORDER BY id), list(s ORDER BY id)[5000:5010] FROM _cache_t", "SELECT DISTINCT v FROM _cache_t ORDER BY v",
      "SELECT s, b FROM _cache_t ORDER BY b DESC LIMIT 2000", "SELECT a.s, c.b FROM _cache_t a JOIN _cache_t c ON a.s = c.s ORDER BY a.id",
      "SELECT s, substring(s, 5, 30), upper(v) FROM _cache_t ORDER BY id", "SELECT string_agg(v, ',' ORDER BY id) FROM _cache_t WHERE id < 100",
      "SELECT s, lag(s) OVER (ORDER BY id) FROM _cache_t ORDER BY id", "SELECT * FROM _cache_t LIMIT 5000 OFFSET 40000", "SELECT * FROM _cache_t",
    ] {
      let plain = query.split(separator: "_cache_t", omittingEmptySubsequences: false).joined(separator: "t")
      #expect(try fixture.rows(query, streaming: true) == (try fixture.rows(plain)), "\(query)")
    }
  }

  @Test(arguments: engineNames)
  func onlyTheColumnsAndPartitionsThatAreWantedAreRead(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder, partitionRows: 10_000)
    try fixture.put("t", "SELECT range AS id, range * 2 AS a, range * 3 AS b, repeat('x', 100) || range AS s FROM range(100000)")
    try spill(fixture)
    let counters = fixture.engine.scanCounters
    func read(_ sql: String) throws -> (memory: Int, disk: Int, partitions: Int) {
      let before = (counters.memoryBytesRead, counters.diskBytesRead, counters.partitionsFromDisk)
      _ = try fixture.rows(sql)
      return (counters.memoryBytesRead - before.0, counters.diskBytesRead - before.1, counters.partitionsFromDisk - before.2)
    }
    let one = try read("SELECT sum(a) FROM _cache_t")
    #expect(one.memory == 0 && one.partitions == 10)
    #expect((800_000..<820_000).contains(one.disk), "\(one.disk)")
    let two = try read("SELECT sum(a + b) FROM _cache_t")
    #expect((1_600_000..<1_640_000).contains(two.disk), "\(two.disk)")
    let texts = try read("SELECT max(s) FROM _cache_t")
    #expect(texts.disk > 10_000_000 && texts.disk < 12_000_000, "\(texts.disk)")
    if engineName == "v2" {
      let part = try read("SELECT sum(a) FROM _cache_t WHERE id BETWEEN 35000 AND 35010")
      #expect(part.partitions == 1)
      #expect((32_768..<34_000).contains(part.disk), "\(part.disk)")
    }
    #expect(try fixture.rows("SELECT DISTINCT tier FROM arrow_cache.partitions") == [["disk"]])
    #expect(try fixture.rows("SELECT memory_bytes, disk_bytes > 10000000 FROM arrow_cache.entries") == [["0", "true"]])
    #expect(try fixture.rows("SELECT count(*) > 0 FROM arrow_cache.events WHERE kind = 'spilled' AND key = 't' AND from_tier = 'memory' AND to_tier = 'disk' AND bytes > 0 AND time <= now()") == [["true"]])
  }

  @Test(arguments: engineNames)
  func whatIsInMemoryIsCountedAsSuch(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder, partitionRows: 10_000)
    try fixture.put("t", "SELECT range AS id, range * 2 AS a FROM range(100000)")
    _ = try fixture.rows("SELECT sum(a) FROM _cache_t")
    let counters = fixture.engine.scanCounters
    #expect((800_000..<850_000).contains(counters.memoryBytesRead), "\(counters.memoryBytesRead)")
    #expect(counters.diskBytesRead == 0 && counters.partitionsFromDisk == 0)
  }

  /// A partition of many morsels, compressed as one piece.
  @Test(arguments: engineNames)
  func aLargePieceIsDecompressedOnce(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder, compression: .lz4, partitionRows: 2_000_000)
    try fixture.put("t", "SELECT range AS id, 'text number ' || (range % 1000) AS s FROM range(1000000)")
    try spill(fixture)
    #expect(try fixture.rows("SELECT count(*), sum(id), count(DISTINCT s), max(s) FROM _cache_t") == [["1000000", "499999500000", "1000", "text number 999"]])
    #expect(try fixture.rows("SELECT id, s FROM _cache_t WHERE id % 100000 = 7") == (0..<10).map { ["\($0 * 100000 + 7)", "text number 7"] })
  }

  @Test(arguments: engineNames)
  func aLostFileIsTheQuerysError(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder)
    for sql in ["SELECT sum(id) FROM _cache_gone", "SELECT * FROM _cache_gone", "SELECT s FROM _cache_gone WHERE id > 4990"] {
      for streaming in [false, true] {
        try fixture.put("gone", "SELECT range AS id, 'some text of row ' || range AS s FROM range(5000)")
        try spill(fixture)
        system("rm -f '\(folder.path)'/*/*.arrow")
        let error = #expect(throws: CacheError.self, "\(sql)") { try fixture.rows(sql, streaming: streaming) }
        // A stream's reader says so in its own way.
        #expect(error?.code == .storage || streaming && error?.code == .stream, "\(String(describing: error))")
        #expect(error?.description.contains("spilled rows are lost") == true, "\(String(describing: error))")
        #expect(error?.message.contains("arrow_cache(") == false, "\(String(describing: error))")
        // What is lost has gone from the cache.
        #expect(throws: CacheError.self) { try fixture.rows(sql) }
      }
    }
    try fixture.put("gone", "SELECT 2 AS x")
    #expect(try fixture.rows("SELECT * FROM _cache_gone") == [["2"]])
  }

  @Test(arguments: engineNames)
  func aDamagedFileIsTheQuerysError(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder)
    try fixture.put("t", "SELECT range AS id FROM range(500000)")
    try spill(fixture)
    // One byte in the middle of every file.
    system("for f in '\(folder.path)'/*/*.arrow; do printf 'X' | dd of=\"$f\" bs=1 seek=2000000 conv=notrunc 2>/dev/null; done")
    let error = #expect(throws: CacheError.self) { try fixture.rows("SELECT sum(id) FROM _cache_t") }
    #expect(error?.code == .storage, "\(String(describing: error))")
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  /// Rows go to disk and come back while queries read them.
  @Test(arguments: engineNames)
  func rowsMoveWhileQueriesRun(engineName: String) throws {
    let folder = TestFolder()
    let fixture = try fixture(engineName, folder, partitionRows: 20_000)
    try fixture.put("t", "SELECT range AS id, 'the text of row number ' || range AS s FROM range(300000)")
    let isDone = Locked(false)
    let store = fixture.store
    let mover = Thread {
      while !isDone.withLock({ $0 }) {
        _ = store.tiers.spillColdest(1 << 40, cause: "test")
        usleep(20_000)
        store.housekeep()
        usleep(20_000)
      }
    }
    for _ in 0..<40 {
      #expect(try fixture.rows("SELECT sum(id), min(s), max(s), count(DISTINCT s) FROM _cache_t") == [["44999850000", "the text of row number 0", "the text of row number 99999", "300000"]])
    }
    isDone.withLock { $0 = true }
    mover.join()
    #expect(store.status().tiers.loaded.count > 0 && store.status().tiers.spilled.count > 0, "\(store.status().tiers)")
  }
}
