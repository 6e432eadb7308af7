import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

/// Changes that come to the storage in the background. Without a thread, so that what is written when is the test's to say.
@Suite struct RelaxedTests {
  private func fixture(_ path: String, _ change: (inout StoreOptions) -> Void = { _ in }) throws(CacheError) -> Fixture {
    try Fixture {
      ($0.storagePath, $0.deletesFilesOnClose, $0.partitionSizeRows, $0.durability) = (path, false, 100, .relaxed)
      change(&$0)
    }
  }

  private func kill(_ fixture: Fixture) { fixture.store.storage?.abandon() }

  /// What a new store finds: of each key its rows, and when it expires.
  private func stored(_ path: String) throws -> [String: [Int64]] {
    let fixture = try Fixture { ($0.storagePath, $0.deletesFilesOnClose) = (path, false) }
    defer { fixture.store.storage?.abandon() }
    return try rows(fixture.store)
  }

  private func rows(_ store: Store) throws -> [String: [Int64]] {
    var found: [String: [Int64]] = [:]
    for key in store.keys() { found[key] = try #require(store.peek(key)).numbers().compactMap { $0 } }
    return found
  }

  private func pending(_ fixture: Fixture) -> Int { fixture.store.status().pendingCount }

  @Test func changesWaitUntilTheyAreFlushed() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    try first.put("a")
    try first.put("b", [[4]], ttl: 50)
    #expect(place.all == ["x", "x/storage.lock"])
    #expect(first.store.status().pendingBytes == 32)
    try first.store.flush()
    #expect(pending(first) == 0 && first.store.status().pendingBytes == 0)
    first.audit()
    try first.put("a", [[9]])
    #expect(try first.store.removeDurably("b"))
    #expect(try first.store.updateTTLDurably("a", ttl: 70))
    kill(first)
    #expect(try stored(place["x"]) == ["a": [1, 2, 3], "b": [4]])
    try first.store.flush()
    #expect(try stored(place["x"]) == ["a": [9]])
    first.audit()
  }

