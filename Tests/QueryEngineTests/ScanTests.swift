import CacheStore
import Primitives
import Testing

@testable import QueryEngine

@Suite struct ScanTests {
  /// Columns of many types with nulls, by DuckDB.
  static let mixed = """
    SELECT range AS id, CASE WHEN range % 7 = 0 THEN NULL ELSE range::INTEGER END AS i32, (range % 100)::TINYINT AS i8, (range % 60000)::USMALLINT AS u16,
      CASE WHEN range % 5 = 0 THEN NULL ELSE range / 3.0 END AS f64, (range / 7.0)::FLOAT AS f32, CASE WHEN range % 11 = 0 THEN NULL ELSE range % 3 = 0 END AS b,
      CASE WHEN range % 3 = 0 THEN NULL WHEN range % 3 = 1 THEN 'short' ELSE 'a long string of number ' || range END AS s, 'x' || range AS t,
      encode('bytes' || range) AS bytes, DATE '2020-01-01' + (range % 1000)::INTEGER AS d, TIME '01:02:03' + INTERVAL (range % 60) SECOND AS tm,
      TIMESTAMP '2020-01-01' + INTERVAL (range) MINUTE AS ts, (TIMESTAMP '2020-01-01' + INTERVAL (range) MINUTE)::TIMESTAMP_NS AS tns,
      (TIMESTAMP '2020-01-01' + INTERVAL (range) MINUTE)::TIMESTAMP_S AS tss, (range / 8.0)::DECIMAL(12, 3) AS dec, [range, NULL, range + 1] AS l,
      {'a': range, 'b': 'v' || range} AS st, MAP {'k': range} AS m, INTERVAL (range % 10) DAY AS iv, (range % 4)::VARCHAR::ENUM('0', '1', '2', '3') AS e, [range, range + 1]::BIGINT[2] AS arr
    FROM range(\(rowCount))
    """
  static let rowCount = 10_007

