import ArrowData
import CArrow
import Glibc
import Primitives

@testable import CacheStore

/// A store under random operations beside a dictionary that knows what must be in it: on a disk that works, or one that fails.
final class DiskModel {
  /// What differs from one seed to the next.
  struct Setting: CustomStringConvertible {
    let seed: UInt64
    var hasFaults: Bool { seed % 2 == 1 }
    var diskLimit: Int? { seed % 4 >= 2 ? 60_000 : nil }
    var spills: Bool { seed % 16 != 13 }
    var compression: IPCCompression { IPCCompression.allCases[Int(seed / 4 % 3)] }
    var policy: String { let names = evictionPolicyNames; return names[Int(seed % UInt64(names.count))] }
    var threshold: Double { [0.8, 0.5, 1, 0.9][Int(seed / 2 % 4)] }
    /// Whether entries are put that have the memory of others; which files are held is not known then.
    var sharesRows: Bool { seed % 3 != 0 }
    /// Nothing may ever be lost, or refused.
    var isSafe: Bool { !hasFaults && diskLimit == nil && spills }
    var description: String { "seed \(seed): \(policy) \(compression) faults \(hasFaults) disk limit \(diskLimit ?? -1) spills \(spills)" }
  }

  struct Known {
    let table: SampleTable
    var version: UInt64
    var expiresAt: Double?
    let isPartitioned: Bool
  }

  /// Rows that were read, or where reading begins, and what they must be.
  struct Lease {
    let table: SampleTable
    let columns: [Int]
    let firstRow: Int
    var slices: [RecordBatchSlice] = []
    var reader: (any BatchSource)?
    var entry: Entry?
    var spans: [BufferSpan] = []
    var path: String?
  }

  /// What a caller keeps beside an entry.
  final class Memo {
    let byteCount: Int
    let lease: Lease?
    init(_ byteCount: Int, _ lease: Lease?) { (self.byteCount, self.lease) = (byteCount, lease) }
  }
  private struct WeakMemo { weak var memo: Memo? }

  static let limit = 16_000
  let setting: Setting
  let place: SpillPlace
  let files = FaultyFiles()
  let clock = ManualClock()
  let counter = ReleaseCounter()
  let schema: Schema
  private(set) var store: Store
  var generator: SeededGenerator
  var known: [String: Known] = [:]
  var pins: [String: Int] = [:]
  private var leases: [Lease] = []
  private var memos: [WeakMemo] = []
  private var outside = HeldOutside()
  private var seenEvents: UInt64 = 0
  private var tag = 0
  private var hits = (0, 0)
  /// The most that old versions of pinned keys had in memory.
  private var pinnedAllowance = 0
  private(set) var counts: [String: Int] = [:]
  private(set) var problems: [String] = []
  private var failuresBefore = 0

  init(_ setting: Setting) throws {
    self.setting = setting
    place = try SpillPlace()
    schema = try SampleTable.schema()
    generator = SeededGenerator(setting.seed)
    var options = StoreOptions()
    (options.memoryLimitBytes, options.spillThreshold, options.hasBackground) = (Self.limit, setting.threshold, false)
    (options.spillsToDisk, options.spillDirectory) = (setting.spills, place["spill"])
    (options.diskLimitBytes, options.compression, options.evictionPolicy) = (setting.diskLimit, setting.compression, setting.policy)
    (options.files, options.partitionSizeRows) = (files, 50)
    store = try Store(options: options, clock: clock)
  }

  func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
  func chance(_ percent: Int) -> Bool { random(0...99) < percent }
  func fail(_ problem: String) { problems.append(problem) }
  private func tally(_ name: String) { counts[name, default: 0] += 1 }
  var hasFailedNow: Bool { files.failedPaths.count > failuresBefore }

  /// One operation, and the audit after it; false where something was wrong.
  func step() -> Bool {
    let key = "k\(random(0...13))"
    // Not for so many seconds of the machine's, but until the model says so.
    let isPaused = store.tiers.counters.withLock { $0.pausedUntil > 0 }
    if isPaused { store.tiers.counters.withLock { $0.pausedUntil = chance(30) ? 0 : .infinity } }
    failuresBefore = files.failedPaths.count
    expireKnown()
    let name = operate(key)
    tally(name)
    follow(putKey: nil, table: nil)
    audit()
    if !problems.isEmpty {
      problems[0] = "\(setting), \(name) \(key): " + problems[0]
      problems.append("pins \(pins), \(store.tiers.memory.totals), disk \(store.tiers.disk.bytes)")
      for event in store.events.suffix(12) { problems.append("\(event.number) \(event.kind) \(event.key)#\(event.version).\(event.segment ?? -1) \(event.bytes) \(event.from?.rawValue ?? "-") \(event.to?.rawValue ?? "-") \(event.cause)") }
    }
    return problems.isEmpty
  }