  /// Changes of one key that follow each other are one; others keep their places.
  @Test func onlyNeighboursAreMerged() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    for value in 0..<50 { try first.put("a", [[Int64(value)]]) }
    _ = try first.store.updateTTLDurably("a", ttl: 30)
    #expect(pending(first) == 1)
    try first.put("b")
    try first.put("a", [[100]])
    #expect(pending(first) == 3)
    _ = try first.store.removeDurably("a")
    #expect(pending(first) == 3)
    try first.store.flush()
    #expect(try rows(first.store) == ["b": [1, 2, 3]])
    first.audit()
    #expect(first.counter.live == 1, "of what was replaced nothing is kept")
  }

  /// Whatever call the process ends before: the storage is what the cache was after some of the changes, and none of the later ones.
  @Test func everyEndLeavesAPrefix() throws {
    let place = try SpillPlace()
    func work(_ fixture: Fixture, _ step: (Int) throws -> Void) throws {
      let changes: [() throws -> Void] = [
        { try fixture.put("a", [(0..<250).map { $0 }]) }, { try fixture.put("b") }, { try fixture.put("a", [(0..<260).map { $0 }]) },
        { _ = try fixture.store.removeDurably("b") }, { try fixture.put("c", [[1]]) }, { _ = try fixture.store.updateTTLDurably("c", ttl: 50) },
        { try fixture.put("b", [[7]]) }, { try fixture.put("c", [[2]]) }, { _ = try fixture.store.clearDurably() }, { try fixture.put("d") },
      ]
      for (index, change) in changes.enumerated() {
        try change()
        try step(index)
      }
    }
    var states: [[String: [Int64]]] = [[:]]
    let files = FaultyFiles()
    let counted = try fixture(place["count"]) { $0.files = files }
    try work(counted) { _ in states.append(try rows(counted.store)) }
    // `clear` is a change for each key.
    states += [states[8].filter { $0.key != "a" }, states[8].filter { $0.key == "b" || $0.key == "c" }, states[8].filter { $0.key == "b" }, states[8].filter { $0.key == "c" }]
    files.replaceFaults([])
    let before = files.total
    try counted.store.flush()
    let total = files.total - before
    #expect(total > 100)
    var seen: Set<Int> = []
    for call in 0..<total {
      // A disk that takes nothing from some call on is what a killed process leaves.
      let files = FaultyFiles()
      let fixture = try fixture(place["at\(call)"]) { $0.files = files }
      try work(fixture) { _ in }
      files.end(after: call, errorNumber: EIO)
      var isTold = false
      do { try fixture.store.flush() } catch { isTold = true }
      kill(fixture)
      let found = try stored(place["at\(call)"])
      let index = states.firstIndex(of: found)
      #expect(isTold || found == states[10], "what is no error is all there")
      #expect(index != nil, "after \(call) calls: \(found.mapValues(\.count))")
      seen.insert(index ?? -1)
      files.replaceFaults([])
      try fixture.store.flush()
      #expect(try stored(place["at\(call)"]) == states[10], "nothing was lost in memory")
      fixture.audit()
    }
    #expect(seen.count > 6)
  }

  @Test func aDiskThatTakesNothingIsTold() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let first = try fixture(place["x"]) { $0.files = files }
    try first.put("a")
    try first.store.flush()
    files.replaceFaults([.init(.write, .error(ENOSPC), isLasting: true)])
    try first.put("a", [[5]])
    try first.put("b")
    for _ in 0..<2 {
      let error = #expect(throws: CacheError.self) { try first.store.flush() }
      #expect(error?.systemError == ENOSPC && error?.message.contains("2 changes") == true && error?.message.contains(place["x"]) == true)
    }
    let status = first.store.status()
    #expect(status.pendingCount == 2 && status.persistFailures == 2 && status.lastPersistFailure?.contains("full") == true)
    #expect(first.store.events.filter { $0.kind == .persistFailed }.map(\.key) == ["a"], "once, as long as it is the same")
    #expect(try rows(first.store) == ["a": [5], "b": [1, 2, 3]])
    files.replaceFaults([])
    try first.store.flush()
    #expect(try rows(first.store) == ["a": [5], "b": [1, 2, 3]])
    kill(first)
    #expect(try stored(place["x"]) == ["a": [5], "b": [1, 2, 3]])
  }

  /// What cannot be written, and has been removed since, holds up nobody.
  @Test func whatIsRemovedNeedNotBeWritten() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let first = try fixture(place["x"]) { $0.files = files }
    try first.put("a")
    try first.store.flush()
    try first.put("a", bytes: 8000)
    try first.put("b")
    #expect(try first.store.removeDurably("a"))
    #expect(first.store.status().residentBytes == 8024)
    files.replaceFaults([.init(.write, .error(ENOSPC))])
    try first.store.flush()
    #expect(pending(first) == 0 && first.store.status().residentBytes == 24 && first.store.status().persistFailures == 1)
    #expect(first.counter.live == 1)
    first.audit()
    kill(first)
    #expect(try stored(place["x"]) == ["b": [1, 2, 3]])
  }

  /// The queue is bounded by count and by bytes: what is beyond is written first, or refused where nothing can be.
  @Test func whatWaitsIsBounded() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let first = try fixture(place["x"]) { ($0.memoryLimitBytes, $0.files) = (80_000, files) }
    for key in 0..<4 { try first.put("k\(key)", bytes: 8000) }
    #expect(first.store.status().pendingBytes <= 20_000)
    try first.store.flush()
    files.replaceFaults([.init(.write, .error(ENOSPC), isLasting: true)])
    try first.put("k4", bytes: 16_000)
    let error = #expect(throws: CacheError.self) { try first.put("k5", bytes: 16_000) }
    #expect(error?.systemError == ENOSPC && error?.message.contains("nothing is lost") == true)
    #expect(first.store.keys() == ["k0", "k1", "k2", "k3", "k4"])
    first.audit()
    files.replaceFaults([])
    for number in 0..<PendingChanges.maximumCount + 10 { try first.put(number % 2 == 0 ? "x" : "y", [[Int64(number)]]) }
    #expect(pending(first) <= PendingChanges.maximumCount)
    try first.store.flush()
    kill(first)
    #expect(try stored(place["x"])["y"] == [Int64(PendingChanges.maximumCount + 9)])
  }

  /// What is evicted before it is written is not written; what is replaced is, and counts against the limit until then.
  @Test func evictedAndReplacedVersions() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"]) { $0.memoryLimitBytes = 80_000 }
    try first.put("a", bytes: 16_000)
    try first.store.flush()
    try first.put("b", bytes: 8000)
    try first.put("c", bytes: 800)
    try first.put("b", bytes: 8080)
    #expect(pending(first) == 3)
    #expect(first.store.status().residentBytes == 16_000 + 8000 + 800 + 8080)
    try first.put("big", bytes: 60_000)
    #expect(!first.store.keys().contains("a"))
    try first.store.flush()
    first.audit()
    #expect(first.store.status().leasedBytes == 0)
    let there = try rows(first.store)
    kill(first)
    #expect(try stored(place["x"]) == there)
  }

  @Test func readersOfOldVersionsGoOn() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    for key in ["a", "b"] { try first.put(key, [(0..<250).map { $0 }]) }
    first.store.close()
    let second = try fixture(place["x"])
    let (a, b) = (try #require(second.store.peek("a")), try #require(second.store.peek("b")))
    try second.put("a", [[7]])
    #expect(try second.store.removeDurably("b"))
    try second.store.flush()
    #expect(try a.numbers().count == 250 && b.numbers().count == 250)
    #expect(try second.store.persist("a", in: place["x"]))
    kill(second)
    #expect(try stored(place["x"]) == ["a": [7]])
  }

  @Test func closingWritesOrDeletes() throws {
    let place = try SpillPlace()
    for hasBackground in [true, false] {
      let first = try fixture(place["x"]) { $0.hasBackground = hasBackground }
      for number in 0..<20 { try first.put("k\(number)", [[Int64(number)]]) }
      first.store.close()
      #expect(try stored(place["x"]).count == 20)
      let second = try fixture(place["x"]) { ($0.hasBackground, $0.deletesFilesOnClose) = (hasBackground, true) }
      try second.put("new")
      #expect(try second.store.persist("k3", in: place["x"]))
      try second.put("newer")
      try second.put("k3", [[33]])
      second.store.close()
      #expect(try stored(place["x"]) == ["k3": [33]], "what was persisted by name is as it was last")
      let third = try fixture(place["x"])
      _ = try third.store.clearDurably()
      third.store.close()
    }
  }

  /// Of a folder that a later version has written, nothing is overwritten: the change is refused, told once, and the others go on.
  @Test func whatNeverCanBeWrittenHoldsNobodyUp() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    try first.put("a")
    try first.store.flush()
    let path = "\(PersistedFolder(key: "a", in: place["x"], files: SystemFiles()).path)/manifest.json"
    let later = try sealed(String(decoding: try SystemFiles().read(path, limitBytes: .max), as: UTF8.self).replacing("{\"arrow_cache\":1", with: "{\"arrow_cache\":99"))
    #expect(unlink(path) == 0)
    try place.touch(String(path.dropFirst(place.path.count + 1)), later)
    try first.put("a", [[5]])
    try first.put("b")
    #expect(#expect(throws: CacheError.self) { try first.store.flush() }?.code == .type)
    try first.store.flush()
    #expect(pending(first) == 0 && first.store.keys() == ["a", "b"])
    #expect(String(decoding: try SystemFiles().read(path, limitBytes: .max), as: UTF8.self) == later)
    kill(first)
  }

  private func sealed(_ text: String) throws -> String {
    var bytes = [UInt8](text.utf8)
    let place = try #require(text.utf8.indices.first { text.utf8[$0...].starts(with: "\"seal\":\"".utf8) })
    let start = text.utf8.distance(from: text.utf8.startIndex, to: place) + 8
    bytes.replaceSubrange(start..<start + 8, with: [UInt8](repeating: UInt8(ascii: "0"), count: 8))
    let digits = String(bytes.withUnsafeBytes { CRC32C($0).value }, radix: 16)
    bytes.replaceSubrange(start..<start + 8, with: [UInt8]((String(repeating: "0", count: 8 - digits.count) + digits).utf8))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Threads put, remove and flush while one writes; at the end the storage has what the cache has.
  @Test func threadsAndOneWriter() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"]) { ($0.hasBackground, $0.memoryLimitBytes) = (true, 200_000) }
    onThreads(4) { index in
      for round in 0..<60 {
        do {
          try first.put("k\((index + round) % 6)", [[Int64(round)]])
          if round % 7 == 0 { _ = try first.store.removeDurably("k\(round % 6)") }
          if round % 20 == 0 { try first.store.flush() }
        } catch { Issue.record("\(error)") }
      }
    }
    try first.store.flush()
    let there = try rows(first.store)
    first.audit()
    first.store.close()
    #expect(try stored(place["x"]) == there)
  }
}
