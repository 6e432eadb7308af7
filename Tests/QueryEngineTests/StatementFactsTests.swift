import Testing

@testable import QueryEngine

/// What statements read and call, by their words and by DuckDB's syntax tree.
@Suite struct StatementFactsTests {
  private static let simple = [
    "SELECT a FROM _cache_t", "select count(*), sum(a) AS n from _CACHE_T where a > 1 and s <> 'from _cache_x'", "SELECT * FROM \"_cache_My key\" LIMIT 3;",
    "SELECT t.a, u.b FROM _cache_t AS t JOIN _cache_u u ON t.a = u.a WHERE t.b IN (1, 2, 3)", "SELECT a FROM _cache_t, _cache_u WHERE _cache_t.a = _cache_u.a",
    "SELECT a FROM _cache_t WHERE a = (SELECT max(a) FROM _cache_u) ORDER BY a, b", "SELECT k, count(*) FILTER (WHERE a > 2) FROM _cache_t GROUP BY k, (a) HAVING count(*) > 1",
    "SELECT row_number() OVER (PARTITION BY k ORDER BY a), a::DECIMAL(10, 2) FROM _cache_t", "SELECT * FROM (SELECT a, b FROM _cache_t WHERE b IS NOT NULL) q, _cache_u",
    "SELECT a FROM _cache_t UNION ALL SELECT b FROM _cache_u ORDER BY 1", "SELECT CASE WHEN (a > 1) THEN (b) ELSE coalesce(c, 0) END FROM _cache_t LEFT JOIN _cache_u USING (k)",
    "SELECT a FROM _cache_t WHERE EXISTS (SELECT 1 FROM _cache_u WHERE _cache_u.a = _cache_t.a) AND NOT (a < 0)", "SELECT DISTINCT lower(s), date_trunc('month', ts) FROM _cache_t",
    "SELECT a FROM _cache_t WHERE a > $low AND b = $name", "SELECT date '2020-01-01', interval (a) day, ts AT TIME ZONE 'UTC' FROM _cache_t",
    "SELECT a FROM _cache_t CROSS JOIN _cache_u NATURAL JOIN _cache_v", "SELECT a, b FROM _cache_t QUALIFY rank() OVER (ORDER BY a) = 1",
    "SELECT sum(a) FROM _cache_t GROUP BY GROUPING SETS ((k), (s), ())", "SELECT a + b, a - b, a * b, a / b, a % b, a || s, a != b, a <= b FROM _cache_t",
    "SELECT t.\"from\", t.sample, t.table FROM _cache_t t",
  ]
  /// Left to the tree.
  private static let others = [
    "WITH q AS (FROM _cache_t) SELECT * FROM q", "SELECT random() FROM _cache_t", "SELECT now() FROM _cache_t", "SELECT current_date FROM _cache_t", "SELECT CURRENT_TIMESTAMP, a FROM _cache_t",
    "SELECT * FROM _cache_t USING SAMPLE 3", "SELECT * FROM _cache_t TABLESAMPLE 10%", "SELECT a FROM other", "SELECT a FROM _cache_t, other", "SELECT a FROM _cache_t JOIN other ON true",
    "SELECT a FROM main._cache_t", "SELECT a FROM _cache_t.x", "SELECT * FROM 'file.csv', _cache_t", "SELECT * FROM range(3), _cache_t", "SELECT * FROM _cache_t, range(3)", "SELECT 1",
    "SELECT a FROM _cache_t; SELECT 2", "SELECT s.own(a) FROM _cache_t", "SELECT \"own\"(a) FROM _cache_t", "SELECT own(a) FROM _cache_t", "SELECT nextval('s') FROM _cache_t",
    "SELECT extract(year FROM ts) FROM _cache_t", "SELECT * FROM _cache_t -- FROM x", "SELECT * FROM (VALUES (1)) v, _cache_t", "SELECT * FROM _cache_t WHERE a IN (TABLE other)",
    "SELECT (FROM other) FROM _cache_t", "SELECT * FROM _cache_t t(x)", "SELECT a FROM _cache_t WHERE a = ANY (SELECT b FROM other)", "FROM _cache_t", "SELECT COLUMNS('a') FROM _cache_t",
    "SELECT a IS DISTINCT FROM b FROM _cache_t", "SELECT * FROM (SUMMARIZE _cache_t)", "SELECT * FROM (_cache_t JOIN other ON true)", "SELECT a FROM _cache_t,", "SELECT a FROM", "SELECT (a FROM _cache_t",
    "SELECT a) FROM _cache_t", "SELECT user FROM _cache_t", "SELECT a[1] FROM _cache_t", "SELECT getvariable('x') FROM _cache_t", "SELECT a FROM _cache_t LIMIT (SELECT n FROM other)",
  ]

  @Test func simpleStatementsAreKnownByTheirWords() throws {
    let notes = StatementNotes(database: try Fixture(engineNames[0]).engine.currentPool.database)
    for sql in Self.simple {
      let facts = try #require(StatementFacts(words: sql), "\(sql)")
      let tree = try #require(notes.read(sql), "\(sql)")
      #expect(facts.tables == tree.tables, "\(sql)")
      #expect(facts.functions.isSubset(of: FunctionNames.common), "\(sql)")
      // Operators, and what DuckDB makes of words, are functions too.
      #expect(tree.functions.isSubset(of: FunctionNames.common), "\(sql): \(tree.functions)")
    }
  }

  @Test func whatIsNotCertainIsLeftToTheTree() {
    for sql in Self.others { #expect(StatementFacts(words: sql) == nil, "\(sql)") }
  }
}
