import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@testable import CacheStore

/// Many threads over memory and a disk that fails, with the thread in the background: every row tells whether it is right.
@Suite struct DiskThreadTests: Sendable {
  private let place: SpillPlace

  init() throws { place = try SpillPlace() }

  private func options(_ compression: IPCCompression, _ files: any FileSystem, _ policy: String = "lru") -> StoreOptions {
    var options = StoreOptions()
    (options.memoryLimitBytes, options.spillThreshold, options.spillDirectory) = (16_000, 0.6, place["spill"])
    (options.compression, options.files, options.evictionPolicy, options.partitionSizeRows) = (compression, files, policy, 40)
    (options.diskLimitBytes, options.checkInterval) = (200_000, 0.05)
    return options
  }

  private static let schema: Schema? = try? SampleTable.schema()

  /// Puts a table whose tag is told by its user metadata.
  private func put(_ store: Store, _ key: String, _ table: SampleTable, _ counter: ReleaseCounter, ttl: Double? = nil, copyAll: Bool) throws(CacheError) {
    guard let schema = Self.schema else { return }
    _ = try store.put(
      key: key, stream: try table.spec(schema).reader(counter), kind: "", userMetadata: "\(table.tag)/\(table.rowCount)", ttl: ttl, overwrite: true,
      autoPartition: nil, copyColumns: nil, copyAll: copyAll)
  }

  /// Reads all of an entry; what is wrong with it, or nil.
  private func difference(_ entry: Entry, _ columns: [Int]) throws(CacheError) -> String? {
    let words = entry.userMetadata.split(separator: "/").compactMap { Int($0) }
    guard words.count == 2 else { return "no metadata" }
    let table = SampleTable(tag: words[0], batchRows: [words[1]])
    let reader = entry.reader(columns: columns)
    var row = 0
    var array = ArrowArray()
    while try reader.next(into: &array) {
      if let difference = table.difference(array, firstRow: row, columns: columns) { return difference }
      row += Int(array.length)
      array.release?(&array)
    }
    return row == table.rowCount ? nil : "\(row) rows of \(table.rowCount)"
  }

  private func work(_ store: Store, _ counter: ReleaseCounter, _ thread: Int, _ steps: Int, isClosing: Bool = false, mayFail: @escaping @Sendable () -> Bool) {
    var generator = SeededGenerator(UInt64(thread + 1))
    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    var held: [Entry] = []
    func check(_ entry: Entry) {
      do throws(CacheError) {
        if let difference = try difference(entry, [[0, 1, 2], [1], [2, 0]][random(0...2)]) { Issue.record("\(entry.key): \(difference)") }
      } catch {
        // Rows may be too many for the room that others leave.
        if !(error.code == .memoryLimit || error.code == .storage && mayFail()) { Issue.record(error) }
      }
    }
    for step in 0..<steps {
      let key = "k\(random(0...12))"
      switch random(0...19) {
      case 0...5:
        let rows = random(0...9) == 0 ? [random(300...900)] : (0..<random(1...4)).map { _ in random(1...60) }
        do throws(CacheError) {
          try put(store, key, SampleTable(tag: thread * 100_000 + step, batchRows: rows), counter, ttl: random(0...9) == 0 ? 0.01 : nil, copyAll: random(0...1) == 0)
        } catch {
          guard [.storage, .memoryLimit].contains(error.code) || isClosing && error.code == .closed else { Issue.record(error); return }
        }
      case 6...13: if let entry = store.lookup(key) { check(entry) }
      case 14: if let entry = store.lookup(key), held.count < 4 { held.append(entry) }
      case 15: if let entry = held.popLast() { check(entry) }
      case 16: _ = store.remove(key)
      case 17: if store.pin(key) { store.unpin(key) }
      case 18:
        if let entry = store.peek(key), !entry.partitions.isEmpty {
          let nulls = entry.statistics(partition: 0, column: 0).nullCount
          let expected = (0..<entry.partitions[0].rowCount).count { SampleTable.isNull($0) }
          if nulls != nil, nulls != expected { Issue.record("\(nulls ?? -1) nulls of \(expected)") }
        }
      default:
        _ = store.status()
        _ = store.contents()
        store.housekeep()
      }
    }
    for entry in held { check(entry) }
  }

