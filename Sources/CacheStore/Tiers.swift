import ArrowData
import Glibc
import Primitives
import Synchronization

/// The machinery below a store: the catalog, the accounts of memory and disk, and what moves rows between the two.
///
/// Segments hold it, so that rows on disk can be read as long as somebody has their entry. Locks: the catalog's, then a segment's, then
/// the ledger's. No file is touched, and no batch let go, under any of them.
final class Tiers: @unchecked Sendable {
  /// How often rows on disk must have been asked for, by as many accesses of their entry, to come back to memory.
  static let hotReads = 2

  let options: StoreOptions
  let clock: any Clock
  let memory: MemoryLedger
  let disk: DiskLedger
  let persisted = PersistedLedger()
  /// From the root; nil: entries end with the store.
  let storagePath: String?
  let memos: MemoBudget
  /// nil: rows do not go to disk.
  let folder: SpillFolder?
  let events = EventLog()
  let catalog: Locked<Catalog>
  /// nil: changes are in the storage before the catalog has them, or there is none.
  let pending: PendingChanges?
  let counters = Locked(TierCounters())
  let housekeeper = Housekeeper()
  /// Segments on their way to disk or back.
  let movingCount = Atomic(0)
  /// Keys whose entries have been evicted or have expired, and may still have files in the storage.
  let gone = Locked<[CacheKey: [NamedFile]]>([:])
  private let tick = Atomic<UInt64>(0)

  init(options: StoreOptions, clock: any Clock, storagePath: String? = nil) throws(CacheError) {
    (self.options, self.clock, self.storagePath) = (options, clock, storagePath)
    memory = MemoryLedger(limitBytes: options.memoryLimitBytes)
    memos = MemoBudget(memory)
    disk = DiskLedger(limitBytes: options.diskLimitBytes)
    var spill = SpillOptions()
    (spill.compression, spill.level, spill.threadCount) = (options.compression, options.compressionLevel, options.threadCount)
    folder = options.spillsToDisk ? try SpillFolder(parent: options.spillDirectory, options: spill, files: options.files) : nil
    let total = options.diskLimitBytes.flatMap { disk in options.memoryLimitBytes.map { $0.saturatingSum(disk) } }
    let evictable = options.spillsToDisk ? total : options.memoryLimitBytes
    pending = options.durability == .full ? nil : options.storagePath.map { PendingChanges(path: $0, memoryLimitBytes: options.memoryLimitBytes) }
    catalog = Locked(
      Catalog(
        eviction: try makeEvictionPolicy(options.evictionPolicy, arguments: options.policyArguments, capacityBytes: evictable),
        spilling: try makeEvictionPolicy(
          options.evictionPolicy, arguments: options.policyArguments, capacityBytes: options.memoryLimitBytes),
        isSpilling: folder != nil, pending: pending))
  }

  func nextTick() -> UInt64 { tick.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Runs `body` under the catalog's lock; what it took out is let go, and told, after that.
  func change<Result, Failure: Error>(
    _ body: (inout Catalog, _ now: Double, _ dropped: inout [Catalog.Dropped]) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let now = clock.now()
    var dropped: [Catalog.Dropped] = []
    defer { if !dropped.isEmpty { letGo(&dropped, now) } }
    return try catalog.withLock { (catalog) throws(Failure) -> Result in try body(&catalog, now, &dropped) }
  }

  private func letGo(_ dropped: inout [Catalog.Dropped], _ now: Double) {
    let results = memos.takeResults(of: dropped.map(\.slot.entry.version))
    withExtendedLifetime(results) {}
    var freedBytes = 0
    for item in dropped {
      let occupied = item.slot.occupied
      let isPending = pending?.keeps(item.slot.entry) ?? false
      let freed = isPending ? 0 : item.slot.holding.segments.reduce(0) { $0.saturatingSum($1.leave()) }
      freedBytes = freedBytes.saturatingSum(freed)
      if item.kind == .evicted || item.kind == .expired {
        if options.storagePath != nil, !options.readsStorageOnly, pending == nil {
          let files = item.slot.entry.namedFiles
          gone.withLock { $0[item.slot.key, default: []] += files }
        }
        counters.withLock { $0.count(item.kind == .evicted ? \.evicted : \.expired, item.cause, freed.saturatingSum(occupied.disk)) }
      }
      if item.kind == .lost { counters.withLock { $0.lostCount += 1 } }
      events.record(
        item.kind, item.slot.key.text, version: item.slot.entry.version, bytes: item.slot.entry.sizeBytes,
        from: occupied.disk > 0 ? (occupied.memory > 0 ? .both : .disk) : .memory, cause: item.cause, at: now)
    }
    dropped = []
    noteFreed(freedBytes)
    memory.wake()
  }

  /// Has the background thread look at what there is to do, where that is something.
  func noteUse() {
    guard options.hasBackground, let threshold = options.thresholdBytes, folder != nil else { return }
    if memory.totals.used > threshold { housekeeper.wake(self) }
  }

  /// Rows of the entry that a segment is part of cannot be read any more.
  func lose(_ segment: Segment, _ cause: String) {
    change { catalog, _, dropped in
      guard let holding = catalog.holding(of: segment), let slot = catalog.slots[holding.key] else { return }
      catalog.remove(slot, .lost, cause, &dropped)
    }
  }

  /// The rows of a segment on disk are read often.
  func wantBack(_ segment: Segment) { housekeeper.want(segment, self) }
}
