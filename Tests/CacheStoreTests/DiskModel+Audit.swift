import Primitives

@testable import CacheStore

/// What must hold after each operation.
extension DiskModel {
  func expireKnown() {
    // Only what the store says has expired is taken out, by `follow`; here it is what reads must not find.
    for (key, entry) in known where entry.expiresAt.map({ $0 <= clock.now() }) ?? false {
      expired[key] = entry
      known[key] = nil
    }
  }

  /// Follows the events since the last look: what has gone has gone for a reason, and is told once.
  func follow(putKey: String?, table: Known?) {
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

  func audit() {
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
}
