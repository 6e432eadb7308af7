import ArrowData
import CArrow
import CacheStore
import Primitives
import Testing

@testable import QueryEngine

/// Columns that a statement only names are fetched from the entry once DuckDB has found the rows; the answer is the same.
@Suite struct LateColumnsTests {
  private static let rows = """
    SELECT i AS id, CASE WHEN i % 7 > 0 THEN i % 100 END AS k, sin(i) AS v, CASE WHEN i % 5 > 0 THEN repeat('ab', (i % 9)::INTEGER) END AS s, i % 3 = 0 AS b,
    [i] AS l FROM range(60000) t(i)
    """

  @Test(arguments: [
    ("SELECT a, b + 1 AS c FROM _cache_t WHERE a > 1", "SELECT n, b + 1 AS c FROM _cache_t WHERE a > 1"),
    ("select A as X, f(b, ','), \"from\" from \"_cache_t\" as q where q.a = 'x;' ;", "SELECT n, f(b, ',') FROM \"_cache_t\" as q where q.a = 'x;'"),
    ("SELECT a AS x, b FROM _cache_t WHERE x > 1", "SELECT n, a AS x FROM _cache_t WHERE x > 1"),
    ("SELECT a, current_date, null, a b FROM _cache_t", "SELECT n, current_date, null, a b FROM _cache_t"),
    ("SELECT a FROM _cache_t WHERE b = $1 AND c BETWEEN ? AND 2", "SELECT n FROM _cache_t WHERE b = $1 AND c BETWEEN ? AND 2"),
    ("SELECT *, a * 2 FROM _cache_t", "SELECT n, a * 2 FROM _cache_t"), ("SELECT q.*, q.a AS b, u.c FROM _cache_t AS q", "SELECT n, u.c FROM _cache_t AS q"),
    ("SELECT x.*, y.v AS v, x.b + y.b FROM _cache_t x JOIN _cache_u AS y ON x.a = y.a WHERE x.b > 1;", "SELECT n, x.b + y.b FROM _cache_t x JOIN _cache_u AS y ON x.a = y.a WHERE x.b > 1"),
    ("SELECT \"_CACHE_t\".a, c FROM _cache_T LEFT OUTER JOIN _cache_u ON f(a, c)", "SELECT n FROM _cache_T LEFT OUTER JOIN _cache_u ON f(a, c)"),
    ("SELECT x.a AS z, x.b AS w FROM _cache_t x INNER JOIN _cache_u y ON true WHERE w = y.z", "SELECT n, x.b AS w FROM _cache_t x INNER JOIN _cache_u y ON true WHERE w = y.z"),
    ("SELECT k, *, k + 1 FROM _cache_t x LEFT JOIN _cache_u y USING (K, \"m\") WHERE k > 1", "SELECT n, k + 1 FROM _cache_t x LEFT JOIN _cache_u y USING (K, \"m\") WHERE k > 1"),
  ])
  func statementsAreRecognised(sql: String, rewritten: String) throws {
    let statement = try #require(LateStatement(sql))
    let others = statement.items.compactMap { if case .other(let text) = $0 { text } else { nil } }
    #expect(statement.sql(["n"] + others, without: "n") == rewritten)
  }

