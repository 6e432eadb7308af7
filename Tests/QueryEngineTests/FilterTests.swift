import CacheStore
import Testing

@testable import QueryEngine

/// Filters that are tried before DuckDB has the rows, and what is remembered of them, against DuckDB's own tables.
@Suite struct FilterTests {
  private static let sql = """
    SELECT range AS id, (range * 7919) % 100003 AS mixed, ((range * 31) % 1000)::DOUBLE / 8 AS f, CASE WHEN range % 11 = 0 THEN NULL ELSE (range * 13) % 977 END AS n,
      'group ' || (range * 17) % 100 AS s, CASE WHEN range % 5 = 0 THEN NULL ELSE 'a text that is longer, of number ' || (range * 29) % 5000 END AS t,
      range % 3 = 0 AS b, DATE '2020-01-01' + ((range * 7) % 2000)::INTEGER AS d, TIMESTAMP '2020-01-01' + INTERVAL 1 MINUTE * ((range * 101) % 90000) AS ts,
      (range % 4000)::DECIMAL(12, 2) / 4 AS dec, [range, range % 7] AS l, ('e' || (range * 3) % 50)::VARCHAR AS e
    FROM range(150000)
    """
  private static let filters = [
    "mixed = 77", "mixed < 100", "mixed BETWEEN 500 AND 30000", "f = 3.5", "f > 124", "n IS NULL", "n = 12", "n <> 12", "n IN (1, 5, 900, 976)", "s = 'group 42'", "s > 'group 95'",
    "s IN ('group 1', 'group 7', 'no')", "t = 'a text that is longer, of number 77'", "t LIKE 'a text that is longer, of number 99%'", "t IS NULL AND mixed < 5000", "b AND mixed < 1000",
    "NOT b AND mixed < 1000", "d = DATE '2020-03-01'", "ts < TIMESTAMP '2020-01-01 03:00:00'", "ts::DATE = DATE '2020-01-03'", "dec = 12.25", "dec < 0.6", "mixed < 400 OR s = 'group 3'",
    "mixed < 3000 AND s = 'group 3' AND n > 100", "mixed < 3000 AND (s = 'group 3' OR n IS NULL)", "id < 3000 OR id > 149000", "mixed + 1 = 5", "e = 'e7' AND f < 60", "mixed < 0", "mixed >= 0",
    "mixed NOT IN (1, 2, 3) AND mixed < 10", "n IS DISTINCT FROM 5 AND mixed < 50",
    "dec BETWEEN 0.5 AND 2.75", "dec > 999.249", "dec = 1.234", "dec <> 1.234 AND mixed < 50", "dec IN (1.25, 7, 8.1)", "dec < 1", "id > 149990.5", "mixed::DECIMAL(12, 1) <= 7.5", "b AND id < 30",
    "TRY_CAST(n AS DECIMAL(2, 1)) IS NULL AND mixed < 200", "TRY_CAST(n AS DECIMAL(2, 1)) IS DISTINCT FROM 3 AND mixed < 200", "n NOT IN (1, 2) AND mixed < 40", "NOT (s IN ('group 1', 'group 2')) AND mixed < 40",
    "s <> 'group 3' AND mixed < 40", "t IS DISTINCT FROM 'x' AND mixed < 40", "(NOT b) IS NULL OR mixed = 3", "n = NULL OR mixed = 3",
  ]
  private static let outputs = ["id, mixed, f, n, s, t, b, d, ts, e", "id, l, dec", "count(*), sum(f), min(t), max(s)", "s, t"]

  private func fixture(_ partitionRows: Int, remembers: Bool = true, _ options: StoreOptions = StoreOptions()) throws -> Fixture {
    var (store, query) = (options, QueryOptions())
    (store.partitionSizeRows, query.remembersFilters) = (partitionRows, remembers)
    let fixture = try Fixture("v2", storeOptions: store, queryOptions: query)
    try fixture.put("t", Self.sql)
    try fixture.run("CREATE TABLE t AS \(Self.sql)")
    return fixture
  }

