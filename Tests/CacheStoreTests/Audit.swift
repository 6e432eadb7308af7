import ArrowData
import Primitives
import Synchronization

@testable import CacheStore

/// What a test holds of a store's: entries, and rows that it has read.
struct HeldOutside {
  var entries: [Entry] = []
  /// Every buffer of the batches in memory, or decompressed, that rows were read from.
  var spans: [BufferSpan] = []
  /// Files that rows were read from.
  var paths: Set<String> = []
  /// Files that may be there besides: it is not known who holds them, or they could not be removed.
  var possiblePaths: Set<String> = []
  /// Whether entries have memory of others: a piece that is still held counts the whole that it was read back with.
  var sharesMemory = false
  /// Files that somebody has removed.
  var removedPaths: Set<String> = []
}

extension Store {
  /// Recounts everything from scratch and compares it with what the store keeps running. Nothing is being put or moved meanwhile.
  ///
  /// - Parameter outside: nil: not known, and what depends on it is not compared.
  func findings(_ outside: HeldOutside?) -> [String] {
    let slots = tiers.catalog.withLock { Array($0.slots.values) }
    let audit = Audit(self)
    for slot in slots { audit.look(at: slot) }
    audit.compareCatalog()
    audit.compareMemory(outside)
    audit.compareDisk(outside)
    return audit.findings
  }
}

private final class Audit {
  let store: Store
  var findings: [String] = []
  private var resident = BufferSet()
  private var partitions = 0
  private var files: [String: Int] = [:]

  init(_ store: Store) { self.store = store }

  private func require(_ holds: Bool, _ finding: @autoclosure () -> String) { if !holds { findings.append(finding()) } }

  func look(at slot: Slot) {
    let key = slot.key.text
    let entry = slot.entry
    require(entry.segments.map(ObjectIdentifier.init) == slot.holding.segments.map(ObjectIdentifier.init), "\(key): other segments")
    require(entry.segments.reduce(0) { $0 + $1.rowCount } == entry.rowCount, "\(key): rows of the segments")
    require(!entry.segments.contains { $0.rowCount == 0 }, "\(key): an empty segment")
    require(entry.partitions.reduce(0) { $0 + $1.rowCount } == entry.rowCount, "\(key): rows of the partitions")
    for segment in entry.segments {
      let batches = segment.residentBatches
      for batch in batches { resident.insert(batch) }
      let file = segment.file
      let tier: Tier? = !batches.isEmpty ? (file == nil ? .memory : .both) : file.map { _ in .disk }
      let placement = segment.placement
      require(placement.tier == tier, "\(key): placed \(placement.tier), is \(tier?.rawValue ?? "nowhere")")
      require(segment.isLeavable == !batches.isEmpty, "\(key): is moving")
      require(placement.diskBytes == file?.byteCount ?? 0, "\(key): \(placement.diskBytes) bytes on disk")
      require(file.map { $0.rowCount == segment.rowCount } ?? true, "\(key): rows of the file")
      require(batches.isEmpty || batches.reduce(0) { $0 + $1.rowCount } == segment.rowCount, "\(key): rows of the batches")
      if let file, file.isTemporary { files[file.path] = file.byteCount }
    }
    partitions += entry.partitions.count
    let isPinned = store.tiers.catalog.withLock { $0.pins[slot.key] != nil }
    require(slot.holding.isLive && slot.holding.version == entry.version, "\(key): holding")
    require(slot.isRanked == !isPinned, "\(key): pinned \(isPinned), ranked for eviction \(slot.isRanked)")
    let couldLeave = !isPinned && entry.segments.contains(where: \.isInMemory)
    let isRanked = slot.holding.isRanked
    // What has left is still ranked until someone looks for more of it.
    require(isPinned ? !isRanked : isRanked || !couldLeave, "\(key): pinned \(isPinned), ranked for spilling \(isRanked)")
    require(entry.access.expiresAt == slot.expiresAt, "\(key): time to live")
  }

  func compareCatalog() {
    let (counted, spares) = store.tiers.catalog.withLock { ($0.partitionCount, $0.slots.count) }
    require(counted == partitions, "\(counted) partitions are counted, \(partitions) are there in \(spares) entries")
    require(store.tiers.movingCount.load(ordering: .relaxed) == 0, "something is moving")
  }

  func compareMemory(_ outside: HeldOutside?) {
    let totals = store.tiers.memory.totals
    require(totals.resident == resident.totalBytes, "\(totals.resident) bytes are counted in memory, \(resident.totalBytes) are there")
    require(totals.reserved == 0, "\(totals.reserved) bytes are reserved")
    if let limit = store.options.memoryLimitBytes { require(totals.used <= limit, "\(totals.used) bytes are used, the limit is \(limit): \(totals)") }
    require(totals.highWater >= totals.used, "the high-water mark is below what is used")
    guard let outside else {
      if totals.leased == 0 {
        require(store.tiers.memory.bufferCount == resident.count, "\(store.tiers.memory.bufferCount) buffers, \(resident.count) are there")
      }
      return
    }
    var all = resident
    for span in outside.spans { all.insert(span) }
    for entry in outside.entries { for segment in entry.segments { for batch in segment.residentBatches { all.insert(batch) } } }
    let leased = all.totalBytes - resident.totalBytes
    let (isMore, counted) = (outside.sharesMemory, store.tiers.memory.bufferCount)
    require(totals.leased == leased || isMore && totals.leased > leased, "\(totals.leased) bytes are counted as leased, \(leased) are")
    require(counted == all.count || isMore && counted > all.count, "\(counted) buffers are counted, \(all.count) are there")
  }

  func compareDisk(_ outside: HeldOutside?) {
    let disk = store.tiers.disk
    if let limit = store.options.diskLimitBytes { require(disk.bytes <= limit, "\(disk.bytes) bytes on disk, the limit is \(limit)") }
    require(disk.bytes >= files.values.reduce(0, +) && disk.fileCount >= files.count, "less on disk is counted than there is")
    guard let outside, let folder = store.tiers.folder else { return }
    for entry in outside.entries { for segment in entry.segments { if let file = segment.file, file.isTemporary { files[file.path] = file.byteCount } } }
    let system = SystemFiles()
    var there: [String: Int] = [:]
    if let home = folder.path, let names = try? system.list(home) {
      for name in names where name != "lock" && name != "queries" { there["\(home)/\(name)"] = (try? system.status("\(home)/\(name)")?.byteCount) ?? -1 }
    }
    for (path, byteCount) in files where !outside.removedPaths.contains(path) {
      require(there[path] == byteCount, "\(path) has \(there[path] ?? -1) bytes of \(byteCount)")
    }
    let known = Set(files.keys).union(outside.paths)
    for path in there.keys { require(known.contains(path) || outside.possiblePaths.contains(path), "\(path) is nobody's") }
    for path in outside.paths where !outside.removedPaths.contains(path) { require(there[path] != nil, "\(path), which is read, is gone") }
    // Files without a name count as long as they are mapped.
    if outside.possiblePaths.isEmpty {
      require(disk.fileCount == known.count, "\(disk.fileCount) files are counted, \(known.count) are there")
      if outside.removedPaths.isEmpty {
        let bytes = there.values.reduce(0, +)
        require(disk.bytes == bytes, "\(disk.bytes) bytes on disk are counted, \(bytes) are there")
      }
    }
  }
}
