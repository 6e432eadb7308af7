import CArrow
import CacheStore
import Glibc
import Primitives
import Testing

@testable import QueryEngine

/// A stream whose content does not matter.
struct ArrowArrayStreamBox {
  var value = ArrowArrayStream()
  mutating func release() { value.release?(&value) }
}

@Suite struct QueryTests {
  @Test(arguments: engineNames)
  func parametersOfEveryKind(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let values: [(QueryValue, String?)] = [
      (.null, nil), (.bool(true), "true"), (.int(-5), "-5"), (.int(.max), "9223372036854775807"),
      (.hugeInt(Int128(Int64.max) + 1), "9223372036854775808"), (.hugeInt(-Int128(Int64.max) - 2), "-9223372036854775809"),
      (.double(1.5), "1.5"), (.text("it's ü"), "it's ü"), (.text(""), ""), (.blob([1, 255]), "\\x01\\xFF"), (.date(0), "1970-01-01"),
      (.time(3_600_000_000), "01:00:00"), (.timestamp(1_000_000), "1970-01-01 00:00:01"), (.timestampNanos(1), "1970-01-01 00:00:00.000000001"),
      (.interval(months: 1, days: 2, micros: 3_000_000), "1 month 2 days 00:00:03"), (.decimal(12345, width: 10, scale: 2), "123.45"),
      (.uuid("00112233-4455-6677-8899-aabbccddeeff"), "00112233-4455-6677-8899-aabbccddeeff"),
      (.list([.int(1), .int(2)]), "[1, 2]"), (.list([.int(1), .double(2.5)]), "[1.0, 2.5]"), (.list([.text("a"), .null]), "[a, NULL]"),
      (.structure([("a", .int(1)), ("b", .text("x"))]), "{'a': 1, 'b': x}"),
      (.uint(.max), "18446744073709551615"), (.list([.null, .uint(.max)]), "[NULL, 18446744073709551615]"),
      (.list([.int(1), .uint(.max)]), "[1, 18446744073709551615]"), (.list([.uint(.max), .hugeInt(-1)]), "[18446744073709551615, -1]"),
    ]
    for (value, text) in values {
      #expect(try fixture.rows("SELECT ? AS v", .positional([value])) == [[text]], "\(value)")
      #expect(try fixture.rows("SELECT $v AS v", .named([("v", value)])) == [[text]], "\(value)")
    }
    #expect(try fixture.rows("SELECT $2 - $1 AS v", .positional([.int(1), .int(10)])) == [["9"]])
  }