  @Test(arguments: [
    "SELECT u.* FROM _cache_t t", "SELECT a, (t.*) FROM _cache_t t", "SELECT * EXCLUDE (a) FROM _cache_t", "SELECT t.* AS a FROM _cache_t t", "SELECT a FROM _cache_t t WHERE f(t.*)", "SELECT DISTINCT a FROM _cache_t", "SELECT a FROM _cache_t ORDER BY a", "SELECT a FROM _cache_t LIMIT 3",
    "SELECT a FROM _cache_t GROUP BY a", "SELECT a FROM _cache_t, u", "SELECT a FROM _cache_t JOIN u", "SELECT a FROM main._cache_t", "SELECT a FROM u", "SELECT a FROM (SELECT 1)", "SELECT a FROM _cache_t WHERE b IN (SELECT 1)",
    "SELECT a FROM _cache_t WHERE a IN (FROM u)", "WITH x AS (SELECT 1) SELECT a FROM _cache_t", "SELECT a FROM _cache_t UNION SELECT 1", "SELECT a FROM _cache_t t(x)", "SELECT a FROM _cache_t WHERE a; SELECT 2",
    "SELECT columns('a') FROM _cache_t", "SELECT a FROM _cache_t QUALIFY b", "SELECT a FROM _cache_t USING SAMPLE 3", "SELECT a FROM _cache_t TABLESAMPLE 3", "SELECT a FROM _cache_t WHERE nextval('s') > 1",
    "SELECT a INTO b FROM _cache_t", "SELECT a, FROM _cache_t", "SELECT a) FROM _cache_t", "SELECT f(*) FROM _cache_t", "SELECT a -- b\nFROM _cache_t", "EXPLAIN SELECT a FROM _cache_t", "FROM _cache_t", "SELECT a FROM _cache_t WHERE", "SELECT",
    "SELECT a FROM _cache_t WINDOW w AS (PARTITION BY a)", "SELECT a OVER (ORDER BY b) FROM _cache_t", "SELECT extract(year FROM a) FROM _cache_t", "SELECT #1 FROM _cache_t",
    "SELECT a, q FROM _cache_t q", "SELECT a, hash(Q) FROM _cache_t AS \"q\"", "SELECT a, to_json(_cache_t) FROM _cache_t", "SELECT a FROM _cache_t q WHERE q IS NULL", "SELECT a FROM _cache_t WHERE _CACHE_T::VARCHAR = b",
    "SELECT a FROM _cache_t('x')", "",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y USING a", "SELECT x.a FROM _cache_t x JOIN _cache_u y USING ()", "SELECT x.a FROM _cache_t x JOIN _cache_u y USING (a,)", "SELECT x.a FROM _cache_t x JOIN _cache_u y USING (a) AS z",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y USING (a + 1)", "SELECT x.a FROM _cache_t x RIGHT JOIN _cache_u y USING (a)", "SELECT x.a FROM _cache_t x JOIN _cache_u y USING (a) JOIN _cache_v z USING (a)", "SELECT x.a FROM _cache_t USING (a)", "SELECT x.a FROM _cache_t x NATURAL JOIN _cache_u y", "SELECT x.a FROM _cache_t x RIGHT JOIN _cache_u y ON x.a = y.a",
    "SELECT x.a FROM _cache_t x FULL JOIN _cache_u y ON x.a = y.a", "SELECT x.a FROM _cache_t x ASOF JOIN _cache_u y ON x.a >= y.a", "SELECT x.a FROM _cache_t x SEMI JOIN _cache_u y ON x.a = y.a",
    "SELECT x.a FROM _cache_t x ANTI JOIN _cache_u y ON x.a = y.a", "SELECT x.a FROM _cache_t x ASOF LEFT JOIN _cache_u y ON x.a >= y.a", "SELECT x.a FROM _cache_t x CROSS JOIN _cache_u y",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y ON x.a = y.a JOIN _cache_v z ON z.a = y.a", "SELECT x.a FROM _cache_t x JOIN u y ON x.a = y.a", "SELECT x.a FROM _cache_t x JOIN (FROM _cache_u) y ON x.a = y.a",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y", "SELECT x.a FROM _cache_t x JOIN _cache_u y ON", "SELECT x.a FROM _cache_t x JOIN _cache_u y ON WHERE x.a = 1", "SELECT x.a FROM _cache_t x JOIN _cache_u x ON x.a = x.b",
    "SELECT x.a, y FROM _cache_t x JOIN _cache_u y ON x.a = y.a", "SELECT x.a FROM _cache_t x JOIN _cache_u y ON x.a = y.a AND y IS NULL", "SELECT x.a FROM _cache_t x JOIN _cache_u y(b) ON x.a = y.b",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y ON x.a = y.a ORDER BY 1", "SELECT x.a FROM _cache_t x JOIN LATERAL _cache_u y ON true", "SELECT x.a FROM _cache_t x, _cache_u y WHERE x.a = y.a",
    "SELECT x.a FROM _cache_t x JOIN _cache_u y ON hash(y.*) = x.a", "SELECT x.a FROM _cache_t outer JOIN _cache_u y ON true", "SELECT x.a FROM _cache_t x LEFT INNER JOIN _cache_u y ON true",
  ])
  func everythingElseIsNot(sql: String) { #expect(LateStatement(sql) == nil, "\(sql)") }

  /// Beside what DuckDB gives where the statement is part of another.
  private func compare(_ fixture: Fixture, _ columns: String, _ condition: String) throws {
    let sql = "SELECT \(columns) FROM _cache_t WHERE \(condition)"
    try fixture.put("got", sql)
    func numbered(_ table: String) -> String { "SELECT row_number() OVER () AS row, * FROM \(table)" }
    let differences = "SELECT count(*) FROM ((\(numbered("_cache_got")) EXCEPT ALL \(numbered("(\(sql))"))) UNION ALL (\(numbered("(\(sql))")) EXCEPT ALL \(numbered("_cache_got"))))"
    #expect(try fixture.rows(differences) == [["0"]], "\(sql)")
    #expect(try fixture.rows("DESCRIBE SELECT * FROM _cache_got") == fixture.rows("DESCRIBE \(sql)"), "\(sql)")
  }

  private func isLate(_ fixture: Fixture, _ sql: String) -> Bool { LatePlan(sql, QuerySnapshot(store: fixture.store)) != nil }

  @Test(.enabled(if: engineNames.contains("v2"))) func answersAreTheSame() throws {
    let fixture = try Fixture("v2")
    try fixture.put("t", Self.rows)
    #expect(isLate(fixture, "SELECT id, s FROM _cache_t WHERE k = 1"))
    #expect(!isLate(fixture, "SELECT id FROM _cache_t WHERE k = 1") && !isLate(fixture, "SELECT l FROM _cache_t"))
    for columns in ["id, k, v, s, b", "s AS \"S 1\", v * 2 AS w, l, s, id AS ID2", "ID, \"V\", k IS NULL, true, s"] {
      for condition in ["true", "false", "id >= 0", "id BETWEEN 100 AND 50000", "k = 3", "k IS NULL AND b", "v > 0.9 OR id < 5", "s LIKE 'abab%'", "id % 2048 = 0", "random() >= 0"] {
        try compare(fixture, columns, condition)
      }
    }
  }

  @Test(.enabled(if: engineNames.contains("v2"))) func whatStandsBeforeTheEntryIsRead() throws {
    let fixture = try Fixture("v2")
    try fixture.put("t", Self.rows)
    let sql = "SELECT id, k, s FROM _cache_t WHERE id < 10"
    func rows() throws -> [[String?]] {
      var stream = ArrowArrayStream()
      try fixture.engine.run("\(sql)", into: &stream)
      let entry = try fixture.store.put(key: "got", stream: StreamReader(moving: &stream), kind: "arrow", userMetadata: "{}", ttl: nil, overwrite: true, autoPartition: nil, copyColumns: nil, copyAll: false)
      return try fixture.rows("SELECT * FROM _cache_\(entry.key)")
    }
    try fixture.run("CREATE TABLE _cache_t AS SELECT 5 AS id, 6 AS k, 'x' AS s, 7 AS v")
    #expect(try rows() == [["5", "6", "x"]])
    try fixture.run("DROP TABLE _cache_t")
    #expect(try rows().count == 10)
    try fixture.run("CREATE SCHEMA s")
    try fixture.run("CREATE VIEW s._cache_t AS SELECT * REPLACE (id + 1 AS id) FROM _cache_t")
    try fixture.run("SET search_path = 's'")
    // DuckDB may refuse the view; if not, its rows are wanted.
    guard let expected = try? fixture.rows(sql) else { return }
    var stream = ArrowArrayStream()
    try fixture.engine.run(sql, into: &stream)
    var first: [Int64] = []
    let reader = try StreamReader(moving: &stream)
    while let batch = try reader.next() {
      let column = batch.column(0).pointee
      for row in 0..<batch.rowCount { first.append((column.buffers[1]! + (Int(column.offset) + row) * 8).load(as: Int64.self)) }
    }
    #expect(first.map { String($0) } == expected.map { $0[0] })
  }

  @Test(.enabled(if: engineNames.contains("v2"))) func failuresAreDuckDBsOwn() throws {
    let fixture = try Fixture("v2")
    try fixture.put("t", Self.rows)
    for _ in 0..<2 {
      let failure = #expect(throws: CacheError.self) { try fixture.run("SELECT id, s, nothing FROM _cache_t WHERE k > 1") }
      #expect(failure?.message.contains("nothing") == true && failure?.message.contains(LatePlan.numbers) == false)
      let conversion = #expect(throws: CacheError.self) { try fixture.run("SELECT id, s, v FROM _cache_t WHERE s::INTEGER > 1") }
      #expect(conversion?.message.contains("Conversion") == true)
    }
    #expect(try fixture.rows("SELECT count(*) FROM _cache_t") == [["60000"]])
  }

  @Test(.enabled(if: engineNames.contains("v2"))) func runsOfRowsAreTheEntrysOwnBuffers() throws {
    let fixture = try Fixture("v2")
    let entry = try fixture.put("t", Self.rows)
    let snapshot = QuerySnapshot(store: fixture.store)
    let plan = try #require(LatePlan("SELECT id, v FROM _cache_t WHERE id >= 0", snapshot))
    #expect(plan.tables.count == 1 && plan.tables[0].entry === entry)
    var stream = ArrowArrayStream()
    try fixture.engine.run("SELECT id, v, s FROM _cache_t WHERE id >= 0", into: &stream)
    let reader = try StreamReader(moving: &stream)
    let batch = try #require(try reader.next())
    var array = ArrowArray()
    #expect(try entry.reader().next(into: &array))
    let own = try RecordBatch(importing: &array, schema: entry.schema)
    #expect(batch.column(0).pointee.buffers[1] == own.column(0).pointee.buffers[1])
  }
}