  private func operate(_ key: String) -> String {
    switch random(0...999) {
    case 0..<300: put(key); return "put"
    case 300..<330: putShared(key); return "put shared"
    case 330..<560: get(key); return "get"
    case 560..<600: hold(key); return "hold"
    case 600..<660: release(); return "release"
    case 660..<690: checkLease(); return "read held"
    case 690..<730: statistics(key); return "statistics"
    case 730..<770: remove(key); return "remove"
    case 770..<774: clear(); return "clear"
    case 774..<800: pin(key); return "pin"
    case 800..<850: unpin(key); return "unpin"
    case 850..<870: updateTTL(key); return "updateTTL"
    case 870..<890: clock.advance(by: Double(random(1...4))); return "clock"
    case 890..<940: store.housekeep(); return "housekeep"
    case 940..<970: memo(key); return "memo"
    case 970..<975: deleteFolder(); return "delete folder"
    default: changeFaults(); return "faults"
    }
  }

  // MARK: operations

  private func put(_ key: String) {
    var rows: [Int] = []
    switch random(0...99) {
    case 0..<4: rows = chance(50) ? [] : [0]
    case 4..<70: rows = [random(1...100)]
    case 70..<85: rows = (0..<random(2...6)).map { _ in random(0...40) }
    case 85..<98: rows = [random(100...400)]
    default: rows = chance(50) ? [random(900...1500)] : (0..<12).map { _ in random(60...120) }
    }
    tag += 1
    let table = SampleTable(tag: tag, batchRows: rows)
    do { put(key, table, try table.spec(schema).reader(counter)) } catch { fail("a stream: \(error)") }
  }

  /// Puts what another entry reads, so that both have the same memory.
  private func putShared(_ key: String) {
    // A pinned version that is replaced by its own rows is beside them only as far as they are in memory, which is not known before.
    guard setting.sharesRows, let from = known.keys.sorted().randomElement(using: &generator), from != key || pins[key] == nil, let table = known[from]?.table, let entry = store.peek(from) else { return }
    var stream = ArrowArrayStream()
    exportStream(entry.reader(), to: &stream)
    for segment in entry.segments { if let file = segment.file { outside.possiblePaths.insert(file.path) } }
    defer { for segment in entry.segments { if let file = segment.file { outside.possiblePaths.insert(file.path) } } }
    do { put(key, table, try StreamReader(moving: &stream), source: entry) } catch { fail("a shared stream: \(error)") }
  }

  private func put(_ key: String, _ table: SampleTable, _ stream: StreamReader, source: Entry? = nil) {
    let (overwrite, isPartitioned) = (chance(90), chance(80))
    let ttl = chance(15) ? Double(random(1...30)) : nil
    let copying: (Set<Int>?, Bool) = [(nil, true), (nil, false), ([1], false), ([0, 2], false)][random(0...(source == nil ? 3 : 1))]
    if pins[key] != nil, let old = store.peek(key) {
      pinnedAllowance = max(pinnedAllowance, old.segments.reduce(0) { $0 + ($1.isInMemory ? $1.byteCount : 0) })
    }
    do throws(CacheError) {
      let entry = try store.put(
        key: key, stream: stream, kind: "model", userMetadata: "{}", ttl: ttl, overwrite: overwrite, autoPartition: isPartitioned,
        copyColumns: copying.0, copyAll: copying.1)
      if !overwrite, known[key] != nil { fail("an entry was overwritten") }
      if entry.rowCount != table.rowCount { fail("\(entry.rowCount) rows of \(table.rowCount) were put") }
      follow(putKey: key, table: Known(table: table, version: entry.version, expiresAt: ttl.map { clock.now() + $0 }, isPartitioned: isPartitioned))
    } catch {
      tally("put failed")
      let sourceFails = source.map { mayFail($0, table, isPartitioned: false) } ?? false
      switch error.code {
      case .keyExists: if overwrite || known[key] == nil { fail("\(error)") }
      case .memoryLimit, .storage: if setting.isSafe { fail("\(error)") }
      case .stream: if !sourceFails { fail("\(error)") }
      default: fail("\(error)")
      }
    }
  }

