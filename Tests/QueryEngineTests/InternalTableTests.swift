import ArrowData
import CacheStore
import Primitives
import Testing

@testable import QueryEngine

@Suite struct InternalTableTests {
  private func fixture(_ engineName: String) throws -> Fixture {
    var storeOptions = StoreOptions()
    storeOptions.partitionSizeRows = 1000
    return try Fixture(engineName, storeOptions: storeOptions) { InternalTable.all(of: $0) }
  }

  @Test(arguments: engineNames)
  func entriesAndTheirPartitions(engineName: String) throws {
    let fixture = try fixture(engineName)
    #expect(try fixture.rows("SELECT * FROM arrow_cache.entries") == [])
    try fixture.put("a", "SELECT range AS i FROM range(2500)")
    try fixture.put("b'\"ü", "SELECT 1 AS i, 'x' AS s")
    _ = fixture.store.pin("a")
    _ = try fixture.store.updateTTL("a", ttl: 1000)
    #expect(
      try fixture.rows("SELECT key, kind, row_count, column_count, partition_count, pinned, expires_at > created_at, metadata FROM arrow_cache.entries") == [
        ["a", "arrow", "2500", "1", "3", "true", "true", "{}"], ["b'\"ü", "arrow", "1", "2", "1", "false", nil, "{}"],
      ])
    #expect(try fixture.rows("SELECT size_bytes = memory_bytes + disk_bytes, size_bytes >= 20000 FROM arrow_cache.entries WHERE key = 'a'") == [["true", "true"]])
    #expect(
      try fixture.rows("SELECT partition, first_row, row_count, tier FROM arrow_cache.partitions WHERE key = 'a' ORDER BY partition") == [
        ["0", "0", "1000", "memory"], ["1", "1000", "1000", "memory"], ["2", "2000", "500", "memory"],
      ])
    #expect(try fixture.rows("SELECT e.key, count(*) FROM arrow_cache.entries e JOIN arrow_cache.partitions p USING (key, version) GROUP BY 1 ORDER BY 1") == [["a", "3"], ["b'\"ü", "1"]])
    _ = fixture.store.remove("a")
    #expect(try fixture.rows("SELECT count(*) FROM arrow_cache.entries") == [["1"]])
    #expect(try fixture.rows("SELECT abs(epoch(created_at) - epoch(now())) < 60, typeof(created_at) FROM arrow_cache.entries") == [["true", "TIMESTAMP WITH TIME ZONE"]])
  }

  @Test(arguments: engineNames)
  func accessesShowAtOnce(engineName: String) throws {
    let fixture = try fixture(engineName)
    try fixture.put("a", "SELECT 1 AS i")
    for expected in ["0", "1", "2"] {
      #expect(try fixture.rows("SELECT access_count FROM arrow_cache.entries") == [[expected]])
      _ = fixture.store.lookup("a")
    }
  }

  @Test(arguments: engineNames)
  func theyStandBesideTheUsersOwnTables(engineName: String) throws {
    let fixture = try fixture(engineName)
    try fixture.put("entries", "SELECT 7 AS i")
    try fixture.run("CREATE TABLE entries AS SELECT 'mine' AS x; CREATE SCHEMA other; CREATE TABLE other.partitions AS SELECT 'too' AS x")
    #expect(try fixture.rows("SELECT * FROM entries") == [["mine"]])
    #expect(try fixture.rows("SELECT * FROM other.partitions") == [["too"]])
    #expect(try fixture.rows("SELECT * FROM _cache_entries") == [["7"]])
    #expect(try fixture.rows("SELECT key FROM arrow_cache.entries") == [["entries"]])
    #expect(try fixture.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'arrow_cache' ORDER BY 1") == [["block_statistics"], ["entries"], ["events"], ["partitions"], ["statistics"]])
    #expect(try fixture.rows("SELECT key FROM (DESCRIBE arrow_cache.entries)") != [])
    #expect(throws: CacheError.self) { try fixture.run("INSERT INTO arrow_cache.entries VALUES (1)") }
    #expect(throws: CacheError.self) { try fixture.run("SELECT * FROM arrow_cache.nothing") }
  }

  @Test(arguments: engineNames)
  func theSchemaComesBack(engineName: String) throws {
    let fixture = try fixture(engineName)
    try fixture.put("t", "SELECT 7 AS i")
    try fixture.run("DROP SCHEMA arrow_cache CASCADE")
    #expect(try fixture.rows("SELECT key FROM arrow_cache.entries") == [["t"]])
    #expect(try fixture.rows("SELECT * FROM _cache_t") == [["7"]])
    try fixture.put("u", "SELECT 8 AS i")
    #expect(try fixture.rows("SELECT * FROM _cache_u") == [["8"]])
  }

  /// A filter on the key looks at the rows of no other entry, where DuckDB tells it; and nothing but what is asked for is found out.
  @Test(arguments: engineNames)
  func statisticsAreMadeOfWhatIsRead(engineName: String) throws {
    let fixture = try fixture(engineName)
    try fixture.put("a", "SELECT range AS i, DATE '2024-01-31' + (range % 3)::INT AS d FROM range(2500)")
    try fixture.put("b", "SELECT range AS i FROM range(10)")
    func known(_ key: String) -> Int? { fixture.store.peek(key)?.knownStatistics.values.reduce(0) { $0 + $1.count } }
    #expect(try fixture.rows("SELECT key, partition, column_name, row_count FROM arrow_cache.statistics WHERE key = 'a' AND column_index = 1") == (0..<3).map { ["a", "\($0)", "d", $0 < 2 ? "1000" : "500"] })
    #expect(try fixture.rows("SELECT count(*) FROM arrow_cache.block_statistics") == [["7"]])
    #expect(try fixture.rows("SELECT max(first_row), count(distinct_estimate), max(max) FROM arrow_cache.block_statistics WHERE column_name = 'd'") == [["2000", "3", "2024-02-02"]])
    #expect(known("a") == 0 && known("b") == 0)
    #expect(try fixture.rows("SELECT min, max, ascending, distinct_estimate FROM arrow_cache.statistics WHERE key = 'b'") == [["0", "9", nil, "10"]])
    #expect(known("b") == 1)
    if engineName == "v2" { #expect(known("a") == 0) }
  }

  /// A statement that is running, and the result of one that has run, keep their rows.
  @Test(arguments: engineNames)
  func aStatementSeesOneMoment(engineName: String) throws {
    let fixture = try fixture(engineName)
    for key in 0..<3000 { try fixture.put("key of some length \(key)", "SELECT 1 AS i") }
    let rows = try fixture.rows("SELECT a.key, b.key FROM arrow_cache.entries a FULL JOIN arrow_cache.entries b USING (key, access_count)", streaming: true)
    #expect(rows.count == 3000)
    #expect(rows.allSatisfy { $0[0] == $0[1] && $0[0]?.hasPrefix("key of some length") == true })
  }

  @Test(arguments: engineNames)
  func valuesOfEveryKind(engineName: String) throws {
    let made = InternalTable(name: "made") { () throws(CacheError) in
      try RecordBatch(columns: [
        ("i", .int64([1, nil, .min])), ("d", .double([nil, -0.5, .infinity])), ("b", .bool([true, false, nil])), ("s", .text(["", nil, "ü, and longer than twelve"])),
        ("t", .timestamp([0, 1.5, .nan])),
      ])
    }
    let fixture = try Fixture(engineName) { _ in [made] }
    #expect(
      try fixture.rows("SELECT i, d, b, s, epoch_us(t) FROM arrow_cache.made") == [
        ["1", nil, "true", "", "0"], [nil, "-0.5", "false", nil, "1500000"], ["-9223372036854775808", "inf", nil, "ü, and longer than twelve", nil],
      ])
  }

  @Test func columnsOfDifferentLengthsAreRefused() {
    let error = #expect(throws: CacheError.self) { try RecordBatch(columns: [("a", .int64([1])), ("b", .bool([]))]) }
    #expect(error?.message.contains("1, 0") == true)
  }
}
