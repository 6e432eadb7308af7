import ArrowData
import CArrow
import CacheStore
import Primitives
import Testing

@testable import QueryEngine

/// Columns that a join only names are fetched from the entries once DuckDB has found the rows; the answer is the same.
@Suite(.enabled(if: engineNames.contains("v2"))) struct LateJoinTests {
  private static let rows = """
    SELECT i AS id, CASE WHEN i % 7 > 0 THEN i % 400 END AS k, sin(i) AS v, CASE WHEN i % 5 > 0 THEN repeat('ab', (i % 12)::INTEGER) END AS s, i % 3 = 0 AS b,
    [i] AS l, (i * 0.25)::DECIMAL(12, 2) AS d FROM range(60000) t(i)
    """
  private static let fewRows = """
    SELECT i AS fid, CASE WHEN i % 11 > 0 THEN i % 300 END AS k, cos(i) AS w, CASE WHEN i % 4 > 0 THEN repeat('x', (i % 21)::INTEGER) END AS s, i % 2 = 0 AS c
    FROM range(500) t(i)
    """

  private static func fixture() throws -> Fixture {
    let fixture = try Fixture("v2")
    try fixture.put("t", rows)
    try fixture.put("u", fewRows)
    return fixture
  }

  private func plan(_ fixture: Fixture, _ sql: String) -> LatePlan? { LatePlan(sql, QuerySnapshot(store: fixture.store)) }

  @Test func statementsAreTakenApart() throws {
    let fixture = try Self.fixture()
    let join = "FROM _cache_t AS x LEFT JOIN _cache_u y ON x.k = y.k"
    #expect(plan(fixture, "SELECT x.*, y.s AS s2, y.w + 1 \(join)")?.sql == "SELECT \"x\".arrow_cache_row_number, \"y\".arrow_cache_row_number, \"x\".\"l\", \"x\".\"d\", y.w + 1 \(join)")
    #expect(plan(fixture, "SELECT id, v, y.k, fid AS f \(join)")?.sql == "SELECT \"x\".arrow_cache_row_number, \"y\".arrow_cache_row_number \(join)")
    #expect(plan(fixture, "SELECT id, v, y.fid AS f \(join)")?.sql == "SELECT \"x\".arrow_cache_row_number, y.fid AS f \(join)")
    // Of both, of none, of a key that is no name, of the few rows alone.
    #expect(plan(fixture, "SELECT k, id, v \(join)")?.sql == "SELECT \"x\".arrow_cache_row_number, k \(join)")
    #expect(plan(fixture, "SELECT x.nothing, x.s \(join)")?.sql == "SELECT \"x\".arrow_cache_row_number, x.nothing \(join)")
    #expect(plan(fixture, "SELECT y.* \(join)") == nil)
    let merged = "FROM _cache_t AS x LEFT JOIN _cache_u y USING (k, S)"
    #expect(plan(fixture, "SELECT k, * \(merged)")?.sql == "SELECT \"x\".arrow_cache_row_number, \"y\".arrow_cache_row_number, \"x\".\"l\", \"x\".\"d\" \(merged)")
    #expect(plan(fixture, "SELECT * \(join.split(separator: " ON")[0]) USING (k, id)") == nil)
    #expect(plan(fixture, "SELECT x.id, x.l, x.d \(join)") == nil)
  }

  @Test func whatIsNotCertainIsLeft() throws {
    let fixture = try Self.fixture()
    #expect(plan(fixture, "SELECT x.id, x.v FROM _cache_t x JOIN _cache_t y ON x.k = y.id") == nil)
    #expect(plan(fixture, "SELECT x.id, x.v FROM _cache_t x JOIN _cache_none y ON x.k = y.id") == nil)
    try fixture.put("f", "SELECT i AS id, {'id': i + 1, 'v': 'field'} AS x FROM range(500) t(i)")
    let sql = "SELECT x.id, x.v FROM _cache_t x JOIN _cache_f y ON y.id = 3 AND k = 3"
    #expect(plan(fixture, sql) == nil)
    try fixture.put("n", "SELECT i AS id, i AS arrow_cache_row_number, 'some' AS s FROM range(500) t(i)")
    #expect(plan(fixture, "SELECT y.arrow_cache_row_number, x.id, x.v FROM _cache_t x JOIN _cache_n y ON y.id = x.k") == nil)
    #expect(plan(fixture, "SELECT y.*, x.id, x.v FROM _cache_t x JOIN _cache_n y ON y.id = x.k")?.tables.count == 1)
  }

  private func isLate(_ fixture: Fixture, _ sql: String) throws -> Bool {
    let trace = StatementTrace()
    _ = try fixture.engine.counted(sql, parameters: .none, cancellation: nil, streaming: false, trace: trace)
    return trace.isLate
  }

  /// Beside what DuckDB gives where the statement is part of another.
  private func compare(_ fixture: Fixture, _ sql: String) throws {
    try fixture.put("got", sql)
    let differences = "SELECT count(*) FROM ((FROM _cache_got EXCEPT ALL FROM (\(sql))) UNION ALL (FROM (\(sql)) EXCEPT ALL FROM _cache_got))"
    #expect(try fixture.rows(differences) == [["0"]], "\(sql)")
    #expect(try fixture.rows("DESCRIBE SELECT * FROM _cache_got") == fixture.rows("DESCRIBE \(sql)"), "\(sql)")
  }

  @Test(arguments: ["JOIN", "LEFT JOIN"]) func answersAreTheSame(join: String) throws {
    let fixture = try Self.fixture()
    // Each is in the other's place once: the one with more rows may be the second.
    let columns = ["x.*, y.s AS s2, y.fid", "y.*, x.v, x.s AS \"S 3\", x.l", "id, x.s, y.c, w, x.v * w AS p, y.s AS s2", "x.b, y.w, x.s"]
    let conditions = ["x.k = y.k", "x.k = y.k AND y.c", "x.id = y.fid", "x.id + 70000 = y.fid"]
    let filters = ["", "WHERE x.v > 0.5", "WHERE y.w IS NULL", "WHERE false"]
    for (left, right) in [("t x", "u y"), ("u y", "t x")] {
      for (number, columns) in columns.enumerated() {
        for (position, condition) in conditions.enumerated() {
          let filter = filters[(number + position + (left == "t x" ? 0 : 1)) % filters.count]
          try compare(fixture, "SELECT \(columns) FROM _cache_\(left) \(join) _cache_\(right) ON \(condition) \(filter)")
        }
      }
    }
    #expect(try isLate(fixture, "SELECT x.*, y.s AS s2 FROM _cache_t x \(join) _cache_u y ON x.k = y.k"))
    #expect(try isLate(fixture, "SELECT x.*, y.s AS s2 FROM _cache_u y \(join) _cache_t x ON x.k = y.k WHERE x.v > 0"))
    for columns in ["*", "k, x.s, y.s AS s2, y.k AS k2, v, w", "x.*, y.fid, y.s AS s2", "K, fid, id, c"] {
      let sql = "SELECT \(columns) FROM _cache_t x \(join) _cache_u y USING (k)"
      #expect(try isLate(fixture, sql), "\(sql)")
      // Both have a column of this name.
      if columns != "*" { try compare(fixture, sql) }
      try compare(fixture, "SELECT *, x.s AS s2 FROM _cache_u x \(join) _cache_t y USING (k, s)")
    }
    #expect(try !isLate(fixture, "SELECT x.*, y.s AS s2 FROM _cache_t x \(join) _cache_t y USING (k) WHERE y.id < 3"))
  }

  @Test func stars() throws {
    let fixture = try Self.fixture()
    for sql in ["SELECT * FROM _cache_t WHERE v > 0", "SELECT *, id + 1 AS more FROM _cache_t", "SELECT q.*, q.id AS again FROM _cache_t q WHERE q.s LIKE 'ab%'"] {
      #expect(plan(fixture, sql) != nil)
      #expect(try isLate(fixture, sql), "\(sql)")
      try compare(fixture, sql)
    }
  }

  @Test func rowsThatAllMatchAreTheEntrysOwnBuffers() throws {
    let fixture = try Self.fixture()
    try fixture.put("u", "SELECT i AS fid, 'few' AS s FROM range(5) t(i)")
    // Several threads give the rows in pieces, which may be small.
    try fixture.run("SET threads = 1")
    var stream = ArrowArrayStream()
    try fixture.engine.run("SELECT x.id, x.s, y.s AS few FROM _cache_t x LEFT JOIN _cache_u y ON x.id = y.fid", into: &stream)
    let reader = try StreamReader(moving: &stream)
    let entry = try #require(try fixture.store.find("t", counting: false))
    var array = ArrowArray()
    #expect(try entry.reader().next(into: &array))
    let own = try RecordBatch(importing: &array, schema: entry.schema)
    var rowCount = 0
    while let batch = try reader.next() {
      #expect(batch.column(0).pointee.buffers[1] == own.column(0).pointee.buffers[1])
      rowCount += batch.rowCount
    }
    #expect(rowCount == 60000)
  }

  @Test func failuresAreDuckDBsOwn() throws {
    let fixture = try Self.fixture()
    let join = "FROM _cache_t x JOIN _cache_u y ON x.k = y.k"
    for (sql, expected) in [("SELECT k, x.s, x.v \(join)", "Ambiguous"), ("SELECT x.id, x.s, x.nothing \(join)", "nothing"), ("SELECT x.id, y.s, x.v \(join) WHERE y.s::INTEGER > 1", "Conversion"),
      ("SELECT _cache_t.id, _cache_t.s, x.v \(join)", "_cache_t"), ("SELECT x.id, x.s, count(*) \(join)", "GROUP BY")] {
      for _ in 0..<2 {
        let failure = #expect(throws: CacheError.self) { try fixture.run(sql) }
        #expect(failure?.message.contains(expected) == true && failure?.message.contains(LatePlan.numbers) == false, "\(sql): \(failure?.message ?? "")")
      }
    }
  }

  @Test func tablesAndViewsStandBeforeEntries() throws {
    let fixture = try Self.fixture()
    let sql = "SELECT x.id, x.s, y.s AS s2 FROM _cache_t x JOIN _cache_u y ON x.k = y.k WHERE x.id < 30"
    func count() throws -> Int {
      let rows = try fixture.engine.counted(sql, parameters: .none, cancellation: nil, streaming: false)
      var (array, count) = (ArrowArray(), 0)
      while try rows.next(into: &array) {
        count += Int(array.length)
        array.release?(&array)
      }
      return count
    }
    #expect(try count() == 46)
    try fixture.run("CREATE TEMP TABLE _cache_u AS SELECT 3 AS k, 'mine' AS s")
    #expect(try count() == 1)
    try fixture.run("DROP TABLE _cache_u")
    #expect(try count() == 46)
    try fixture.put("u", "SELECT 4 AS k, 'newer' AS s")
    #expect(try count() == 1)
  }
}
