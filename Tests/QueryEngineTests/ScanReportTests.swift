import ArrowData
import Primitives
import Testing

@testable import QueryEngine

@Suite struct ScanReportTests {
  @Test func predicatesAreReadable() throws {
    let formats = [("n", "l"), ("d", "tdD"), ("t", "tsm:"), ("s", "u"), ("b", "b"), ("x", "g"), ("z", "tsn:UTC"), ("m", "d:10,2")]
    let schema = Schema(fields: try formats.map { try Field(name: $0.0, format: $0.1) })
    let cases: [(Predicate, String)] = [
      (.compare(column: 0, .greaterOrEqual, .int(-5)), "n >= -5"), (.compare(column: 1, .less, .int(0)), "d < '1970-01-01'"),
      (.compare(column: 1, .equal, .int(-1)), "d = '1969-12-31'"), (.compare(column: 1, .equal, .int(11016)), "d = '2000-02-29'"),
      (.compare(column: 1, .equal, .int(-719529)), "d = '0002-12-31 (BC)'"), (.compare(column: 1, .less, .int(.max)), "d < 'day \(Int.max)'"),
      (.compare(column: 2, .notEqual, .int(-1)), "t <> '1969-12-31 23:59:59.999'"),
      (.compare(column: 6, .greater, .int(86_400_000_000_001)), "z > '1970-01-02 00:00:00.000000001+00'"),
      (.compare(column: 3, .lessOrEqual, .bytes(Array("it".utf8))), "s <= 'it'"), (.compare(column: 4, .equal, .int(1)), "b = true"),
      (.compare(column: 5, .equal, .double(1.5)), "x = 1.5"), (.isNull(column: 3), "s IS NULL"), (.isNotNull(column: 9), "column 9 IS NOT NULL"),
      (.isIn(column: 0, (1...6).map { .int($0) }), "n IN (1, 2, 3, 4, … 6 in all)"), (.prefix(column: 3, Array("ab".utf8)), "s starting with 'ab'"),
      (.compare(column: 7, .less, .wide(-1234)), "m < -12.34"), (.compare(column: 7, .less, .wide(5)), "m < 0.05"),
      (.and([.isNull(column: 0), .unknown, .isNull(column: 1)]), "n IS NULL AND d IS NULL"),
      (.or([.isNull(column: 0), .isNull(column: 1)]), "(n IS NULL OR d IS NULL)"), (.or([.isNull(column: 0), .unknown]), ""), (.unknown, ""),
    ]
    for (predicate, text) in cases { #expect(PredicateText.of(predicate, schema) == text) }
  }

  @Test(arguments: engineNames)
  func explainTellsOfEachScan(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT i AS a, 'x' || i AS s FROM range(300000) t(i)")
    try fixture.put("u", "SELECT i AS a FROM range(10) t(i)")
    let plan = try fixture.engine.explain("SELECT count(*), max(s) FROM _cache_t JOIN _cache_u USING (a) WHERE a >= 5", analyze: true)
    let report = plan.split(separator: "\n").drop { $0 != "Scans of cached tables" }
    #expect(report.contains { $0.hasPrefix("_cache_t") && $0.contains("300,000") }, "\(plan)")
    #expect(report.contains { $0.hasPrefix("_cache_u") })
    if engineName == "v2" { #expect(report.contains { $0.contains("a >= 5") }) } else { #expect(report.last?.contains("nothing is skipped") == true) }
    #expect(try fixture.engine.explain("SELECT 1", analyze: true).hasSuffix("No cached table was read.\n"))
    #expect(try !fixture.engine.explain("SELECT a FROM _cache_t").contains("Scans of cached tables"))
  }

  @Test(.enabled(if: engineNames.contains("v2"))) func explainSaysWhatIsFetchedLate() throws {
    let fixture = try Fixture("v2")
    try fixture.put("t", "SELECT i AS id, sin(i) AS v, 'x' || i AS s FROM range(60000) t(i)")
    try fixture.put("my key", "SELECT i AS id, 'y' || i AS w FROM range(60000) t(i)")
    func late(_ sql: String, analyze: Bool = true) throws -> String? {
      try fixture.engine.explain(sql, analyze: analyze).split(separator: "\n").first { $0.hasPrefix("query() fetches") }.map { String($0.split(separator: ": ")[1]) }
    }
    #expect(try late("SELECT v, s, id + 1 AS n FROM _cache_t WHERE id > 7") == "v, s of _cache_t.")
    #expect(try late("SELECT v, s, id + 1 AS n FROM _cache_t WHERE id > 7", analyze: false) == "v, s of _cache_t.")
    #expect(try late("SELECT a.s, b.w, a.v + 1 AS u FROM _cache_t a JOIN \"_cache_my key\" b ON a.id = b.id") == "s of _cache_t; w of \"_cache_my key\".")
    for sql in ["SELECT * FROM _cache_t", "SELECT sum(v) FROM _cache_t", "SELECT v, s FROM _cache_t ORDER BY v LIMIT 3", "SELECT v, s FROM main._cache_t"] { #expect(try late(sql) == nil, "\(sql)") }
    try fixture.run("CREATE VIEW w AS SELECT 1")
    #expect(try late("SELECT v, s, id + 1 AS n FROM _cache_t WHERE id > 7") == nil)
  }
}
