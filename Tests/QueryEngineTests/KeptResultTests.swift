import ArrowData
import CArrow
import CacheStore
import Primitives
import Testing

@testable import QueryEngine

@Suite struct KeptResultTests {
  /// Asks often enough for a result to be kept where it can be.
  private func ask(_ fixture: Fixture, _ sql: String, _ parameters: QueryParameters = .none) throws -> KeptResult? {
    for _ in 0..<2 { try fixture.run(sql, parameters) }
    return fixture.engine.keptResult(sql, parameters: parameters)
  }

  @Test(arguments: engineNames)
  func functionsThatAreTakenForSteadyAreSaidToBe(engineName: String) throws {
    let fixture = try Fixture(engineName, keepsResults: true)
    let names = try FunctionNames.read(try fixture.engine.currentPool.database.connect())
    // Macros of DuckDB's own, in terms of the others, and functions of tables.
    let others: Set = [
      "array_to_string", "date_add", "generate_series", "geomean", "list_append", "list_avg", "list_count", "list_max", "list_min", "list_sum",
      "nullif", "range", "repeat", "split_part", "unnest", "wavg", "**",
      // By the session's time zone.
      "timezone",
    ]
    #expect(FunctionNames.common.subtracting(names.consistent).subtracting(others) == [])
    #expect(names.ofUsers == [])
    for name in ["random", "now", "nextval", "current_setting", "age", "getvariable", "uuid"] { #expect(!names.consistent.contains(name), "\(name)") }
    try fixture.run("CREATE MACRO own(x) AS x + 1")
    let session = try fixture.engine.currentPool.take()
    defer { fixture.engine.currentPool.give(back: session, isBroken: false) }
    #expect(try FunctionNames.read(session.connection).ofUsers == ["own"])
  }

  @Test(arguments: engineNames)
  func aResultIsTheSameMemoryForEverybody(engineName: String) throws {
    let fixture = try Fixture(engineName, keepsResults: true)
    try fixture.put("t", "SELECT i, i::VARCHAR AS s FROM range(1000) r(i)")
    let kept = try #require(try ask(fixture, "SELECT sum(i) AS n, max(s) AS m FROM _cache_t"))
    #expect(kept.tables.map(\.name) == ["t"])
    var addresses: Set<UInt> = []
    for _ in 0..<3 {
      var stream = ArrowArrayStream()
      try fixture.engine.run("SELECT sum(i) AS n, max(s) AS m FROM _cache_t", into: &stream)
      let batch = try #require(try StreamReader(moving: &stream).next())
      addresses.insert(UInt(bitPattern: batch.column(1).pointee.buffers[2]))
    }
    #expect(addresses.count == 1)
    #expect(fixture.engine.resultCounters?.hits ?? 0 >= 4)
    #expect(fixture.store.status().resultBytes == 0, "what is kept counts as kept")
    #expect(fixture.store.status().memoBytes == kept.byteCount)
  }

  @Test(arguments: engineNames)
  func aResultThatIsHeldAndNotKeptCountsAsHeld(engineName: String) throws {
    let fixture = try Fixture(engineName, keepsResults: true)
    try fixture.put("t", "SELECT i FROM range(1000) r(i)")
    var stream = ArrowArrayStream()
    let kept = try #require(try ask(fixture, "SELECT i FROM _cache_t")).byteCount
    try fixture.engine.run("SELECT i FROM _cache_t", into: &stream)
    #expect(fixture.store.status().memoBytes == kept)
    fixture.engine.close()
    #expect(fixture.store.status().memoBytes == 0)
    #expect(fixture.store.status().resultBytes == kept)
    #expect(kept >= 8000)
    stream.release?(&stream)
    #expect(fixture.store.status().resultBytes == 0)
  }

  @Test(arguments: engineNames)
  func aVersionThatIsGoneAnswersNothing(engineName: String) throws {
    let fixture = try Fixture(engineName, keepsResults: true)
    try fixture.put("t", "SELECT 1 AS a")
    let sql = "SELECT a FROM _cache_t"
    #expect(try ask(fixture, sql) != nil)
    try fixture.put("t", "SELECT 2 AS a")
    #expect(fixture.engine.keptResult(sql, parameters: .none) == nil)
    #expect(fixture.store.status().memoBytes == 0)
    #expect(try fixture.rows(sql) == [["2"]])
    #expect(fixture.store.remove("t"))
    #expect(throws: CacheError.self) { try fixture.run(sql) }
  }

  @Test(arguments: engineNames)
  func resultsStayWithinTheirShare(engineName: String) throws {
    var options = StoreOptions()
    options.memoryLimitBytes = 16 << 20
    let fixture = try Fixture(engineName, storeOptions: options, keepsResults: true)
    try fixture.put("t", "SELECT i FROM range(100_000) r(i)")
    for number in 0..<8 {
      _ = try ask(fixture, "SELECT i + \(number) AS i FROM _cache_t")
      #expect(fixture.engine.resultCounters?.byteCount ?? 0 <= 2 << 20)
    }
    #expect(fixture.engine.resultCounters?.count == 2)
    // More than a sixteenth of the limit.
    #expect(try ask(fixture, "SELECT i, i + 1 AS j FROM _cache_t") == nil)
  }

  @Test func statementsThatSayMoreThanTheyRead() throws {
    for sql in ["SET x = 1", "CREATE TABLE t AS SELECT 1", "PRAGMA x", "BEGIN", "EXECUTE p"] {
      #expect(StatementEffect.mayChangeMeaning(sql, kind: .other) { true }, "\(sql)")
    }
    let select = "SELECT 1 ;\n "
    #expect(!StatementEffect.mayChangeMeaning(select, kind: .select) { false })
    #expect(StatementEffect.mayChangeMeaning("SET x = 1; SELECT 1", kind: .select) { false })
    #expect(!StatementEffect.mayChangeMeaning("SELECT ';' AS x", kind: .select) { true })
    #expect(StatementEffect.mayChangeMeaning("SELECT * FROM sqlite_attach('f')", kind: .select) { true })
    #expect(!StatementEffect.mayChangeMeaning("INSERT INTO t VALUES (1)", kind: .modification) { true })
    #expect(!StatementEffect.mayChangeMeaning("EXPLAIN SELECT 1", kind: .explanation) { true })
    #expect(StatementEffect.mayChangeMeaning("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", kind: .explanation) { true })
    #expect(StatementEffect.mayChangeMeaning("SELECT 1; FROM nowhere", kind: nil) { false })
  }
}

@Suite struct KeptPlanTests {
  private func fixture(_ engineName: String, plans: Bool = true) throws -> Fixture {
    var options = QueryOptions()
    options.keepsPlans = plans
    return try Fixture(engineName, queryOptions: options)
  }

