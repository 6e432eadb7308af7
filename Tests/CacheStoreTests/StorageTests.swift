import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct StorageTests {
  private func fixture(_ path: String, deletes: Bool = false, _ change: (inout StoreOptions) -> Void = { _ in }) throws(CacheError) -> Fixture {
    try Fixture {
      ($0.storagePath, $0.deletesFilesOnClose, $0.partitionSizeRows) = (path, deletes, 100)
      change(&$0)
    }
  }

  /// The store ends as a killed process would.
  private func kill(_ fixture: Fixture) { fixture.store.storage?.abandon() }

  private func rows(_ store: Store) throws -> [String: [Int64]] {
    var found: [String: [Int64]] = [:]
    for key in store.keys() { found[key] = try #require(store.peek(key)).numbers().compactMap { $0 } }
    return found
  }

  @Test func aNewStoreIsWarm() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x/y"])
    for (number, key) in ["b", "a", "C/../c"].enumerated() {
      try first.put(key, [(0..<250).map { $0 + Int64(number) }], ttl: number == 1 ? 50 : nil)
      first.clock.advance(by: 1)
    }
    let known = try #require(first.store.peek("b")).statistics(partition: 2, column: 0)
    try first.put("b", [(0..<250).map { $0 }])
    _ = first.store.peek("b")?.statistics(partition: 2, column: 0)
    _ = try first.store.updateTTLDurably("b", ttl: 90)
    let expected = try rows(first.store)
    let expiries = first.store.keys().map { first.store.peek($0)?.access.expiresAt }
    kill(first)
    let files = FaultyFiles()
    let second = try fixture(place["x/y"]) { $0.files = files }
    #expect(files.counts[.map] == nil, "schemas are in the manifests")
    #expect(Set(second.store.keys()) == ["b", "a", "C/../c"])
    #expect(Set(second.store.keys().map { second.store.peek($0)?.access.expiresAt }) == Set(expiries))
    #expect(second.store.peek("b")?.knownStatistics[2]?[0] == known)
    second.audit()
    #expect(try rows(second.store) == expected)
    second.clock.advance(by: 100)
    #expect(second.store.keys() == ["C/../c"])
    kill(second)
    let third = try fixture(place["x/y"])
    third.clock.advance(by: 100)
    #expect(third.store.purgeExpired() + 1 == 3)
    #expect(try third.store.removeDurably("nothing") == false)
    third.store.close()
    #expect(try SystemFiles().list(place["x/y"]).count == 1, "what has expired has left nothing")
  }

  /// Keys come back in the order of their first puts, however they were changed after that and however close together that was.
  @Test func theOrderOfKeysStays() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    for key in ["z", "m", "a", "k", "b"] { try first.put(key) }
    try first.put("m", [[5]])
    _ = try first.store.updateTTLDurably("a", ttl: 90)
    _ = try first.store.removeDurably("k")
    try first.put("k")
    #expect(first.store.keys() == ["z", "m", "a", "b", "k"])
    kill(first)
    let second = try fixture(place["x"])
    #expect(second.store.keys() == ["z", "m", "a", "b", "k"])
    #expect(try second.store.persist("m", in: place["x"]))
    try second.put("c")
    try second.put("z")
    kill(second)
    let third = try fixture(place["x"])
    #expect(third.store.keys() == ["z", "m", "a", "b", "k", "c"])
    third.store.close()
  }

  /// Files of before there were places: first, by the time of their puts and then by key.
  @Test func entriesWithoutAPlaceComeFirst() throws {
    let place = try SpillPlace()
    let other = try Fixture()
    for key in ["q", "p"] {
      try other.put(key)
      try other.store.persist(key, in: place["x"])
    }
    other.clock.advance(by: 1)
    try other.put("o")
    try other.store.persist("o", in: place["x"])
    let first = try fixture(place["x"])
    #expect(first.store.keys() == ["p", "q", "o"])
    try first.put("a")
    kill(first)
    #expect(try fixture(place["x"]).store.keys() == ["p", "q", "o", "a"])
  }

  @Test func closingRemovesWhatIsNotKept() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"], deletes: true)
    try first.put("a")
    try first.put("b", [[4, 5]])
    let entry = try #require(first.store.peek("a"))
    #expect(try first.store.persist("b", in: place["x"]))
    first.store.close()
    #expect(try entry.numbers() == [1, 2, 3])
    let second = try fixture(place["x"], deletes: true)
    #expect(try rows(second.store) == ["b": [4, 5]])
    let held = try #require(second.store.peek("b"))
    try second.put("b")
    second.store.close()
    #expect(try held.numbers() == [4, 5], "mapped before its name went")
    // What was once persisted by name is kept up to date, and stays.
    let third = try fixture(place["x"], deletes: true)
    #expect(try rows(third.store) == ["b": [1, 2, 3]])
    #expect(try third.store.removeDurably("b"))
    third.store.close()
    #expect(place.all == ["x"])
  }

  @Test func oneStoreAtATime() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    try first.put("a")
    let error = #expect(throws: CacheError.self) { try fixture(place["x"], deletes: true) }
    #expect(error?.code == .storage && error?.message.contains("process \(getpid())") == true && error?.message.contains(place["x"]) == true)
    first.store.close()
    #expect(try rows(fixture(place["x"]).store) == ["a": [1, 2, 3]], "who could not open has removed nothing")
  }

  /// The writer replaces the entry twice between the reader's look at the manifest and at the parts, and then goes on.
  @Test func aReaderSeesWholeVersions() throws {
    let place = try SpillPlace()
    let writer = try fixture(place["x"])
    try writer.put("a", [(0..<250).map { $0 }])
    let swaps = Locked(2)
    nonisolated(unsafe) let put = { (number: Int64) in _ = try? writer.put("a", [[Int64](repeating: number, count: 250)]) }
    let files = FaultyFiles { operation, path, _ in
      guard operation == .map || operation == .status, path.hasSuffix(".arrow") else { return }
      let left = swaps.withLock { left -> Int in
        left -= 1
        return left
      }
      if left >= 0 { put(Int64(left)) }
    }
    let reader = try fixture(place["x"]) { ($0.readsStorageOnly, $0.files) = (true, files) }
    #expect(try reader.store.find("a", counting: true)?.numbers() == [Int64](repeating: 0, count: 250))
    let held = try #require(try reader.store.find("a", counting: true))
    for number in 1...20 {
      put(Int64(number))
      #expect(try reader.store.find("a", counting: true)?.numbers() == [Int64](repeating: Int64(number), count: 250))
    }
    #expect(try held.numbers() == [Int64](repeating: 0, count: 250), "mapped when it was found")
    try writer.put("b", ttl: 10)
    try reader.store.followAll()
    #expect(reader.store.keys() == ["a", "b"])
    reader.clock.advance(by: 11)
    try reader.store.followAll()
    #expect(reader.store.keys() == ["a"] && reader.store.hitCount == 22)
    #expect(try writer.store.removeDurably("a"))
    #expect(try reader.store.find("a", counting: false) == nil)
    reader.audit()
    for change in [
      { try reader.put("c") }, { _ = try reader.store.removeDurably("a") }, { _ = try reader.store.clearDurably() },
      { _ = try reader.store.updateTTLDurably("b", ttl: 1) }, { _ = try reader.store.load("b", from: place["x"]) },
    ] as [() throws -> Void] {
      #expect(#expect(throws: CacheError.self, performing: change)?.code == .readOnly)
    }
    reader.store.close()
    let changing = files.counts.keys.filter { ![.status, .read, .list, .map, .open].contains($0) }
    #expect(changing.isEmpty, "\(changing)")
    #expect(try writer.store.find("b", counting: false)?.numbers() == [1, 2, 3])
  }

  @Test func whatIsGoneStaysGone() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"]) { $0.memoryLimitBytes = 10_000 }
    for key in ["a", "b", "c", "d"] { try first.put(key, bytes: 4000) }
    #expect(first.store.keys() == ["c", "d"])
    #expect(try first.store.removeDurably("c"))
    try first.put("e", bytes: 800)
    kill(first)
    let second = try fixture(place["x"])
    #expect(Set(second.store.keys()) == ["d", "e"])
    #expect(try second.store.clearDurably() == 2)
    kill(second)
    #expect(try fixture(place["x"]).store.keys() == [])
  }

  @Test func readersOfOldVersionsGoOn() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    try first.put("a", [(0..<250).map { $0 }])
    kill(first)
    let second = try fixture(place["x"])
    let old = try #require(second.store.peek("a"))
    try second.put("a", [[7]])
    #expect(try old.numbers() == (0..<250).map { $0 })
    let newer = try #require(second.store.peek("a"))
    #expect(try second.store.removeDurably("a"))
    #expect(try newer.numbers() == [7])
  }

  /// What is damaged does not keep the rest away, and is there to be repaired.
  @Test func damagedEntriesAreLeftOut() throws {
    let place = try SpillPlace()
    let first = try fixture(place["x"])
    for key in ["a", "b", "c"] { try first.put(key) }
    kill(first)
    let (a, b) = (PersistedFolder(key: "a", in: place["x"], files: SystemFiles()), PersistedFolder(key: "b", in: place["x"], files: SystemFiles()))
    #expect(truncate("\(a.path)/manifest.json", 20) == 0)
    let part = try #require(try SystemFiles().list(b.path).first { $0.hasPrefix("part") })
    #expect(Glibc.unlink("\(b.path)/\(part)") == 0)
    try place.touch("x/foreign")
    mkdir(place["x/another"], 0o700)
    let second = try fixture(place["x"], deletes: true)
    #expect(try rows(second.store) == ["c": [1, 2, 3]])
    let lost = second.store.events.filter { $0.kind == .lost }
    #expect(lost.count == 2 && lost.contains { $0.cause.contains("manifest.json") } && lost.contains { $0.cause.contains(part) })
    try second.put("a", [[9]])
    #expect(try second.store.peek("a")?.numbers() == [9])
    kill(second)
    #expect(try rows(fixture(place["x"]).store) == ["a": [9], "c": [1, 2, 3]])
    #expect(place.all.contains("x/foreign") && place.all.contains("x/another"))
  }

  @Test func aFailedPutLeavesTheVersionOfBefore() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let first = try fixture(place["x"]) { $0.files = files }
    try first.put("a", [(0..<250).map { $0 }])
    files.replaceFaults([])
    try first.put("a", [(0..<260).map { $0 }])
    let counts = files.counts
    for (operation, count) in counts where operation != .unlink && operation != .list {
      for call in 1...count {
        files.replaceFaults([])
        try first.put("a", [(0..<250).map { $0 }])
        files.replaceFaults([.init(operation, call: call, .error(EIO))])
        do throws(CacheError) {
          try first.put("a", [(0..<260).map { $0 }])
          #expect(first.store.peek("a")?.rowCount == 260)
        } catch {
          #expect(error.code == .storage && error.systemError == EIO, "\(operation) \(call) \(error)")
          #expect(first.store.peek("a")?.rowCount == 250)
        }
        first.audit()
      }
    }
  }

  /// A process that is killed before any file call of puts, changes of the time to live, removals, evictions and the end: what has been
  /// acknowledged is there, what was being done is done or not, and a new store leaves no file that nobody names.
  @Test func aKilledProcessLosesNothing() throws {
    let place = try SpillPlace()
    let batch = try ArraySpec.table([numbers(0..<1000)], length: 1000).batch(schema("l"), ReleaseCounter())
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: place["in.arrow"])
    let words = ["put-a-250", "put-b-120", "put-a-260", "ttl-a-1000", "remove-b", "put-c-10", "put-d-1000", "clear", "put-e-5", "close"]
    // d evicts what is there: 1000 rows take 8000 bytes.
    let states: [[String: Int]] = [
      [:], ["a": 250], ["a": 250, "b": 120], ["a": 260, "b": 120], ["a": 260, "b": 120], ["a": 260], ["a": 260, "c": 10], ["d": 1000, "c": 10], [:],
      ["e": 5], ["e": 5],
    ]
    func run(_ folder: String, _ kill: Int? = nil) throws -> [String] {
      try Tool().lines(
        "store\t\(place["in.arrow"])\t\(place[folder])\t" + words.joined(separator: "\t") + "\tlimit=9000" + (kill.map { "\tkill=\($0)" } ?? ""))
    }
    let whole = try run("count")
    #expect(whole.count == words.count + 1)
    let total = try #require(whole.last.flatMap { Int($0.dropFirst(3)) })
    #expect(total > 150)
    for call in 0..<total {
      let name = "at\(call)"
      let done = try run(name, call).count
      #expect(done <= words.count, "it has been killed at \(call)")
      let store = try fixture(place[name])
      let found = try rows(store.store)
      for (key, rows) in found { #expect(rows == (0..<Int64(rows.count)).map { $0 }, "\(key) at \(call)") }
      var counts = found.mapValues(\.count)
      // Evictions are no promise: what has been evicted may be there still.
      if done >= 6 { counts["a"] = counts["d"] == nil ? counts["a"] : nil }
      let before = states[min(done, words.count)]
      let after = states[min(done + 1, words.count)]
      let isBetween = words.indices.contains(done) && words[done] == "clear" && counts.allSatisfy { before[$0.key] == $0.value }
      #expect(counts == before || counts == after || isBetween, "killed at \(call), \(done) done: \(counts), not \(before) or \(after)")
      if let expiry = store.store.peek("a")?.access.expiresAt { #expect(done >= 3 && expiry > 0) } else if done == 4 { Issue.record("lost time to live") }
      for folder in try SystemFiles().list(place[name]) where folder != Storage.lockName {
        let manifest = try #require(try Manifest.read(in: place["\(name)/\(folder)"], files: SystemFiles()))
        #expect(
          Set(try SystemFiles().list(place["\(name)/\(folder)"]))
            == Set(manifest.parts.map(\.name) + [Manifest.name]), "at \(call)")
      }
      store.store.close()
    }
  }
}
