import CacheStore
import Primitives
import Testing

@testable import QueryEngine

@Suite struct NamesTests {
  @Test(arguments: engineNames)
  func anyKeyIsATable(engineName: String) throws {
    let fixture = try Fixture(engineName)
    for key in ["plain", "with space", "dots.in.it", "1digit", "quote\"inside", "apostrophe'", "ünïcode ☃", "select", "semi;colon", "a/b\\c", String(repeating: "k", count: 300)] {
      try fixture.put(key, "SELECT 42 AS answer")
      let quoted = "\"_cache_\(key.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
      #expect(try fixture.rows("SELECT answer FROM \(quoted)") == [["42"]], "\(key)")
    }
  }

  @Test(arguments: engineNames)
  func keysThatLookLikeFilesAreTables(engineName: String) throws {
    let fixture = try Fixture(engineName)
    for key in ["x.csv", "data/2024.parquet", "a b.json", "quote\".csv.gz", "s3://bucket/x.parquet", "it's.tsv", "old.db"] {
      let name = "\"_cache_\(key.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
      try fixture.put(key, "SELECT 1 AS x")
      #expect(try fixture.rows("SELECT x FROM \(name)") == [["1"]], "\(key)")
      try fixture.put(key, "SELECT 'other' AS y, 2 AS x")
      #expect(try fixture.rows("SELECT * FROM \(name)") == [["other", "2"]], "\(key)")
    }
  }

  @Test(arguments: engineNames)
  func caseDecidesWhereKeysDifferByIt(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("Flights", "SELECT 1 AS x")
    #expect(try fixture.rows("SELECT x FROM _cache_flights") == [["1"]])
    #expect(try fixture.rows("SELECT x FROM _CACHE_FLIGHTS") == [["1"]])
    try fixture.put("flights", "SELECT 2 AS x")
    #expect(try fixture.rows("SELECT x FROM _cache_flights") == [["2"]])
    #expect(try fixture.rows("SELECT x FROM \"_cache_Flights\"") == [["1"]])
    let error = #expect(throws: CacheError.self) { try fixture.rows("SELECT x FROM _cache_FLIGHTS") }
    #expect(error?.description.contains("differ by case") == true, "\(String(describing: error))")
  }

  @Test(arguments: engineNames)
  func unknownKeyNamesWhatIsThere(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("flights", "SELECT 1 AS x")
    let error = #expect(throws: CacheError.self) { try fixture.rows("SELECT * FROM _cache_flihgts") }
    #expect(error?.code == .query)
    #expect(error?.description.contains("no entry 'flihgts'") == true && error?.description.contains("flights") == true, "\(String(describing: error))")
  }

  @Test(arguments: engineNames)
  func tableOfTheUserShadowsAndIsItsOwn(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT 1 AS x")
    try fixture.run("CREATE TABLE _cache_t AS SELECT 9 AS x")
    #expect(try fixture.rows("SELECT x FROM _cache_t") == [["9"]])
    try fixture.run("DROP TABLE _cache_t")
    #expect(try fixture.rows("SELECT x FROM _cache_t") == [["1"]])
  }

  @Test(arguments: engineNames)
  func everyFormOfStatementSeesTheTable(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT range AS i, 'n' || range AS s FROM range(10)")
    #expect(try fixture.rows("SELECT a.i FROM _cache_t a JOIN _cache_t b ON a.i = b.i + 8 ORDER BY 1") == [["8"], ["9"]])
    #expect(try fixture.rows("WITH c AS (SELECT * FROM _cache_t WHERE i < 2) SELECT sum(c.i) FROM c, c AS d") == [["2"]])
    #expect(try fixture.rows("SELECT count(*) FROM _cache_t WHERE i IN (SELECT i FROM _cache_t WHERE i % 2 = 0)") == [["5"]])
    #expect(try fixture.rows("DESCRIBE _cache_t").map { $0[0] } == ["i", "s"])
    #expect(try fixture.rows("SUMMARIZE _cache_t").map { $0[0] } == ["i", "s"])
    try fixture.run("CREATE VIEW v AS SELECT i * 2 AS j FROM _cache_t")
    #expect(try fixture.rows("SELECT max(j) FROM v") == [["18"]])
    try fixture.put("t", "SELECT range AS i, 'n' AS s FROM range(100)")
    #expect(try fixture.rows("SELECT max(j) FROM v") == [["198"]])
    try fixture.run("CREATE TABLE copy AS SELECT * FROM _cache_t; INSERT INTO copy SELECT * FROM _cache_t; DELETE FROM copy WHERE i > 0")
    #expect(try fixture.rows("SELECT count(*) FROM copy") == [["2"]])
    try fixture.run("PREPARE p AS SELECT count(*) FROM _cache_t WHERE i < $1")
    var stream = ArrowArrayStreamBox()
    try fixture.engine.run("EXECUTE p(7)", into: &stream.value)
    stream.release()
    #expect(try fixture.engine.explain("SELECT sum(i) FROM _cache_t").isEmpty == false)
    #expect(try fixture.engine.explain("SELECT sum(i) FROM _cache_t", analyze: true).contains("100"))
  }

