import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

@Suite struct PutTests {
  @Test func whatWasPutIsThere() throws {
    let fixture = try Fixture()
    let entry = try fixture.put("a", [[1, nil], [], [3]])
    #expect(entry === fixture.store.peek("a"))
    #expect((entry.key, entry.kind, entry.userMetadata) == ("a", "test", "{}"))
    #expect(entry.rowCount == 3)
    #expect(entry.segments.map(\.rowCount) == [2, 1])
    #expect(try entry.numbers() == [1, nil, 3])
    #expect(entry.sizeBytes == 1 + 16 + 8)
    #expect(entry.createdAt == fixture.clock.now())
    #expect(entry.buildSeconds == nil)
    fixture.audit()
    fixture.store.close()
    #expect(try entry.numbers() == [1, nil, 3])
  }

  @Test func nothingIsCopiedUnlessAsked() throws {
    let fixture = try Fixture()
    let entry = try fixture.put("a", [[1, 2]])
    #expect(fixture.counter.live == 1)
    var array = ArrowArray()
    #expect(try entry.reader().next(into: &array))
    #expect(try array.children[0]?.pointee.buffers[1] == entry.batches()[0].column(0).pointee.buffers[1])
    array.release(&array)
    try fixture.put("a", [[1, 2]], copyAll: true)
    withExtendedLifetime(entry) { #expect(fixture.counter.live == 1) }
  }

  @Test func anotherPutSwapsTheVersionAndReadersKeepTheirs() throws {
    let fixture = try Fixture()
    let old = try fixture.put("a", [[1]])
    let new = try fixture.put("a", [[2, 3]])
    #expect(new.version > old.version)
    #expect(try old.numbers() == [1])
    #expect(try fixture.store.peek("a")?.numbers() == [2, 3])
    #expect(fixture.store.status().entryCount == 1)
    #expect(fixture.store.status().currentSizeBytes == 16)
    fixture.audit()
  }

  @Test func withoutOverwriteTheStreamIsNotEvenRead() throws {
    let fixture = try Fixture()
    try fixture.put("a", [[1]])
    let read = Locked(0)
    var spec = try fixture.numbers([[2]])
    spec.onNext = { _ in read.withLock { $0 += 1 } }
    let error = #expect(throws: CacheError.self) { try fixture.put("a", spec, overwrite: false) }
    #expect(error?.code == .keyExists)
    #expect(error?.message.contains("'a'") ?? false)
    #expect(read.withLock { $0 } == 0)
    #expect(try fixture.store.peek("a")?.numbers() == [1])
    try fixture.put("b", spec, overwrite: false)
    #expect(read.withLock { $0 } == 1)
    fixture.store.close()
    #expect(fixture.counter.live == 0)
  }

  @Test func aKeyThatComesWhileTheStreamIsReadCounts() throws {
    let fixture = try Fixture()
    var spec = try fixture.numbers([[2]])
    spec.onNext = { _ in _ = try? fixture.put("a", [[7]]) }
    let error = #expect(throws: CacheError.self) { try fixture.put("a", spec, overwrite: false) }
    #expect(error?.code == .keyExists)
    #expect(try fixture.store.peek("a")?.numbers() == [7])
    let later = try fixture.put("a", spec)
    #expect(try fixture.store.peek("a")?.numbers() == [2])
    #expect(later.version == fixture.store.peek("a")?.version)
    fixture.audit()
  }

  @Test(arguments: [0, 1, 2], [false, true]) func aStreamThatFailsLeavesTheOldEntry(batch: Int, copyAll: Bool) throws {
    let fixture = try Fixture()
    try fixture.put("a", [[1]], ttl: 50)
    var spec = try fixture.numbers([[5], [6], [7]])
    spec.failure = (batch, "the network went away")
    let error = #expect(throws: CacheError.self) { try fixture.put("a", spec, copyAll: copyAll) }
    #expect(error?.code == .stream)
    #expect(error?.cause == "the network went away")
    #expect(try fixture.store.peek("a")?.numbers() == [1])
    #expect(fixture.store.peek("a")?.access.expiresAt == fixture.clock.now() + 50)
    #expect(fixture.counter.live == 1)
    fixture.audit()
  }

  @Test(arguments: [0, -1, -0.0, .nan, .infinity, -.infinity] as [Double]) func timesToLiveThatCannotBeAreRefused(ttl: Double) throws {
    let fixture = try Fixture()
    let error = #expect(throws: CacheError.self) { try fixture.put("a", ttl: ttl) }
    #expect(error?.code == .argument)
    #expect(error?.message.contains("\(ttl)") ?? false)
    #expect(fixture.store.keys() == [])
    #expect(fixture.counter.live == 0)
    try fixture.put("a")
    #expect(throws: CacheError.self) { try fixture.store.updateTTL("a", ttl: ttl) }
    #expect(fixture.store.peek("a")?.access.expiresAt == nil)
  }

  @Test func anyTextButTheEmptyOneIsAKey() throws {
    let fixture = try Fixture()
    let error = #expect(throws: CacheError.self) { try fixture.put("") }
    #expect(error?.code == .argument)
    // The last two are canonically equivalent, and two keys all the same.
    let keys = [" ", "a.b", "\"", "'; drop", "1", "日本", "\0", "a\0b", "a", "A", "caf\u{e9}", "cafe\u{301}"]
    for key in keys { try fixture.put(key) }
    #expect(fixture.store.keys().map { Array($0.utf8) } == keys.map { Array($0.utf8) })
    for key in keys { #expect(fixture.store.lookup(key).map { Array($0.key.utf8) } == Array(key.utf8)) }
    for key in keys { #expect(fixture.store.remove(key)) }
    #expect(!fixture.store.remove("a"))
    #expect(fixture.store.keys() == [])
    #expect(fixture.counter.live == 0)
  }

  @Test func keysStayInTheOrderOfTheirFirstPut() throws {
    let fixture = try Fixture()
    for key in ["c", "a", "b", "c"] { try fixture.put(key) }
    #expect(fixture.store.keys() == ["c", "a", "b"])
    _ = fixture.store.remove("c")
    try fixture.put("c")
    #expect(fixture.store.keys() == ["a", "b", "c"])
    #expect(fixture.store.clear() == 3)
    #expect(fixture.store.clear() == 0)
    #expect(fixture.counter.live == 0)
    fixture.audit()
  }

  @Test func aClosedStoreFindsNothingAndTakesNothing() throws {
    let fixture = try Fixture()
    let entry = try fixture.put("a")
    fixture.store.close()
    fixture.store.close()
    #expect(fixture.store.lookup("a") == nil)
    #expect(fixture.store.keys() == [])
    #expect(fixture.store.status().currentSizeBytes == 0)
    let error = #expect(throws: CacheError.self) { try fixture.put("b") }
    #expect(error?.code == .closed)
    #expect(try entry.numbers() == [1, 2, 3])
    #expect(fixture.counter.live == 1)
  }

  @Test func closingWhileAStreamIsReadRefusesThePut() throws {
    let fixture = try Fixture()
    var spec = try fixture.numbers([[2]])
    spec.onNext = { _ in fixture.store.close() }
    let error = #expect(throws: CacheError.self) { try fixture.put("a", spec) }
    #expect(error?.code == .closed)
    #expect(fixture.counter.live == 0)
  }

  @Test func optionsThatCannotBeAreRefused() {
    let changes: [(inout StoreOptions) -> Void] = [
      { $0.partitionSizeRows = 0 }, { $0.partitionSizeBytes = -1 }, { $0.memoryLimitBytes = -1 }, { $0.evictionPolicy = "LRU" },
    ]
    for change in changes {
      let error = #expect(throws: CacheError.self) { try Fixture(change) }
      #expect(error?.code == .configuration)
    }
  }
}
