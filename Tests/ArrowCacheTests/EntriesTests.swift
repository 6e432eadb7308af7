import ArrowCache
import CArrow
import Testing

@Suite struct EntriesTests {
  let cache = try! ArrowCache()

  @Test func rowsComeBack() throws {
    try cache.put("k", query: "SELECT range AS n, range * 2 AS m FROM range(1000)")
    var stream = ArrowArrayStream()
    #expect(try cache.get("k", into: &stream))
    #expect(columnNames(&stream) == ["n", "m"])
    #expect(try integers(&stream) == Array(0..<1000))
  }

  @Test(arguments: [0, 1, 999, 1000, 1001, Int.max], [nil, 0, 1, 1000, Int.max])
  func rowRangesAndColumns(offset: Int, limit: Int?) throws {
    try cache.put("k", query: "SELECT range AS n, range * 2 AS m FROM range(1000)")
    var stream = ArrowArrayStream()
    #expect(try cache.get("k", offset: offset, limit: limit, columns: [1], into: &stream))
    #expect(columnNames(&stream) == ["m"])
    let start = min(offset, 1000)
    #expect(try integers(&stream) == (start..<min(1000, start + min(limit ?? 1000, 1000))).map { Int64($0 * 2) })
  }

  @Test func keyThatIsNotThere() throws {
    var stream = ArrowArrayStream()
    #expect(try !cache.get("k", into: &stream))
    #expect(stream.release == nil)
    #expect(try cache.lookup("k") == nil)
    #expect(try cache.peek("k") == nil)
    #expect(try !cache.contains("k"))
    #expect(try !cache.remove("k"))
    #expect(try !cache.updateTTL("k", ttl: 1))
    #expect(try !cache.pin("k"))
    #expect(try cache.status().store.misses == 2)
  }

  @Test func rangeOrColumnThatCannotBe() throws {
    let entry = try cache.put("k", query: "SELECT 1::BIGINT AS n")
    var stream = ArrowArrayStream()
    #expect(errorCode { try entry.export(offset: -1, into: &stream) } == .argument)
    #expect(errorCode { try entry.export(limit: -1, into: &stream) } == .argument)
    #expect(errorCode { try entry.export(columns: [0, 1], into: &stream) } == .argument)
    #expect(errorCode { try entry.export(columns: [-1], into: &stream) } == .argument)
    #expect(stream.release == nil)
  }

  @Test(arguments: [Double.nan, .infinity, -1])
  func timeToLiveThatCannotBe(ttl: Double) throws {
    var options = PutOptions()
    options.ttl = ttl
    #expect(errorCode { try cache.put("k", query: "SELECT 1", options: options) } == .argument)
    try cache.put("k", query: "SELECT 1")
    #expect(errorCode { try cache.updateTTL("k", ttl: ttl) } == .argument)
  }

  @Test func streamIsMovedAndReleasedOnce() throws {
    let good = Producer(batchCount: 3)
    var stream = good.stream()
    let entry = try cache.put("k", stream: &stream)
    #expect(stream.release == nil)
    #expect(good.released == 1)
    #expect((entry.rowCount, entry.segments.count) == (3, 3))

    let late = Producer(batchCount: 1)
    stream = late.stream()
    #expect(errorCode { try cache.put("", stream: &stream) } == .argument)
    #expect(stream.release == nil)
    #expect(late.released == 1)

    #expect(errorCode { try cache.put("k", stream: &stream) } == .stream)
  }

  @Test func columnToCopyThatIsNotThere() throws {
    let producer = Producer(batchCount: 1)
    var stream = producer.stream()
    var options = PutOptions()
    options.copy = .columns([0, 1])
    #expect(errorCode { try cache.put("k", stream: &stream, options: options) } == .argument)
    #expect(producer.released == 1)
    #expect(producer.asked == 0)
  }

  @Test func checkpointEndsAPut() throws {
    try cache.put("k", query: "SELECT 5::BIGINT AS n")
    let producer = Producer(batchCount: .max)
    var stream = producer.stream()
    let stop = CacheError(.interrupted, "that was enough")
    do {
      try cache.put("k", stream: &stream) { () throws(CacheError) in if producer.asked == 10 { throw stop } }
      Issue.record("the put ended by itself")
    } catch {
      #expect(error.code == .interrupted)
      #expect(error.message == stop.message)
    }
    #expect((producer.asked, producer.released) == (10, 1))
    #expect(try cache.integers("SELECT n FROM _cache_k") == [5])
  }

  @Test func producerThatFails() throws {
    try cache.put("k", query: "SELECT 5::BIGINT AS n")
    let producer = Producer(batchCount: .max)
    producer.beforeBatch = { $0 == 2 ? 5 : 0 }
    var stream = producer.stream()
    #expect(errorCode { try cache.put("k", stream: &stream) } == .stream)
    #expect((producer.asked, producer.released) == (2, 1))
    #expect(try cache.integers("SELECT n FROM _cache_k") == [5])
  }

  @Test func limitThatIsReached() throws {
    var options = CacheOptions()
    (options.store.memoryLimitBytes, options.store.spillsToDisk) = (100_000, false)
    let small = try ArrowCache(options: options)
    try small.put("a", query: "SELECT range AS n FROM range(10000)")
    #expect(errorCode { try small.put("b", query: "SELECT range AS n FROM range(100000)") } == .memoryLimit)
    #expect(try small.keys() == ["a"])
    #expect(try small.pin("a"))
    #expect(errorCode { try small.put("b", query: "SELECT range AS n FROM range(10000)") } == .memoryLimit)
    try small.unpin("a")
    try small.put("b", query: "SELECT range AS n FROM range(10000)")
    #expect(try small.keys() == ["b"])
  }

  @Test func clearAndKeys() throws {
    for key in ["b", "a", "c"] { try cache.put(key, query: "SELECT 1") }
    #expect(try cache.keys() == ["b", "a", "c"])
    #expect(try cache.clear() == 3)
    #expect(try cache.keys().isEmpty)
  }

  @Test func optionsThatCannotBe() {
    var options = CacheOptions()
    options.store.evictionPolicy = "random"
    #expect(errorCode { try ArrowCache(options: options) } == .configuration)
    options = CacheOptions()
    options.duckdbExtensions = ["no_such_extension"]
    #expect(errorCode { try ArrowCache(options: options) } != nil)
  }
}