  @Test(arguments: engineNames)
  func theSchemaOfATableMayBeNamed(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("my key", "SELECT range AS i, 's' || range AS s FROM range(5000)")
    for place in ["main", "memory", "memory.main", "MAIN"] {
      let table = "\(place).\"_cache_my key\""
      #expect(try fixture.rows("SELECT count(*), max(i) FROM \(table) WHERE i < 4000") == [["4000", "3999"]])
      #expect(try fixture.rows("SELECT s, i + 1 AS j FROM \(table) WHERE i % 2500 = 7") == [["s7", "8"], ["s2507", "2508"]])
      #expect(try fixture.rows("SELECT * FROM \(table) ORDER BY i DESC LIMIT 1") == [["4999", "s4999"]])
    }
    if engineName == "v2" {
      let error = #expect(throws: CacheError.self) { try fixture.rows("SELECT * FROM other.\"_cache_my key\"") }
      #expect(error?.message.contains("write \"_cache_my key\"") == true, "\(String(describing: error))")
    }
    try fixture.run("CREATE SCHEMA other; CREATE TABLE other.\"_cache_my key\" AS SELECT 7 AS i; CREATE TABLE main.\"_cache_my key\" AS SELECT 8 AS i")
    #expect(try fixture.rows("SELECT * FROM other.\"_cache_my key\"") == [["7"]])
    #expect(try fixture.rows("SELECT * FROM main.\"_cache_my key\"") == [["8"]])
  }

  static let changes = [
    "DROP TABLE #", "DROP TABLE main.#", "DROP VIEW IF EXISTS none; DROP VIEW #", "DELETE FROM #", "DELETE FROM # WHERE i = 1", "delete /* all */ from -- them\n #",
    "WITH c AS (SELECT 1) DELETE FROM #", "UPDATE # SET i = 1", "INSERT INTO # VALUES (1)", "INSERT INTO # SELECT * FROM _cache_other", "ALTER TABLE # ADD COLUMN b INT",
    "ALTER TABLE # RENAME TO y", "TRUNCATE #", "TRUNCATE TABLE #", "CREATE INDEX _cache_other ON # (i)", "SELECT 'DROP TABLE _cache_other' FROM _cache_other; UPDATE # SET i = 2",
  ]

  @Test(arguments: engineNames, changes)
  func whoWouldChangeATableIsToldHow(engineName: String, change: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("other", "SELECT 1 AS i")
    for (key, name) in [("x", "_cache_x"), ("my key's", "\"_cache_my key's\"")] {
      try fixture.put(key, "SELECT 1 AS i")
      let sql = change.split(separator: "#", omittingEmptySubsequences: false).joined(separator: name)
      let error = #expect(throws: CacheError.self) { try fixture.run(sql) }
      let written = key == "x" ? "'x'" : "\"my key's\""
      let remedy = "\n\n\(name) is a cached table, and SQL changes none: cache.put(\(written), …) replaces it, cache.remove(\(written)) removes it"
      #expect(error?.code == .query && error?.message.hasSuffix(remedy) == true, "\(sql): \(String(describing: error))")
      #expect(error?.message.contains("Did you mean") == false)
      #expect(try fixture.rows("SELECT i FROM \(name)") == [["1"]])
    }
  }

  @Test(arguments: engineNames)
  func errorsOfOtherTablesAreLeftAlone(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("x", "SELECT 1 AS i")
    try fixture.run("CREATE VIEW v AS SELECT 1 AS i")
    for sql in [
      "INSERT INTO nothing SELECT * FROM _cache_x", "CREATE TABLE _cache_x AS SELECT * FROM nothing", "UPDATE v SET i = 2 WHERE i IN (SELECT i FROM _cache_x)",
      "DELETE FROM v USING _cache_x", "SELECT * FROM _cache_x JOIN nothing ON _cache_x.i = nothing.i", "DROP TABLE nothing",
    ] {
      let error = #expect(throws: CacheError.self) { try fixture.run(sql) }
      #expect(error?.message.contains("cached table") == false, "\(sql): \(String(describing: error))")
    }
    let missing = #expect(throws: CacheError.self) { try fixture.run("DROP TABLE _cache_nothing") }
    #expect(missing?.message.hasSuffix("does not exist!\nThere is no entry 'nothing' in the cache") == true, "\(String(describing: missing))")
  }

  /// The entry comes and goes while statements are planned: no message says that it is missing from among keys that have it.
  @Test(arguments: engineNames)
  func whatComesBackIsNotCalledMissing(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("other", "SELECT 1 AS i")
    let isDone = Locked(false)
    let thread = EngineThread { [store = fixture.store] in
      while !isDone.withLock({ $0 }) {
        guard let entry = try? fixture.put("x", "SELECT 1 AS i") else { return }
        _ = store.remove(entry.key)
      }
    }
    for _ in 0..<300 {
      do {
        _ = try fixture.rows("SELECT * FROM _cache_x")
      } catch let error as CacheError {
        let isAbsurd = error.message.contains("no entry 'x'") && error.message.contains(": other, x")
        #expect(!isAbsurd, "\(error)")
      }
    }
    isDone.signal { $0 = true }
    thread?.join()
  }
}