  private func get(_ key: String) {
    let entry = store.lookup(key)
    if entry == nil { hits.1 += 1 } else { hits.0 += 1 }
    guard let entry, let known = known[key] else {
      if (entry == nil) != (known[key] == nil) { fail("found \(entry != nil), known \(known[key] != nil)") }
      return
    }
    if entry.version != known.version { fail("version \(entry.version) of \(known.version)") }
    let columns = randomColumns()
    let first = chance(50) ? 0 : random(0...max(0, known.table.rowCount - 1))
    let limit = chance(50) ? nil : random(0...max(1, known.table.rowCount))
    check(entry.reader(offset: first, limit: limit, columns: columns), known.table, columns, first, min(limit ?? .max, known.table.rowCount - first)) {
      self.mayFail(entry, known.table, isPartitioned: known.isPartitioned)
    }
  }

  private func randomColumns() -> [Int] { chance(50) ? [0, 1, 2] : [[0], [2, 1], [1], []][random(0...3)] }

  /// Reads to the end and compares every value.
  private func check(
    _ reader: any BatchSource, _ table: SampleTable, _ columns: [Int], _ first: Int, _ count: Int, mayFail: (() -> Bool)
  ) {
    var row = first
    do throws(CacheError) {
      var array = ArrowArray()
      while try reader.next(into: &array) {
        if let difference = table.difference(array, firstRow: row, columns: columns) { fail("table \(table.tag): \(difference)") }
        row += Int(array.length)
        array.release?(&array)
      }
      if row - first != count { fail("\(row - first) rows of \(count)") }
    } catch {
      tally("read failed")
      if !mayFail() { fail("a read failed: \(error)") }
    }
  }

  /// Whether reading may fail: a call for a file has just failed, a file has been removed, or pins leave no room to decompress.
  private func mayFail(_ entry: Entry, _ table: SampleTable, isPartitioned: Bool) -> Bool {
    if hasFailedNow { return true }
    if setting.compression != .none, !pins.isEmpty || !isPartitioned && table.rowCount > 150 { return true }
    return entry.segments.contains { segment in !segment.isInMemory && segment.file.map { outside.removedPaths.contains($0.path) } ?? false }
  }

  private func hold(_ key: String) {
    guard leases.count < 12, let entry = store.peek(key), let known = known[key] else { return }
    let columns = randomColumns()
    switch random(0...2) {
    case 0: leases.append(Lease(table: known.table, columns: columns, firstRow: 0, entry: entry))
    case 1:
      let first = random(0...max(0, known.table.rowCount - 1))
      leases.append(Lease(table: known.table, columns: columns, firstRow: first, reader: entry.reader(offset: first, columns: columns), entry: entry))
    default: if let lease = rows(of: entry, known, columns) { leases.append(lease) }
    }
  }

  /// Rows of one segment, as a caller gets them.
  private func rows(of entry: Entry, _ known: Known, _ columns: [Int]) -> Lease? {
    guard !entry.segments.isEmpty, !columns.isEmpty else { return nil }
    let index = random(0...(entry.segments.count - 1))
    let segment = entry.segments[index]
    let offset = random(0...(segment.rowCount - 1))
    let firstRow = entry.segments[..<index].reduce(0) { $0 + $1.rowCount } + offset
    let resident = segment.residentBatches
    do throws(CacheError) {
      let slices = try segment.readPlain(offset: offset, count: random(1...(segment.rowCount - offset)), columns: columns, isLent: true)
      var buffers = BufferSet()
      let isFromFile = resident.isEmpty
      for batch in resident { buffers.insert(batch) }
      if isFromFile, setting.compression != .none { for slice in slices { buffers.insert(slice.batch) } }
      let encoded = columns.indices.filter { segment.schema.fields[columns[$0]].encodedFormat != nil }
      if !encoded.isEmpty { for slice in slices { buffers.insert(slice.batch.selecting(encoded)) } }
      let spans = buffers.spans.filter { !isFromFile || segment.file?.maps($0.address) == false }
      return Lease(
        table: known.table, columns: columns, firstRow: firstRow, slices: slices, spans: spans, path: isFromFile ? segment.file?.path : nil)
    } catch {
      tally("read failed")
      if !mayFail(entry, known.table, isPartitioned: known.isPartitioned) { fail("\(error)") }
      return nil
    }
  }

