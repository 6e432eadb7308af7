import ArrowCache
import CArrow
import Glibc
import Testing

@Suite struct QueryTests {
  let cache = try! ArrowCache()

  @Test func parametersAndEntries() throws {
    try cache.put("k", query: "SELECT range AS n FROM range(100)")
    #expect(try cache.integers("SELECT n FROM _cache_k WHERE n >= ? ORDER BY n", parameters: .positional([.int(97)])) == [97, 98, 99])
    #expect(try cache.integers("SELECT n FROM _cache_k WHERE n < $end", parameters: .named([("end", .int(2))])) == [0, 1])
  }

  @Test func planOfAStatement() throws {
    #expect(try cache.explain("SELECT 1").contains("1"))
    #expect(try cache.explain("SELECT 1", analyze: true).contains("Total Time"))
    #expect(errorCode { try cache.explain("SELECT 1; SELECT 2") } == .query)
  }

  @Test func cancelledBeforeItStarts() throws {
    let cancellation = Cancellation()
    cancellation.cancel()
    var stream = ArrowArrayStream()
    #expect(errorCode { try cache.query(endlessQuery, cancellation: cancellation, into: &stream) } == .interrupted)
    #expect(stream.release == nil)
    #expect(try cache.integers("SELECT 1::BIGINT") == [1])
  }

  @Test func cancelledWhileItRuns() throws {
    let cancellation = Cancellation()
    let cache = cache
    let query = Background { () -> CacheError.Code? in
      var stream = ArrowArrayStream()
      return errorCode { try cache.query(endlessQuery, cancellation: cancellation, into: &stream) }
    }
    usleep(100_000)
    cancellation.cancel()
    #expect(query.join() == .some(.interrupted))
    #expect(try cache.integers("SELECT 1::BIGINT") == [1])
  }

  @Test func resultThatStreams() throws {
    var stream = ArrowArrayStream()
    try cache.query("SELECT range AS n FROM range(500000)", streaming: true, into: &stream)
    #expect(try integers(&stream) == Array(0..<500_000))
    try cache.query("SELECT range AS n FROM range(500000)", streaming: true, into: &stream)
    stream.release(&stream)
    #expect(stream.release == nil)
  }

  @Test func queriesAreCounted() throws {
    _ = try cache.integers("SELECT 1::BIGINT")
    _ = try cache.explain("SELECT 1")
    _ = errorCode { try cache.integers("SELEC") }
    let status = try cache.status()
    #expect(status.queryCount == 3)
    #expect(status.duckdbVersion.hasPrefix(status.duckdbEngine == "v2" ? "v2." : "v1."))
    #expect(status.uptimeSeconds > 0)
  }
}
