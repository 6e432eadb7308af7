import ArrowData
import CArrow
import CacheStore
import Primitives
import Testing

@testable import QueryEngine

/// `SELECT *` over an entry hands out the entry's own buffers, and only where nothing could differ.
@Suite struct WholeTableTests {
  private static let rows = "SELECT i AS a, sin(i) AS b, 'x' || i AS s, i % 2 = 0 AS c, DATE '2020-01-01' + i::INTEGER AS d FROM range(60000) t(i)"

  /// Where the values of the first column of the first batch lie.
  private func address(_ fixture: Fixture, _ sql: String) throws -> (pointer: UnsafeRawPointer?, rowCount: Int) {
    var stream = ArrowArrayStream()
    try fixture.engine.run(sql, into: &stream)
    let reader = try StreamReader(moving: &stream)
    var (first, count): (UnsafeRawPointer?, Int) = (nil, 0)
    while let batch = try reader.next() {
      if count == 0 { first = batch.column(0).pointee.buffers[1] }
      count += batch.rowCount
    }
    return (first, count)
  }

  private func own(_ entry: Entry) throws -> UnsafeRawPointer? {
    var array = ArrowArray()
    guard try entry.reader().next(into: &array) else { return nil }
    let batch = try RecordBatch(importing: &array, schema: entry.schema)
    return batch.column(0).pointee.buffers[1]
  }

  @Test(arguments: engineNames)
  func theBuffersAreTheEntrysOwn(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let entry = try fixture.put("t", Self.rows)
    let kept = try own(entry)
    #expect(kept != nil)
    for sql in ["SELECT * FROM _cache_t", " select\t*\nfrom \"_cache_t\" ; ", "FROM _cache_T;", "SELECT*FROM _CACHE_t"] {
      let got = try address(fixture, sql)
      #expect(got.pointer == kept && got.rowCount == 60000, "\(sql)")
    }
    let others = [
      "SELECT * FROM _cache_t LIMIT 60000", "SELECT * FROM _cache_t -- all", "SELECT *, 1 AS e FROM (FROM _cache_t)", "SELECT 1; SELECT * FROM _cache_t", "SELECT * FROM main._cache_t", "SELECT * FROM (FROM _cache_t)",
    ]
    for sql in others {
      guard let got = try? address(fixture, sql) else { continue }
      #expect(got.pointer != kept && got.rowCount == 60000, "\(sql)")
    }
  }

  @Test(arguments: engineNames)
  func whatStandsBeforeTheEntryIsRead(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", Self.rows)
    let cases = [
      ("CREATE TABLE _cache_t AS SELECT 5 AS x", "DROP TABLE _cache_t"), ("CREATE VIEW _Cache_T AS SELECT 5 AS x", "DROP VIEW _cache_t"),
      ("CREATE TEMP VIEW _cache_t AS SELECT 5 AS x", "DROP VIEW _cache_t"),
    ]
    for (create, drop) in cases {
      try fixture.run(create)
      #expect(try address(fixture, "SELECT * FROM _cache_t").rowCount == 1, "\(create)")
      try fixture.run(drop)
      #expect(try address(fixture, "SELECT * FROM _cache_t").rowCount == 60000)
    }
    // A view of the same name in another schema, over the entry itself.
    try fixture.run("CREATE SCHEMA s")
    try fixture.run("CREATE VIEW s._cache_t AS SELECT * FROM memory.main._cache_t WHERE a < 10")
    try fixture.run("SET search_path = 's'")
    for _ in 0..<2 {
      #expect(try address(fixture, "SELECT * FROM _cache_t").rowCount == 10)
      #expect(try address(fixture, "SELECT * FROM memory.main._cache_t").rowCount == 60000)
      #expect(try fixture.rows("SELECT a FROM _cache_t WHERE a > 8") == [["9"]])
      for (sql, row) in [("SELECT count(*) AS n FROM _cache_t", "10"), ("SELECT a FROM _cache_t ORDER BY a DESC LIMIT 1", "9")] {
        var stream = ArrowArrayStream()
        try fixture.engine.run(sql, into: &stream)
        let batch = try #require(try StreamReader(moving: &stream).next())
        #expect(batch.rowCount == 1 && batch.column(0).pointee.buffers[1]?.loadUnaligned(as: Int64.self) == Int64(row), "\(sql)")
      }
    }
  }

  @Test(arguments: engineNames)
  func typesAreThoseOfDuckDB(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let types = ["DECIMAL(9, 2)", "HUGEINT", "UUID", "INTERVAL", "TIME", "TIMESTAMP_S", "TIMESTAMPTZ", "BLOB", "VARCHAR", "BOOLEAN", "INTEGER[]", "UTINYINT"]
    for type in types {
      try fixture.put("t", "SELECT CASE WHEN i % 7 > 0 THEN NULL END::\(type) AS x, i FROM range(60000) t(i)")
      func schema(_ sql: String) throws -> Schema {
        var stream = ArrowArrayStream()
        try fixture.engine.run(sql, into: &stream)
        return try StreamReader(moving: &stream).schema
      }
      let (whole, filtered) = (try schema("SELECT * FROM _cache_t"), try schema("SELECT * FROM _cache_t WHERE i < 100"))
      #expect(whole == filtered, "\(type)")
    }
  }

  @Test func otherSQLIsLeftAlone() {
    for sql in ["SELECT * FROM x", "SELECT * FROM \"_cache_t", "SELECT * FROM _cache_", "SELECT a FROM _cache_t", "SELECT * FROM _cache_t, _cache_t", "", "SELECT", "FROM", "SELECT * FROM 1_cache_t"] {
      #expect(WholeTable.name(in: sql, .none) == nil, "\(sql)")
    }
    #expect(WholeTable.name(in: "SELECT * FROM \"_cache_a \"\"b\"\" é\"", .none) == "_cache_a \"b\" é")
    #expect(WholeTable.name(in: "SELECT * FROM _cache_t", .positional([.int(1)])) == nil)
  }

  @Test func theNearestKey() {
    #expect(NearestKey.to("flight", among: ["weather", "Flights", "fly"]) == "Flights")
    #expect(NearestKey.to("zzz", among: ["weather", "flights"]) == nil)
    #expect(NearestKey.to("a", among: []) == nil)
    #expect(NearestKey.to(String(repeating: "x", count: 1000), among: [String(repeating: "x", count: 1000)]) == nil)
    #expect(TableName.written("a_1") == "_cache_a_1" && TableName.written("a \"b") == "\"_cache_a \"\"b\"")
  }
}