  private func release() {
    guard !leases.isEmpty else { return }
    leases.remove(at: random(0...(leases.count - 1)))
  }

  private func checkLease() {
    guard !leases.isEmpty else { return }
    let index = random(0...(leases.count - 1))
    let lease = leases[index]
    let columns = lease.columns
    if let entry = lease.entry {
      let reader = lease.reader ?? entry.reader(columns: columns)
      if lease.reader != nil { leases.remove(at: index) }
      check(reader, lease.table, columns, lease.firstRow, lease.table.rowCount - lease.firstRow) {
        self.mayFail(entry, lease.table, isPartitioned: false)
      }
      return
    }
    var row = lease.firstRow
    for slice in lease.slices {
      var array = ArrowArray()
      slice.batch.export(offset: slice.offset, count: slice.count, to: &array)
      if let difference = lease.table.difference(array, firstRow: row, columns: columns) { fail("rows held of table \(lease.table.tag): \(difference)") }
      row += slice.count
      array.release?(&array)
    }
  }

  private func statistics(_ key: String) {
    guard let entry = store.peek(key), let known = known[key], !entry.partitions.isEmpty else { return }
    let index = random(0...(entry.partitions.count - 1))
    let partition = entry.partitions[index]
    let statistics = entry.statistics(partition: index, column: 0)
    if statistics.rowCount != partition.rowCount { fail("statistics of \(statistics.rowCount) rows") }
    let nulls = (partition.firstRow..<partition.firstRow + partition.rowCount).count { SampleTable.isNull($0) }
    switch statistics.nullCount {
    case nil: if !mayFail(entry, known.table, isPartitioned: known.isPartitioned) { fail("statistics are not known") }
    case let count?: if count != nulls { fail("\(count) nulls of \(nulls)") }
    }
  }

  private func remove(_ key: String) {
    if store.remove(key) != (known[key] != nil) { fail("remove") }
  }

  private func clear() {
    let count = known.count
    let cleared = store.clear()
    if cleared != count { fail("cleared \(cleared) of \(count)") }
  }

  private func pin(_ key: String) {
    let isThere = store.pin(key)
    if isThere != (known[key] != nil) { fail("pin") }
    if isThere { pins[key, default: 0] += 1 }
  }

  private func unpin(_ key: String) {
    store.unpin(key)
    if let count = pins[key] { pins[key] = count > 1 ? count - 1 : nil }
  }

  private func updateTTL(_ key: String) {
    let ttl = chance(70) ? Double(random(1...30)) : nil
    do {
      if try store.updateTTL(key, ttl: ttl) != (known[key] != nil) { fail("updateTTL") }
      known[key]?.expiresAt = ttl.map { clock.now() + $0 }
    } catch { fail("\(error)") }
  }

  private func memo(_ key: String) {
    guard let entry = store.peek(key), let known = known[key] else { return }
    let name = "memo \(random(0...2))"
    if chance(20) {
      entry.setMemo(name, nil)
      return
    }
    let lease = chance(50) ? rows(of: entry, known, [0, 1, 2]) : nil
    let memo = Memo(chance(60) ? random(1...1500) : 0, lease)
    if entry.setMemo(name, memo, byteCount: memo.byteCount, holdsRows: lease != nil) { memos.append(WeakMemo(memo: memo)) }
  }

  private func deleteFolder() {
    guard setting.hasFaults else { return }
    let system = SystemFiles()
    for name in place.all.sorted(by: >) {
      let path = place[name]
      if (try? system.status(path)?.isFolder) == true { rmdir(path) } else if unlink(path) == 0 { outside.removedPaths.insert(path) }
    }
  }

  private func changeFaults() {
    guard setting.hasFaults else { return }
    guard chance(40) else { return files.replaceFaults([]) }
    let operations: [FileOperation] = [.create, .write, .preallocate, .rename, .unlink, .map, .makeFolder, .lock, .status, .list, .removeFolder]
    files.replaceFaults((0..<random(1...2)).map { _ in
      let operation = operations[random(0...(operations.count - 1))]
      let isShort = operation == .write && chance(50)
      return FaultyFiles.Fault(
        operation, call: random(1...3), isShort ? .shortWrite(byteCount: random(0...9)) : .error([EIO, ENOSPC, EACCES][random(0...2)]),
        isLasting: chance(40))
    })
  }

  // MARK: what must hold

