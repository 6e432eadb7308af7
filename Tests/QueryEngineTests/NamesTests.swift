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
}