  @Test(arguments: engineNames, [1000, 2048, 2049, 10_007, 200_000])
  func everyTypeComesBackAsDuckDBMadeIt(engineName: String, partitionRows: Int) throws {
    var options = StoreOptions()
    options.partitionSizeRows = partitionRows
    let fixture = try Fixture(engineName, storeOptions: options)
    try fixture.put("mixed", ScanTests.mixed)
    try fixture.run("CREATE TABLE mixed AS \(ScanTests.mixed)")
    #expect(try fixture.rows("SELECT * FROM _cache_mixed") == (try fixture.rows("SELECT * FROM mixed")))
    #expect(try fixture.rows("SELECT count(*), sum(id), count(i32), count(s), count(DISTINCT t), sum(f64)::BIGINT FROM _cache_mixed") ==
      (try fixture.rows("SELECT count(*), sum(id), count(i32), count(s), count(DISTINCT t), sum(f64)::BIGINT FROM mixed")))
  }

  @Test(arguments: engineNames)
  func predicatesGiveDuckDBsOwnAnswers(engineName: String) throws {
    var options = StoreOptions()
    options.partitionSizeRows = 500
    let fixture = try Fixture(engineName, storeOptions: options)
    try fixture.put("mixed", ScanTests.mixed)
    try fixture.run("CREATE TABLE mixed AS \(ScanTests.mixed)")
    let predicates = [
      "id = 777", "id < 10", "id >= 10000", "id BETWEEN 499 AND 501", "id IN (0, 5000, 10006, 99999)", "id <> 5", "id > 9999999999", "i32 = 8", "i32 IS NULL", "i32 IS NOT NULL AND id < 20",
      "i8 < 0", "i8 = 99", "u16 > 9990", "f64 > 3330.0", "f64 < 1", "f64 = 1.0 / 0", "f32 >= 1429", "b", "NOT b", "b IS NULL", "s = 'short'", "s LIKE 'a long string of number 10%'", "s > 'b'", "s < 'a'", "t = 'x500'", "starts_with(t, 'x99')",
      "d = DATE '2020-01-05'", "d > DATE '2022-09-20'", "ts < TIMESTAMP '2020-01-01 00:10:00'", "ts >= TIMESTAMP '2020-01-07'", "ts::DATE = DATE '2020-01-03'", "d >= TIMESTAMP '2020-01-03 12:00:00' AND d < TIMESTAMP '2020-01-05 00:00:01'", "tns < TIMESTAMP '2020-01-01 01:00:00'", "tss >= TIMESTAMP '2020-01-07 10:00:00'",
      "tm = TIME '01:02:05'", "dec < 2", "id = 3 OR id = 9000", "id < 3 AND s IS NULL", "id + 1 = 5", "e = '2' AND id < 8", "NOT (id > 4)", "id IS NOT DISTINCT FROM 12", "i32 IS DISTINCT FROM 12 AND id < 15",
      "id = (SELECT max(id) FROM _cache_mixed)", "id IN (SELECT u16 FROM _cache_mixed WHERE id < 3)", "id < 5 AND EXISTS (SELECT 1 FROM _cache_mixed x WHERE x.id = 9999)", "CAST(i8 AS BIGINT) = 50 AND id > 9900", "i32::DOUBLE < 2.5", "u16::BIGINT >= 10006",
    ]
    for predicate in predicates {
      let table = predicate.split(separator: "_cache_mixed", omittingEmptySubsequences: false).joined(separator: "mixed")
      #expect(
        try fixture.rows("SELECT id, s FROM _cache_mixed WHERE \(predicate) ORDER BY id")
          == (try fixture.rows("SELECT id, s FROM mixed WHERE \(table) ORDER BY id")), "\(predicate)")
    }
  }

  @Test func skippedPartitionsAreNotScanned() throws {
    guard engineNames.contains("v2") else { return }
    var options = StoreOptions()
    options.partitionSizeRows = 1000
    let fixture = try Fixture("v2", storeOptions: options)
    try fixture.put("t", "SELECT range AS id, 'x' || lpad(range::VARCHAR, 6, '0') AS s FROM range(100000)")
    for (predicate, expected) in [("id = 5", [1, 1]), ("id BETWEEN 999 AND 1000", [2, 2]), ("s = 'x050000'", [1, 1]), ("id < 0", [0, 0])] {
      let counters = fixture.engine.scanCounters
      let before = [counters.partitionsScanned, counters.rowsScanned]
      _ = try fixture.rows("SELECT count(*) FROM _cache_t WHERE \(predicate)")
      #expect([counters.partitionsScanned - before[0], counters.rowsScanned - before[1]] == expected, "\(predicate)")
    }
  }

  /// What is nested in something nested, with nulls on each level, at every offset a scan uses.
  @Test(arguments: engineNames, [500, 3000, 100_000])
  func deepValuesStayInTheirRows(engineName: String, partitionRows: Int) throws {
    var options = StoreOptions()
    options.partitionSizeRows = partitionRows
    let fixture = try Fixture(engineName, storeOptions: options)
    let sql = """
      SELECT range AS id, CASE WHEN range % 13 = 0 THEN NULL ELSE {'a': range, 'b': CASE WHEN range % 7 = 0 THEN NULL ELSE
          {'c': 'deep ' || range, 'd': {'e': [range, range + 1], 'f': CASE WHEN range % 3 = 0 THEN NULL ELSE range END}} END} END AS s,
        [{'x': range, 'y': {'z': 'w' || range}}, NULL, {'x': NULL, 'y': NULL}] AS l, MAP {'k' || range: {'v': [{'u': range}]}} AS m,
        [[range, NULL], [], NULL, [range * 2]] AS ll, {'p': [range, range]::BIGINT[2], 'q': MAP {range: 'r'}} AS f
      FROM range(9001)
      """
    try fixture.put("deep", sql)
    try fixture.run("CREATE TABLE deep AS \(sql)")
    #expect(try fixture.rows("SELECT * FROM _cache_deep") == (try fixture.rows("SELECT * FROM deep")))
  }

  @Test(arguments: engineNames)
  func rowsKeepTheirOrder(engineName: String) throws {
    var options = StoreOptions()
    options.partitionSizeRows = 3000
    let fixture = try Fixture(engineName, storeOptions: options)
    try fixture.put("t", "SELECT range AS i FROM range(300000)")
    #expect(try fixture.rows("SELECT i FROM _cache_t").map { $0[0] } == (0..<300_000).map { "\($0)" })
    #expect(try fixture.rows("SELECT i FROM _cache_t LIMIT 3 OFFSET 299990").map { $0[0] } == ["299990", "299991", "299992"])
  }

  @Test(arguments: engineNames)
  func emptyAndColumnlessTables(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("empty", "SELECT 1 AS a, 'x' AS b, [1] AS c WHERE false")
    #expect(try fixture.rows("SELECT * FROM _cache_empty") == [])
    #expect(try fixture.rows("SELECT count(*), count(c) FROM _cache_empty") == [["0", "0"]])
    #expect(try fixture.rows("DESCRIBE _cache_empty").map { $0[0] } == ["a", "b", "c"])
  }
}
