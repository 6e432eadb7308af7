import ArrowData
import CArrow
import CacheStore
import Glibc
import Primitives
import Testing

@testable import QueryEngine

/// Time limits, interrupts and progress.
@Suite struct WatchTests {
  private static let endless = "SELECT count(*) FROM range(1000000) a(i), range(1000000) b(j) WHERE (i * j) % 7 = 3"

  private func run(_ fixture: Fixture, _ sql: String, _ cancellation: Cancellation, streaming: Bool = false) throws(CacheError) {
    var stream = ArrowArrayStream()
    try fixture.engine.run(sql, cancellation: cancellation, streaming: streaming, into: &stream)
    stream.release?(&stream)
  }

  @Test(arguments: engineNames)
  func aQueryEndsAtItsTimeLimit(engineName: String) throws {
    let fixture = try Fixture(engineName)
    for limit in [0.000001, 0.05, 0.2] {
      let cancellation = Cancellation(timeLimitSeconds: limit)
      let start = SteadyClock.seconds()
      let error = #expect(throws: CacheError.self) { try run(fixture, Self.endless, cancellation) }
      #expect(error?.code == .timeout && error?.message.contains("time limit of \(limit) s") == true)
      #expect(SteadyClock.seconds() - start >= limit && cancellation.hasTimedOut)
      #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
    }
    // One that has ended in time, and a limit beyond all numbers of milliseconds.
    for limit in [60, 1e300] { try run(fixture, "SELECT 1", Cancellation(timeLimitSeconds: limit)) }
  }

  @Test(arguments: engineNames)
  func streamsCountTheTimeOfProducingAlone(engineName: String) throws {
    let fixture = try Fixture(engineName)
    var stream = ArrowArrayStream()
    let cancellation = Cancellation(timeLimitSeconds: 1)
    try fixture.engine.run("SELECT i FROM range(300000) t(i)", cancellation: cancellation, streaming: true, into: &stream)
    let reader = try StreamReader(moving: &stream)
    var rows = try reader.next()?.rowCount ?? 0
    usleep(1_200_000)
    while let batch = try reader.next() { rows += batch.rowCount }
    #expect(rows == 300_000 && !cancellation.isCancelled)
  }

  @Test(arguments: engineNames)
  func stopFromAnotherThread(engineName: String) throws {
    let fixture = try Fixture(engineName)
    let cancellation = Cancellation()
    try fixture.engine.stop(cancellation)
    #expect(throws: CacheError.self) { try run(fixture, "SELECT 1", cancellation) }
    let second = Cancellation()
    let engine = fixture.engine
    let stopper = try #require(EngineThread {
      usleep(50_000)
      try? engine.stop(second)
    })
    defer { stopper.join() }
    let error = #expect(throws: CacheError.self) { try run(fixture, Self.endless, second) }
    #expect(error?.code == .interrupted && !second.hasTimedOut)
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  @Test(arguments: engineNames)
  func manyLimitsAtOnce(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT i FROM range(1000) t(i)")
    let failures = Locked<[String]>([])
    try parallel(count: 60, threads: 12) { (_, index) throws(CacheError) in
      let cancellation = Cancellation(timeLimitSeconds: 0.005 * Double(1 + index % 5))
      do throws(CacheError) {
        try run(fixture, Self.endless, cancellation)
        failures.withLock { $0.append("\(index) ended") }
      } catch {
        if error.code != .timeout { failures.withLock { $0.append("\(index): \(error)") } }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(try fixture.rows("SELECT count(*) AS n FROM _cache_t") == [["1000"]])
  }

  @Test(arguments: engineNames)
  func progressGoesUp(engineName: String) throws {
    let fixture = try Fixture(engineName)
    try fixture.put("t", "SELECT i AS x, sin(i) AS y FROM range(600000) t(i)")
    let cancellation = Cancellation(timeLimitSeconds: 60, tracksProgress: true)
    #expect(cancellation.fraction == 0)
    let isOver = Locked(false)
    let seen = Locked<[Double]>([])
    let watcher = try #require(EngineThread {
      while !isOver.withLock({ $0 }) {
        seen.withLock { $0.append(cancellation.fraction) }
        usleep(2000)
      }
    })
    let terms = (1...200).map { "sin(y * \($0))" }.joined(separator: " + ")
    try run(fixture, "SELECT sum(\(terms)) AS s FROM _cache_t", cancellation)
    isOver.withLock { $0 = true }
    watcher.join()
    let fractions = seen.withLock { $0 }
    #expect(fractions == fractions.sorted() && fractions.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(fractions.contains { $0 > 0.02 && $0 < 1 }, "\(fractions.last ?? -1)")
  }
}
