import ArrowData
import Testing

@testable import QueryEngine

/// The statements whose text tells what DuckDB does not: everything else must say nothing.
@Suite struct TopStatementTests {
  @Test(arguments: [
    "SELECT * FROM _cache_t ORDER BY v LIMIT 3", "select a, b.c, b.* from _cache_t as b order by b.v desc nulls last, a limit 3 offset 4 ;",
    "FROM _cache_t ORDER BY v ASC NULLS FIRST LIMIT 1", "EXPLAIN ANALYZE SELECT v FROM \"_cache_T\" ORDER BY \"v\" LIMIT 10", "SELECT a + 1 AS b FROM _cache_t x ORDER BY x.v LIMIT $n",
  ])
  func firstRowsAreRecognised(sql: String) {
    #expect(TopStatement(sql)?.column == "v", "\(sql)")
  }

  @Test(arguments: [
    "SELECT a FROM _cache_t WHERE a > 1 ORDER BY v LIMIT 3", "SELECT a FROM _cache_t, u ORDER BY v LIMIT 3", "SELECT a FROM _cache_t JOIN u ORDER BY v LIMIT 3",
    "SELECT a FROM s._cache_t ORDER BY v LIMIT 3", "SELECT a AS v FROM _cache_t ORDER BY v LIMIT 3", "SELECT a v FROM _cache_t ORDER BY v LIMIT 3", "SELECT a AS 'v' FROM _cache_t ORDER BY v LIMIT 3",
    "SELECT a AS \"V\" FROM _cache_t ORDER BY v LIMIT 3", "SELECT v: a FROM _cache_t ORDER BY v LIMIT 3", "SELECT s.v FROM _cache_t x ORDER BY v LIMIT 3", "SELECT DISTINCT a FROM _cache_t ORDER BY v LIMIT 3",
    "SELECT max(a) FROM _cache_t ORDER BY v LIMIT 3", "SELECT a FROM _cache_t ORDER BY v COLLATE nocase LIMIT 3", "SELECT a FROM _cache_t ORDER BY v + 1 LIMIT 3", "SELECT a FROM _cache_t ORDER BY -v LIMIT 3",
    "SELECT a FROM _cache_t ORDER BY 1 LIMIT 3", "SELECT a FROM _cache_t ORDER BY ALL LIMIT 3", "SELECT a FROM _cache_t ORDER BY v LIMIT 3 %", "SELECT a FROM _cache_t ORDER BY v LIMIT 3 PERCENT",
    "SELECT a FROM _cache_t ORDER BY v LIMIT ALL", "SELECT a FROM _cache_t ORDER BY v LIMIT 1e3", "SELECT a FROM _cache_t ORDER BY v LIMIT 99999999999999999999", "SELECT a FROM _cache_t ORDER BY v",
    "SELECT a FROM _cache_t LIMIT 3", "SELECT a FROM _cache_t GROUP BY a ORDER BY v LIMIT 3", "SELECT a FROM _cache_t UNION SELECT b FROM u ORDER BY v LIMIT 3", "SELECT a FROM _cache_t ORDER BY v, b; SELECT c FROM u LIMIT 3",
    "SELECT a FROM _cache_t ORDER BY v LIMIT 3; SELECT 1", "SELECT a FROM _cache_t TABLESAMPLE 10 ORDER BY v LIMIT 3", "SELECT a FROM _cache_t ORDER BY v LIMIT 3 USING SAMPLE 2", "SELECT a FROM _cache_t ORDER BY u.v LIMIT 3",
    "SELECT a FROM _cache_t ORDER BY v /* c */ LIMIT 3", "SELECT a FROM _cache_t ORDER BY v -- c\n LIMIT 3", "SELECT ? FROM _cache_t ORDER BY v LIMIT ?", "SELECT a FROM _cache_t ORDER BY v, ? LIMIT ?", "SELECT a FROM _cache_t ORDER BY v LIMIT $2 OFFSET ?", "SELECT * EXCLUDE v FROM _cache_t ORDER BY v LIMIT 3",
    "SELECT E'\\'' FROM _cache_t ORDER BY v LIMIT 3", "SELECT $$a$$ FROM _cache_t ORDER BY v LIMIT 3", "PREPARE p AS SELECT a FROM _cache_t ORDER BY v LIMIT 3", "SELECT \"a FROM _cache_t ORDER BY v LIMIT 3", "", "SELECT", "LIMIT ORDER", "SELECT a FROM ORDER BY v LIMIT 3",
  ])
  func everythingElseIsNot(sql: String) {
    #expect(TopStatement(sql) == nil, "\(sql)")
  }

  @Test func countsComeFromNumbersAndParameters() throws {
    let plain = try #require(TopStatement("SELECT a FROM _cache_t ORDER BY v LIMIT 3 OFFSET 4"))
    #expect(plain.rowCount(.none) == 7)
    let byPosition = try #require(TopStatement("SELECT a FROM _cache_t ORDER BY v LIMIT ? OFFSET ?"))
    #expect(byPosition.rowCount(.positional([.int(5), .int(6)])) == 11)
    #expect(byPosition.rowCount(.positional([.int(5)])) == nil && byPosition.rowCount(.positional([.int(5), .null])) == nil)
    #expect(byPosition.rowCount(.positional([.int(-5), .int(6)])) == nil && byPosition.rowCount(.positional([.int(.max), .int(6)])) == nil)
    let byName = try #require(TopStatement("SELECT a FROM _cache_t ORDER BY v LIMIT $n"))
    #expect(byName.rowCount(.named([(name: "n", value: .int(2))])) == 2 && byName.rowCount(.none) == nil)
  }

  @Test(arguments: [("SELECT count(*) FROM _cache_t", true), ("select COUNT ( * ) AS n FROM \"_cache_t\" x ;", true), ("SELECT count(*) FROM _cache_t, u", false), ("SELECT count(*) FROM _cache_t WHERE a", false), ("SELECT count(*), 1 FROM _cache_t", false), ("SELECT count(a) FROM _cache_t", false), ("SELECT count(*) FROM a._cache_t", false)])
  func countsAreRecognised(sql: String, isOne: Bool) {
    #expect((CountStatement(sql) != nil) == isOne, "\(sql)")
  }

  @Test(arguments: ["SET default_null_order = 'nulls_first'", "PRAGMA DEFAULT_ORDER = 'DESC'", "set null_order='x'", "SET default_collation='nocase'", "IMPORT DATABASE 'x'"])
  func settingsOfOrdersAreNoticed(sql: String) { #expect(TopStatement.mayChangeOrder(sql)) }

  @Test(arguments: ["SELECT 1", "", "d", "SELECT * FROM _cache_sales_order", "SELECT import FROM _cache_t"])
  func otherStatementsChangeNoOrder(sql: String) { #expect(!TopStatement.mayChangeOrder(sql)) }
}

extension TopStatement {
  fileprivate init?(_ sql: String) {
    guard let tokens = SQLTokens.read(sql) else { return nil }
    self.init(tokens)
  }
}

extension CountStatement {
  fileprivate init?(_ sql: String) {
    guard let tokens = SQLTokens.read(sql) else { return nil }
    self.init(tokens)
  }
}