  @Test(arguments: [3000, 150_000])
  func rowsAreDuckDBsOwnHoweverOftenTheyAreAsked(partitionRows: Int) throws {
    guard engineNames.contains("v2") else { return }
    let fixture = try fixture(partitionRows)
    for (number, filter) in Self.filters.enumerated() {
      let output = Self.outputs[number % Self.outputs.count]
      let expected = try fixture.rows("SELECT \(output) FROM t WHERE \(filter)")
      for _ in 0..<4 { #expect(try fixture.rows("SELECT \(output) FROM _cache_t WHERE \(filter)") == expected, "\(filter)") }
    }
    let counters = fixture.engine.scanCounters.remembered
    #expect(counters.hitCount > 0 && counters.byteCount > 0 && counters.rowsLeftOut > 0)
    #expect(fixture.store.status().memoBytes >= counters.byteCount)
  }

  @Test func repeatedFilterReadsOnlyWhatItWants() throws {
    guard engineNames.contains("v2") else { return }
    let fixture = try fixture(10_000)
    let counters = fixture.engine.scanCounters
    var seen: [(rows: Int, hits: Int)] = []
    for _ in 0..<4 {
      let before = (counters.rowsScanned, counters.remembered.hitCount)
      _ = try fixture.rows("SELECT id, t FROM _cache_t WHERE mixed < 100")
      seen.append((counters.rowsScanned - before.0, counters.remembered.hitCount - before.1))
    }
    let wanted = try fixture.rows("SELECT count(*) FROM t WHERE mixed < 100")[0][0]
    #expect(seen.map { "\($0.rows)" } == [String](repeating: wanted ?? "", count: 4))
    #expect(seen[0].hits == 0 && seen[1].hits == 0 && seen[2].hits >= 15 && seen[3].hits == seen[2].hits)
    // A part of a conjunction is known too, and what it leaves is all that is tested.
    let before = counters.remembered.hitCount
    _ = try fixture.rows("SELECT id FROM _cache_t WHERE mixed < 100 AND n > 5")
    #expect(counters.remembered.hitCount == before)
  }

  @Test func nothingIsRememberedWhereItIsSwitchedOff() throws {
    guard engineNames.contains("v2") else { return }
    let fixture = try fixture(10_000, remembers: false)
    for _ in 0..<4 { _ = try fixture.rows("SELECT id FROM _cache_t WHERE mixed < 100") }
    let counters = fixture.engine.scanCounters.remembered
    #expect(counters.hitCount == 0 && counters.byteCount == 0 && counters.rowsLeftOut > 0)
  }

  @Test func whatIsRememberedGoesWithTheVersion() throws {
    guard engineNames.contains("v2") else { return }
    let fixture = try fixture(10_000)
    let counters = fixture.engine.scanCounters.remembered
    for _ in 0..<3 { _ = try fixture.rows("SELECT id FROM _cache_t WHERE mixed < 100") }
    #expect(counters.byteCount > 0 && fixture.store.status().memoBytes >= counters.byteCount)
    try fixture.put("t", "SELECT range AS id, range % 1000 AS mixed FROM range(50000)")
    #expect(try fixture.rows("SELECT count(*) FROM _cache_t WHERE mixed < 100") == [["5000"]])
    try fixture.run("SELECT 1")
    #expect(counters.byteCount == fixture.store.status().memoBytes)
    _ = fixture.store.remove("t")
    try fixture.run("SELECT 1")
    #expect(counters.byteCount == 0 && fixture.store.status().memoBytes == 0)
  }

  /// An entry that needs the room has it, and the filter is asked anew.
  @Test func whatIsRememberedMakesRoom() throws {
    guard engineNames.contains("v2") else { return }
    let folder = TestFolder()
    var options = StoreOptions()
    (options.memoryLimitBytes, options.spillDirectory, options.hasBackground, options.spillThreshold) = (40 << 20, folder.path, false, 1)
    let fixture = try fixture(10_000, options)
    let expected = try fixture.rows("SELECT id FROM t WHERE mixed < 5000")
    for _ in 0..<3 { #expect(try fixture.rows("SELECT id FROM _cache_t WHERE mixed < 5000") == expected) }
    #expect(fixture.store.status().memoBytes > 0)
    for number in 0..<6 { try fixture.put("other\(number)", "SELECT range AS id, random() AS r FROM range(500000)") }
    #expect(fixture.store.status().memoBytes == 0 && fixture.engine.scanCounters.remembered.byteCount == 0)
    for _ in 0..<3 { #expect(try fixture.rows("SELECT id FROM _cache_t WHERE mixed < 5000") == expected) }
  }
}