  @Test(.timeLimit(.minutes(10)), arguments: IPCCompression.allCases, ["lru", "s3fifo", "gdsf"])
  func everyRowIsRightOnADiskThatFails(compression: IPCCompression, policy: String) throws {
    let files = FaultyFiles()
    let store = try Store(options: options(compression, files, policy))
    let counter = ReleaseCounter()
    onThreads(5) { thread in
      guard thread == 0 else { return work(store, counter, thread, 250) { true } }
      let operations: [FileOperation] = [.create, .write, .preallocate, .rename, .map, .makeFolder, .status]
      var generator = SeededGenerator(9)
      for _ in 0..<40 {
        let operation = operations.randomElement(using: &generator) ?? .write
        let effect: FaultyFiles.Fault.Effect = Bool.random(using: &generator) ? .error([EIO, ENOSPC, EACCES].randomElement(using: &generator) ?? EIO) : .shortWrite(byteCount: 3)
        files.replaceFaults([.init(operation, call: Int.random(in: 1...3, using: &generator), effect, isLasting: Bool.random(using: &generator))])
        usleep(3000)
        files.replaceFaults([])
        store.tiers.counters.withLock { $0.pausedUntil = 0 }
        usleep(3000)
      }
    }
    store.tiers.housekeeper.stop()
    #expect(store.findings(HeldOutside(possiblePaths: Set(place.all.map { place[$0] }))) == [])
    #expect(store.status().tiers.spilled.count > 20)
    store.close()
    #expect(counter.live == 0)
    #expect((store.tiers.memory.totals.used, store.tiers.memory.totals.leased) == (0, 0))
  }

  @Test(.timeLimit(.minutes(10)), arguments: IPCCompression.allCases) func closingWhileOthersWork(compression: IPCCompression) throws {
    let counter = ReleaseCounter()
    for round in 0..<15 {
      let store = try Store(options: options(compression, SystemFiles()))
      let closed = Locked(false)
      onThreads(4) { thread in
        if thread == 0 {
          usleep(UInt32(round * 1500))
          closed.withLock { $0 = true }
          store.close()
        } else {
          work(store, counter, thread + 10 * round, 60, isClosing: true) { closed.withLock { $0 } }
        }
      }
      #expect(store.keys() == [])
      #expect(counter.live == 0, "round \(round)")
      #expect((store.tiers.memory.totals.used, store.tiers.disk.fileCount) == (0, 0))
      #expect(place.all == [])
    }
  }

  @Test(.timeLimit(.minutes(10))) func aStoreThatIsDroppedGoes() throws {
    let counter = ReleaseCounter()
    for round in 0..<20 {
      var held: [Entry] = []
      weak var tiers: Tiers?
      do {
        let store = try Store(options: options(.none, SystemFiles()))
        tiers = store.tiers
        for index in 0..<20 { try put(store, "k\(index)", SampleTable(tag: index, batchRows: [100]), counter, ttl: 100, copyAll: index % 2 == 0) }
        held = try (0..<20).compactMap { index in
          let entry = try #require(store.lookup("k\(index)"))
          // Mapped, so that it stays readable.
          #expect(try difference(entry, [0, 1, 2]) == nil)
          return entry
        }
        if round % 2 == 0 { store.close() }
      }
      #expect(place.all == [], "the files have no names any more")
      for entry in held {
        do throws(CacheError) {
          if let difference = try difference(entry, [0, 1, 2]) { Issue.record("\(difference)") }
        } catch {
          #expect(error.code == .storage || error.code == .closed)
        }
      }
      held = []
      #expect(counter.live == 0)
      #expect(tiers == nil, "round \(round)")
    }
  }
}