  /// DuckDB 2 plans what was prepared through its stable API again for each run.
  private func plansAnew(_ fixture: Fixture) -> Bool { fixture.engine.engineName == "v1" && fixture.engine.duckdbVersion.hasPrefix("v2") }

  private func sum(_ fixture: Fixture, _ sql: String) throws -> [[String?]] {
    var stream = ArrowArrayStream()
    try fixture.engine.run(sql, into: &stream)
    return try readText(&stream)
  }

  @Test(arguments: engineNames)
  func aPlanGivesWhatAStatementGives(engineName: String) throws {
    let fixture = try fixture(engineName)
    try fixture.put("t", "SELECT i, 'word ' || i AS s FROM range(100_000) r(i)")
    let sql = "SELECT count(*)::VARCHAR AS n, max(s) AS m FROM _cache_t WHERE i >= 99_990"
    for _ in 0..<5 { #expect(try sum(fixture, sql) == [["10", "word 99999"]]) }
    #expect(fixture.engine.planHits == (plansAnew(fixture) ? 0 : 3))
    try fixture.put("t", "SELECT 99_995 AS i, 'one' AS s")
    for _ in 0..<4 { #expect(try sum(fixture, sql) == [["1", "one"]]) }
    try fixture.run("CREATE TABLE _cache_t AS SELECT 99_999 AS i, 'own' AS s")
    for _ in 0..<4 { #expect(try sum(fixture, sql) == [["1", "own"]]) }
    try fixture.run("DROP TABLE _cache_t")
    for _ in 0..<4 { #expect(try sum(fixture, sql) == [["1", "one"]]) }
    #expect(fixture.store.remove("t"))
    for _ in 0..<3 { #expect(throws: CacheError.self) { try fixture.run(sql) } }
  }

  @Test(arguments: engineNames)
  func aPlanKeepsNoEntryAlive(engineName: String) throws {
    let fixture = try fixture(engineName)
    weak var entry: Entry?
    do { entry = try fixture.put("t", "SELECT i, 'word ' || i AS s FROM range(10_000) r(i)") }
    let sql = "SELECT max(s) AS m, (SELECT min(s) FROM _cache_t) AS l FROM _cache_t"
    for _ in 0..<4 { #expect(try sum(fixture, sql) == [["word 9999", "word 0"]]) }
    #expect(fixture.engine.planHits > 0 || plansAnew(fixture))
    #expect(entry != nil)
    #expect(fixture.store.remove("t"))
    #expect(entry == nil)
    #expect(fixture.store.status().leasedBytes == 0)
  }

  @Test(arguments: engineNames)
  func offByOption(engineName: String) throws {
    let fixture = try fixture(engineName, plans: false)
    try fixture.put("t", "SELECT 'a' AS s")
    for _ in 0..<4 { #expect(try sum(fixture, "SELECT s FROM _cache_t") == [["a"]]) }
    #expect(fixture.engine.planHits == 0)
  }

  private final class NoStatement: PreparedStatement {
    func execute() throws(CacheError) -> any QueryResult { throw CacheError(.query, "no statement") }
  }

  @Test func aPlanThatIsNotFasterGoes() throws {
    let store = try Fixture(engineNames[0]).store
    func plan(plannedSeconds: Double?) -> KeptPlan {
      KeptPlan(NoStatement(), QuerySnapshot(store: store), tables: [], generation: 1, state: 0, plannedSeconds: plannedSeconds)
    }
    let slower = plan(plannedSeconds: 0.003)
    #expect(slower.pays(0.0035))
    #expect(!slower.pays(0.0031))
    #expect(!plan(plannedSeconds: 0.003).pays(0.004))
    let faster = plan(plannedSeconds: 0.003)
    for seconds in [0.0035, 0.002, 0.004] { #expect(faster.pays(seconds)) }
    let small = plan(plannedSeconds: nil)
    for _ in 0..<3 { #expect(small.pays(1)) }
  }

  /// As DuckDB runs what is prepared, one thread would make these rows.
  @Test(.enabled(if: engineNames.contains("v2"))) func aStatementOfManyRowsIsPlannedAnew() throws {
    let fixture = try fixture("v2")
    try fixture.put("t", "SELECT i, 'word ' || i AS s FROM range(2_000_000) r(i)")
    for _ in 0..<5 { try fixture.run("SELECT i + 1 AS j, s || 'x' AS t FROM _cache_t") }
    #expect(fixture.engine.planHits <= 2)
  }
}
