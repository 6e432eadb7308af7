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
  struct WeakMemo { weak var memo: Memo? }

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
  /// What is at the end of its time, until the store says so.
  var expired: [String: Known] = [:]
  var pins: [String: Int] = [:]
  var leases: [Lease] = []
  var memos: [WeakMemo] = []
  var outside = HeldOutside()
  var seenEvents: UInt64 = 0
  var tag = 0
  var hits = (0, 0)
  /// The most that old versions of pinned keys had in memory.
  var pinnedAllowance = 0
  private(set) var counts: [String: Int] = [:]
  private(set) var problems: [String] = []
  var failuresBefore = 0

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
  func tally(_ name: String) { counts[name, default: 0] += 1 }
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