  private func expireKnown() {
    // Only what the store says has expired is taken out, by `follow`; here it is what reads must not find.
    for (key, entry) in known where entry.expiresAt.map({ $0 <= clock.now() }) ?? false {
      expired[key] = entry
      known[key] = nil
    }
  }
  private var expired: [String: Known] = [:]

  /// Follows the events since the last look: what has gone has gone for a reason, and is told once.
  private func follow(putKey: String?, table: Known?) {
    for event in store.events where event.number > seenEvents {
      if event.number != seenEvents + 1 { fail("event \(event.number) after \(seenEvents)") }
      seenEvents = event.number
      tally("event \(event.kind.rawValue)")
      let current = known[event.key] ?? expired[event.key]
      let isPinned = pins[event.key] != nil
      switch event.kind {
      case .put:
        if event.key != putKey || event.version != table?.version { fail("a put that was none") }
        known[event.key] = table
        expired[event.key] = nil
      case .removed, .replaced, .evicted, .expired, .lost:
        if event.kind == .lost, !setting.hasFaults { fail("lost: \(event.cause)") }
        if event.version != current?.version { fail("\(event.kind) version \(event.version) of \(current?.version ?? 0)") }
        if event.kind == .evicted, setting.isSafe || isPinned { fail("evicted \(event.key), pinned \(isPinned)") }
        if event.kind == .expired, current?.expiresAt.map({ $0 > clock.now() }) ?? true { fail("expired before its time") }
        if event.kind == .evicted, setting.spills, event.cause == "disk limit", event.from == .memory { fail("evicted for the disk, from memory") }
        known[event.key] = nil
        expired[event.key] = nil
      case .spilled:
        if isPinned, event.from != nil { fail("pinned rows have left memory") }
      case .spillFailed:
        if setting.isSafe { fail("a spill failed: \(event.cause)") }
      case .refused:
        if setting.isSafe { fail("refused: \(event.cause)") }
      default: break
      }
    }
  }

  private func audit() {
    memos.removeAll { $0.memo == nil }
    var held = outside
    held.entries = leases.compactMap(\.entry)
    for lease in leases + memos.compactMap({ $0.memo?.lease }) {
      held.spans += lease.spans
      if let path = lease.path { held.paths.insert(path) }
    }
    for failed in files.failedPaths.dropFirst(failuresBefore) where failed.hasPrefix("unlink ") {
      outside.possiblePaths.insert(String(failed.dropFirst("unlink ".count)))
    }
    held.possiblePaths = outside.possiblePaths
    held.sharesMemory = setting.sharesRows
    for finding in store.findings(held) { fail(finding) }
    let keys = Set(store.tiers.catalog.withLock { $0.slots.keys.map(\.text) })
    let expected = Set(known.keys).union(expired.keys)
    if keys != expected { fail("there are \(keys.sorted()), must be \(expected.sorted())") }
    let status = store.tiers.counters.withLock { $0 }
    for (kind, count) in [("spilled", status.spilled.count), ("loaded", status.loaded.count), ("evicted", status.evicted.count), ("expired", status.expired.count)]
    where counts["event \(kind)", default: 0] != count { fail("\(count) \(kind), by the events \(counts["event \(kind)", default: 0])") }
    if counts["event spill failed", default: 0] != status.spillFailures { fail("\(status.spillFailures) spills failed") }
    let (hit, miss) = store.tiers.catalog.withLock { ($0.hits, $0.misses) }
    if (hit, miss) != hits { fail("\(hit) hits and \(miss) misses, must be \(hits)") }
    let totals = store.tiers.memory.totals
    if setting.spills, totals.highWater > Self.limit + pinnedAllowance { fail("\(totals.highWater) bytes at most") }
    let memoBytes = memos.reduce(0) { $0 + ($1.memo?.byteCount ?? 0) }
    if totals.memos != memoBytes { fail("\(totals.memos) bytes of memos, \(memoBytes) are there") }
  }

  /// Lets everything go; what is left of it.
  func finish() -> String? {
    files.replaceFaults([])
    let removed = !outside.removedPaths.isEmpty || !files.failedPaths.isEmpty
    store.close()
    for lease in leases where lease.entry == nil && lease.reader == nil { leases = [lease]; checkLease() }
    leases = []
    let totals = store.tiers.memory.totals
    if totals.used != 0 || totals.leased != 0 { return "\(setting): \(totals) is left" }
    if counter.live != 0 { return "\(setting): \(counter.live) batches are left" }
    if !removed, !place.all.isEmpty { return "\(setting): \(place.all) are left" }
    return problems.first
  }
}
