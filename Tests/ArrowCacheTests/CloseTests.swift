import CArrow
import Glibc
import Testing

@testable import ArrowCache

@Suite struct CloseTests {
  @Test func nothingWorksAfterIt() throws {
    let cache = try ArrowCache()
    try cache.put("k", query: "SELECT 1")
    cache.close()
    cache.close()
    var stream = ArrowArrayStream()
    let producer = Producer(batchCount: 1)
    var source = producer.stream()
    let calls: [() throws -> Any?] = [
      { try cache.put("k", stream: &source) }, { try cache.get("k", into: &stream) }, { try cache.lookup("k") }, { try cache.peek("k") },
      { try cache.contains("k") }, { try cache.keys() }, { try cache.remove("k") }, { try cache.clear() },
      { try cache.updateTTL("k", ttl: 1) }, { try cache.pin("k") }, { try cache.unpin("k") }, { try cache.status() },
      { try cache.query("SELECT 1", into: &stream) }, { try cache.explain("SELECT 1") },
    ]
    for (index, call) in calls.enumerated() { #expect(errorCode(call) == .closed, "call \(index)") }
    #expect(producer.released == 1)
    #expect(stream.release == nil)
  }

  @Test func whatWasHandedOutStays() throws {
    var entry: Entry?
    var scan = ArrowArrayStream()
    var result = ArrowArrayStream()
    do {
      let cache = try ArrowCache()
      entry = try cache.put("k", query: "SELECT range AS n FROM range(1000)")
      _ = try cache.get("k", offset: 990, into: &scan)
      try cache.query("SELECT n FROM _cache_k ORDER BY n", into: &result)
    }
    #expect(try integers(&scan) == Array(990..<1000))
    #expect(try integers(&result) == Array(0..<1000))
    try entry?.export(limit: 2, into: &scan)
    #expect(try integers(&scan) == [0, 1])
  }

  @Test func interruptsQueriesAndWaits() throws {
    let cache = try ArrowCache()
    let queries = (0..<3).map { _ in
      Background { () -> CacheError.Code? in
        var stream = ArrowArrayStream()
        return errorCode { try cache.query(endlessQuery, into: &stream) }
      }
    }
    usleep(100_000)
    cache.close()
    for query in queries { #expect(query.join() == .some(.closed)) }
  }

  @Test func putThatIsUnderWay() throws {
    let cache = try ArrowCache()
    let producer = Producer(batchCount: 5)
    producer.beforeBatch = { if $0 == 2 { cache.close() }; return 0 }
    var stream = producer.stream()
    #expect(errorCode { try cache.put("k", stream: &stream) } == .closed)
    #expect(producer.released == 1)
  }

  @Test func fromInsideAQueryIsPutOff() {
    let lifetime = Lifetime()
    var order: [String] = []
    let outer = lifetime.begin(Cancellation())
    let inner = lifetime.begin(Cancellation())
    lifetime.close { order.append("torn down") }
    order.append("closed")
    #expect(lifetime.begin(Cancellation()) == nil)
    if let outer { lifetime.end(outer) }
    #expect(order == ["closed"])
    if let inner { lifetime.end(inner) }
    #expect(order == ["closed", "torn down"])
    lifetime.close { order.append("again") }
    #expect(order == ["closed", "torn down"])
  }
}