  @Test(arguments: engineNames)
  func parametersThatDoNotFitSaySo(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let cases: [(String, QueryParameters, String)] = [
      ("SELECT ?", .none, "1 parameter"), ("SELECT ?", .positional([.int(1), .int(2)]), "has 1 parameter but 2 were given"),
      ("SELECT $a", .positional([.int(1)]), "pass a mapping"), ("SELECT ?", .named([("a", .int(1))]), "pass a sequence"),
      ("SELECT $a + $b", .named([("a", .int(1))]), "no value for $b"), ("SELECT $a", .named([("a", .int(1)), ("c", .int(1))]), "no $c"),
      ("SELECT 1", .positional([.int(1)]), "has 0 parameters but 1 was given"),
      ("SELECT $1; SELECT $2", .positional([.int(5), .int(6)]), "statement 1 of 2 has 1 parameter, and parameters go to the last statement of the text: run it"),
      ("SELECT 1; SELECT $a + $b; SELECT 3", .none, "statement 2 of 3 has the parameters $a, $b, and parameters go to the last"),
    ]
    for (sql, parameters, message) in cases {
      let error = #expect(throws: CacheError.self) { try fixture.run(sql, parameters) }
      #expect(error?.description.contains(message) == true, "\(sql): \(String(describing: error))")
    }
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  @Test(arguments: engineNames)
  func mistakesAreErrorsAndTheEngineGoesOn(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT 1 AS x")
    for sql in ["SELEC 1", "SELECT nope FROM _cache_t", "", " ;; ", "SELECT 1; SELECT * FROM missing", "SELECT CAST('a' AS INTEGER)", "SELECT 1\0"] {
      #expect(throws: CacheError.self, "\(sql)") { try fixture.run(sql) }
      #expect(try fixture.rows("SELECT x FROM _cache_t") == [["1"]])
    }
    #expect(throws: CacheError.self) { try fixture.engine.explain("SELECT 1; SELECT 2") }
  }

  @Test(arguments: engineNames)
  func sqlOfTheUserCannotHarmTheScan(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT 1 AS x")
    for sql in ["DROP FUNCTION arrow_cache_scan", "DROP MACRO TABLE arrow_cache_scan", "DROP TABLE _cache_t", "DETACH memory", "CREATE MACRO arrow_cache_scan(k) AS TABLE SELECT 'mine' AS x"] {
      try? fixture.run(sql)
    }
    #expect(try fixture.rows("SELECT x FROM _cache_t") == [["1"]])
    for sql in ["USE temp", "SET search_path = 'temp'", "BEGIN; SELECT * FROM missing", "SET threads = 1"] {
      try? fixture.run(sql)
      try? fixture.run("ROLLBACK")
      #expect(try fixture.rows("SELECT x FROM _cache_t") == [["1"]], "\(sql)")
    }
    #expect(fixture.store.contains("t"))
  }

  @Test(arguments: engineNames)
  func pivotFindsItsColumns(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT range % 3 AS g, range AS v FROM range(9)")
    var stream = ArrowArrayStream()
    try fixture.engine.run("PIVOT (SELECT 'g' || g AS g, v::VARCHAR AS v FROM _cache_t) ON g USING max(v)", into: &stream)
    #expect(try readText(&stream) == [["6", "7", "8"]])
  }

  @Test(arguments: engineNames)
  func transactionsEndWithTheirThread(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.run("CREATE TABLE w(a INTEGER)")
    Thread { try? fixture.run("BEGIN") }.join()
    for _ in 0..<20 { Thread { try? fixture.run("INSERT INTO w VALUES (1)") }.join() }
    #expect(try fixture.rows("SELECT count(*) FROM w") == [["20"]])
  }

  @Test(arguments: engineNames)
  func manyThreadsKeepWhatIsTheirs(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let (made, seen) = (Locked(0), Locked<[[[String?]]]>([]))
    let count = 40
    let threads = (0..<count).compactMap { number in
      EngineThread {
        try? fixture.run("CREATE TEMP TABLE mine AS SELECT \(number) AS x")
        made.signal { $0 += 1 }
        made.wait { $0 == count ? true : nil }
        let rows = (try? fixture.rows("SELECT x FROM mine")) ?? []
        seen.withLock { $0.append(rows) }
      }
    }
    for thread in threads { thread.join() }
    let found = seen.withLock { $0 }.compactMap { $0.first?.first ?? nil }.compactMap { Int($0) }.sorted()
    #expect(found == Array(0..<count))
    // Those of threads that are no more go.
    for _ in 0..<count { EngineThread { try? fixture.run("SET VARIABLE a = 1") }?.join() }
    #expect(fixture.engine.currentPool.idleCount <= 17)
  }

  @Test(arguments: engineNames)
  func statementsInOneTextRunInOrder(engineName: String) throws {
    let fixture = try Fixture(engineName)
    var stream = ArrowArrayStream()
    try fixture.engine.run("CREATE TABLE u(x INTEGER); INSERT INTO u VALUES (1), (2); SELECT CAST(sum(x) AS VARCHAR) FROM u", into: &stream)
    #expect(try readText(&stream) == [["3"]])
    try fixture.run("CREATE TEMP TABLE w AS SELECT 5 AS x")
    #expect(try fixture.rows("SELECT x FROM w") == [["5"]])
  }

  @Test(arguments: engineNames)
  func streamingHoldsItsVersionAndItsConnection(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT range AS i FROM range(500000)")
    var stream = ArrowArrayStream()
    try fixture.engine.run("SELECT CAST(i AS VARCHAR) FROM _cache_t", streaming: true, into: &stream)
    try fixture.put("t", "SELECT 0 AS i")
    #expect(try fixture.rows("SELECT count(*) FROM _cache_t") == [["1"]])
    fixture.engine.close()
    #expect(try readText(&stream).count == 500000)
    var other = ArrowArrayStream()
    let error = #expect(throws: CacheError.self) { try fixture.engine.run("SELECT 1", into: &other) }
    #expect(error?.code == .closed)
  }

  @Test(arguments: engineNames)
  func cancellationStopsARunningQuery(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let cancellation = Cancellation()
    let ended = Locked<Bool>(false)
    let thread = Thread {
      while ended.withLock({ !$0 }) {
        usleep(20_000)
        cancellation.cancel()
      }
    }
    var stream = ArrowArrayStream()
    let error = #expect(throws: CacheError.self) {
      try fixture.engine.run("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b", cancellation: cancellation, into: &stream)
    }
    ended.withLock { $0 = true }
    thread.join()
    #expect(error?.code == .interrupted)
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  @Test(arguments: engineNames)
  func threadsQueryWhileTheTableIsReplaced(engineName: String) throws {
    let fixture = try Fixture(engineName)
    func sql(_ version: Int) -> String { "SELECT \(version)::BIGINT AS version, range AS i FROM range(50000)" }
    try fixture.put("t", sql(0))
    let wrong = Locked<[String]>([])
    let threads = (0..<4).map { _ in
      Thread {
        for _ in 0..<30 {
          do {
            let rows = try fixture.rows("SELECT min(a.version) = max(b.version), count(*) FROM _cache_t a JOIN _cache_t b USING (i)")
            if rows != [["true", "50000"]] { wrong.withLock { $0.append("\(rows)") } }
          } catch { wrong.withLock { $0.append("\(error)") } }
        }
      }
    }
    for version in 1...60 { try fixture.put("t", sql(version)) }
    threads.forEach { $0.join() }
    #expect(wrong.withLock { $0 } == [])
  }

  /// The line that DuckDB shows is the user's own, with the mark where it belongs.
  @Test(arguments: engineNames, [true, false])
  func errorsOfExplainShowTheStatementAsWritten(engineName: String, analyze: Bool) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT 1 AS a")
    let error = #expect(throws: CacheError.self) { try fixture.engine.explain("SELECT a,\n b FROM _cache_t", analyze: analyze) }
    #expect(error?.message.hasSuffix("\n\nLINE 2:  b FROM _cache_t\n         ^") == true, "\(String(describing: error))")
    let first = #expect(throws: CacheError.self) { try fixture.engine.explain("SELECT b FROM _cache_t", analyze: analyze) }
    #expect(first?.message.hasSuffix("\n\nLINE 1: SELECT b FROM _cache_t\n               ^") == true, "\(String(describing: first))")
    #expect(DuckDBMessage.without("EXPLAIN ", "x\nLINE 1: EXPLAIN\n^") == "x\nLINE 1: EXPLAIN\n^")
    #expect(DuckDBMessage.without("EXPLAIN ", "LINE 1: EXPLAIN ") == "LINE 1: ")
    #expect(DuckDBMessage.without("EXPLAIN ", "LINE 1: EXPLAIN a\n    ^") == "LINE 1: a\n    ^")
  }
}

/// A thread that runs `body` and can be joined.
final class Thread {
  private var thread = pthread_t()
  private final class Body { let run: () -> Void; init(_ run: @escaping () -> Void) { self.run = run } }

  init(_ body: @escaping () -> Void) {
    pthread_create(&thread, nil, { Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run(); return nil }, Unmanaged.passRetained(Body(body)).toOpaque())
  }

  func join() { pthread_join(thread, nil) }
}
