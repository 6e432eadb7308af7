import ArrowData
import Primitives
import Synchronization

extension Tiers {
  /// The cause of moves that nobody waits for.
  static let inBackground = "threshold"
  /// How long nothing is written after a write has failed.
  private static let pauseSeconds = 2.0

  /// Moves the coldest segments, of about so many bytes, to disk; false where none could go.
  func spillColdest(_ byteCount: Int, cause: String, sparing: CacheKey? = nil) -> Bool {
    guard let folder, !isPaused else { return false }
    let moved = moveColdest(byteCount, folder, cause, sparing)
    noteFreed(moved)
    return moved > 0
  }

  /// Memory of so many bytes of rows has been freed: the system gets it back before much of it has come together.
  func noteFreed(_ byteCount: Int) {
    FreedMemory.note(byteCount, step: max(8 << 20, min((memory.limitBytes ?? .max) / 16, 64 << 20)))
  }

  /// Returns how many bytes have moved; whatever held their memory here has gone by then.
  private func moveColdest(_ byteCount: Int, _ folder: SpillFolder, _ cause: String, _ sparing: CacheKey?) -> Int {
    let leaving = catalog.withLock { $0.beginLeaving(byteCount) }
    guard !leaving.isEmpty else { return 0 }
    movingCount.wrappingAdd(leaving.count, ordering: .relaxed)
    var moved = 0
    for item in leaving {
      if leave(item, folder, cause, sparing) { moved = moved.saturatingSum(max(1, item.segment.byteCount)) }
      movingCount.wrappingSubtract(1, ordering: .relaxed)
      memory.wake()
    }
    return moved
  }

  /// Whether nothing is written at the moment, since a write has failed.
  var isPaused: Bool { counters.withLock { $0.pausedUntil > SteadyClock.seconds() } }

  /// Moves one segment; false where it stays in memory.
  private func leave(_ item: Catalog.Leaving, _ folder: SpillFolder, _ cause: String, _ sparing: CacheKey?) -> Bool {
    let started = SteadyClock.seconds()
    let file: SegmentFile
    do throws(CacheError) {
      if let known = item.file ?? persistedRows(item) {
        file = known
      } else {
        guard !isPaused else { throw CacheError(.storage, "a write has failed just now") }
        file = try write(
          item.rows, byteCount: item.segment.byteCount, schema: item.segment.schema, to: folder, sparing: sparing,
          mayEvict: cause != Self.inBackground, isWanted: { catalog.withLock { _ in item.holding.isLive } })
      }
    } catch {
      item.segment.abandonMove()
      catalog.withLock { $0.rankForSpilling(item.holding) }
      return false
    }
    let (shelf, version) = catalog.withLock { _ in (item.holding.memos, item.holding.version ?? item.holding.sequence) }
    let memos = shelf?.takeRowHolders()
    let now = clock.now()
    let (isDone, batches, charge) = catalog.withLock { catalog -> (Bool, [RecordBatch], MemoryCharge?) in
      guard item.holding.isLive, catalog.pins[item.holding.key] == nil else {
        item.segment.abandonMove()
        return (false, [], nil)
      }
      let taken = item.segment.finishLeaving(file, cause, now)
      return (true, taken.batches, taken.charge)
    }
    withExtendedLifetime((memos, batches)) { charge?.leave() }
    guard isDone else { return false }
    counters.withLock { $0.count(\.spilled, cause, item.segment.byteCount) }
    events.record(
      .spilled, item.holding.key.text, version: version, segment: item.index,
      bytes: item.segment.byteCount, from: item.file == nil ? .memory : .both, to: .disk, cause: cause,
      seconds: SteadyClock.seconds() - started, at: now)
    return true
  }

  /// Writes rows to a file of their own, within the disk limit. Entries are evicted where there is no room on disk otherwise, as long as
  /// the rows are wanted; unless nobody waits for the room (`mayEvict`).
  func write(
    _ rows: [RecordBatchSlice], byteCount: Int, schema: Schema, to folder: SpillFolder, sparing: CacheKey?,
    mayEvict: Bool = true, isWanted: () -> Bool = { true }
  ) throws(CacheError) -> SpillFile {
    let started = SteadyClock.seconds()
    // Where the disk stays full whatever goes, others fill it.
    var freed = 0
    while true {
      do throws(CacheError) {
        let charge = try takeDisk(byteCount.saturatingSum(4096 + 512 * rows.count), folder, sparing, mayEvict, isWanted)
        let file = try folder.write(rows, schema: schema, keeping: charge)
        charge.settle(file.byteCount)
        counters.withLock { counters in
          counters.writtenBytes += file.byteCount
          counters.writeSeconds += SteadyClock.seconds() - started
        }
        return file
      } catch {
        if error.isOutOfSpace, freed <= byteCount, isWanted(), case let more = freeDisk(sparing, mayEvict), more > 0 {
          freed += more
          continue
        }
        // In the background, a disk limit that is reached is no failure.
        guard isWanted(), mayEvict || error.systemError != nil else { throw error }
        counters.withLock { counters in
          counters.spillFailures += 1
          counters.lastSpillFailure = error.description
          counters.pausedUntil = SteadyClock.seconds() + Self.pauseSeconds
        }
        events.record(.spillFailed, "", version: 0, bytes: byteCount, from: .memory, to: .disk, cause: error.description, at: clock.now())
        throw error
      }
    }
  }

  private func takeDisk(
    _ byteCount: Int, _ folder: SpillFolder, _ sparing: CacheKey?, _ mayEvict: Bool, _ isWanted: () -> Bool
  ) throws(CacheError) -> DiskCharge {
    while isWanted() {
      let others = disk.limitBytes == nil ? 0 : folder.queryBytes()
      if let charge = disk.reserve(byteCount, beside: others) { return charge }
      let limit = disk.limitBytes ?? .max
      guard byteCount <= limit, freeDisk(sparing, mayEvict) > 0 else {
        throw CacheError(
          .memoryLimit, "\(byteCount) bytes do not fit on disk: \(disk.bytes) of the disk limit of \(limit) are in use"
            + (others > 0 ? ", and \(others) by queries" : "") + "; raise disk_limit")
      }
    }
    throw CacheError(.storage, "the rows are not wanted any more")
  }

  /// Gives up files: those of rows that are in memory too, else those of an entry, which is evicted. Returns about how many bytes.
  private func freeDisk(_ sparing: CacheKey?, _ mayEvict: Bool) -> Int {
    let spares = catalog.withLock { $0.spares.take() }
    guard spares.isEmpty else { return spares.reduce(0) { $0.saturatingSum($1.byteCount) } }
    guard mayEvict else { return 0 }
    return change { catalog, _, dropped in catalog.evict("disk limit", having: .disk, sparing: sparing, &dropped)?.occupied.disk ?? 0 }
  }
}
