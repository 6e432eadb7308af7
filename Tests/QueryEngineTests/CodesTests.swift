import CacheStore
import Testing

@testable import QueryEngine

/// Texts that scans turn into codes when they read them again, against DuckDB's own tables.
@Suite struct CodesTests {
  private static let sql = """
    SELECT range AS id, 'group ' || (range * 17) % 100 AS s, CASE WHEN range % 5 = 0 THEN NULL ELSE 'a text that is longer, of number ' || (range * 29) % 700 END AS t,
      'value ' || range % 40000 AS many, CASE WHEN range < 20000 THEN NULL ELSE 'x' END AS n
    FROM range(150000)
    """

  @Test(arguments: [DictionaryEncoding.whenMemoryIsShort, .never], [20_000, 150_000])
  func rowsStayWhatTheyAre(encoding: DictionaryEncoding, partitionRows: Int) throws {
    guard engineNames.contains("v2") else { return }
    var options = StoreOptions()
    (options.dictionaryEncoding, options.partitionSizeRows) = (encoding, partitionRows)
    let fixture = try Fixture("v2", storeOptions: options)
    try fixture.put("t", Self.sql)
    try fixture.run("CREATE TABLE t AS \(Self.sql)")
    for query in [
      "SELECT s, count(*), sum(id) FROM {t} GROUP BY s ORDER BY s", "SELECT t, count(*), min(id) FROM {t} GROUP BY t ORDER BY t", "SELECT * FROM {t} WHERE id % 1000 = 7",
      "SELECT many, count(*) FROM {t} GROUP BY many ORDER BY many", "SELECT n, s, count(*) FROM {t} GROUP BY n, s ORDER BY n, s", "SELECT * FROM {t} WHERE s = 'group 7' AND id < 90000",
      "SELECT count(*), min(t), max(s) FROM {t} WHERE t LIKE '%number 69%'", "SELECT count(*) FROM {t} a JOIN {t} b USING (id, s, n) WHERE a.t IS NULL", "SELECT s, t, n FROM {t} LIMIT 5 OFFSET 140000",
    ] {
      func named(_ name: String) -> String { query.split(separator: "{t}", omittingEmptySubsequences: false).joined(separator: name) }
      let expected = try fixture.rows(named("t"))
      for _ in 0..<4 { #expect(try fixture.rows(named("_cache_t")) == expected, "\(query)") }
    }
    let codes = fixture.store.peek("t")?.memo(CompactColumns.memoName) as? CompactColumns
    #expect(codes?.columns == (encoding == .never ? [0] : [0, 1, 2, 4]))
    #expect(fixture.store.status().memoBytes > 150_000)
    try fixture.put("t", "SELECT 'another' AS s")
    #expect(try fixture.rows("SELECT s FROM _cache_t") == [["another"]])
    try fixture.run("SELECT 1")
    #expect(fixture.store.status().memoBytes < 10_000)
  }

  /// What needs the room has it; the columns are plain again.
  @Test func codesMakeRoom() throws {
    guard engineNames.contains("v2") else { return }
    let folder = TestFolder()
    var options = StoreOptions()
    (options.memoryLimitBytes, options.spillDirectory, options.hasBackground, options.spillThreshold) = (40 << 20, folder.path, false, 1)
    let fixture = try Fixture("v2", storeOptions: options)
    try fixture.put("t", Self.sql)
    let sql = "SELECT s, count(*), sum(id) FROM _cache_t GROUP BY s ORDER BY s"
    let expected = try fixture.rows(sql)
    for _ in 0..<3 { #expect(try fixture.rows(sql) == expected) }
    #expect(fixture.store.status().memoBytes > 0)
    for number in 0..<6 { try fixture.put("other\(number)", "SELECT range AS id, random() AS r FROM range(500000)") }
    #expect(fixture.store.status().memoBytes == 0)
    for _ in 0..<3 { #expect(try fixture.rows(sql) == expected) }
  }
}
