import ArrowData
import Primitives

/// What a store holds: the state behind its one lock. Every method is short and calls nothing outside the engine.
///
/// What a method takes out it appends to `dropped`: the caller lets go of that after unlocking, since the last reference to a
/// batch calls its producer's release.
struct Catalog {
  private(set) var slots: [CacheKey: Slot] = [:]
  /// Keys by their folded form.
  private var keysByFolded: [CacheKey: [CacheKey]] = [:]
  /// How often each key is pinned; a pin stays with the key when the entry is replaced.
  private(set) var pins: [CacheKey: Int] = [:]
  private(set) var ledger = MemoryLedger()
  private let policy: any EvictionPolicy
  private var expiry = ExpiryQueue()
  private var lastSequence: UInt64 = 0
  private var lastVersion: UInt64 = 0
  private var accessTick: UInt64 = 0
  private(set) var partitionCount = 0
  var expiryQueueLength: Int { expiry.count }
  var isClosed = false
  var hits = 0
  var misses = 0
  private(set) var evicted = Removals()
  private(set) var expired = Removals()

  /// Entries that the store removed by itself, with the bytes that were given back.
  struct Removals {
    var count = 0
    var bytes = 0
  }

  init(policy: any EvictionPolicy) { self.policy = policy }

  // MARK: reading

  /// The slot of a key that has not expired at `now`; an expired one is taken out.
  mutating func live(_ key: CacheKey, _ now: Double, _ dropped: inout [Slot]) -> Slot? {
    guard let slot = slots[key] else { return nil }
    guard let expiresAt = slot.expiresAt, expiresAt <= now else { return slot }
    expire(slot, &dropped)
    return nil
  }

  /// The keys that are the same as `key` when both are folded, in the order of their first put.
  mutating func alike(_ key: CacheKey, _ now: Double, _ dropped: inout [Slot]) -> [Slot] {
    var found: [Slot] = []
    for other in keysByFolded[key.folded] ?? [] {
      if let slot = live(other, now, &dropped) { found.append(slot) }
    }
    return found.sorted { $0.sequence < $1.sequence }
  }

  mutating func touch(_ slot: Slot, _ now: Double) {
    accessTick += 1
    slot.eviction.recordAccess(tick: accessTick)
    policy.touch(slot.eviction)
    slot.entry.recordAccess(now)
  }

  // MARK: changing

  /// What `insert` makes an entry of.
  struct Content {
    let key: CacheKey
    let spans: [BufferSpan]
    let partitionCount: Int
    let make: (_ version: UInt64) -> Entry
    let expiresAt: Double?
  }

  /// Puts an entry in place of whatever has its key, after evicting what must go for it to fit into `limitBytes`.
  /// Throws `.memoryLimit`, having changed nothing, where it cannot fit.
  mutating func insert(_ content: Content, limitBytes: Int?, _ dropped: inout [Slot]) throws(CacheError) -> Entry {
    let key = content.key
    let old = slots[key]
    if let old { ledger.remove(old.spans) }
    ledger.add(content.spans)
    if let limitBytes, ledger.totalBytes > limitBytes {
      do throws(CacheError) {
        try checkFits(content, limitBytes)
      } catch {
        ledger.remove(content.spans)
        if let old { ledger.add(old.spans) }
        throw error
      }
    }
    if let old {
      detach(old)
      dropped.append(old)
    }
    while let limitBytes, ledger.totalBytes > limitBytes, let victim = policy.victim()?.owner as? Slot {
      let before = ledger.totalBytes
      remove(victim, isEvicted: true, &dropped)
      evicted.count += 1
      evicted.bytes += before - ledger.totalBytes
    }
    lastVersion += 1
    accessTick += 1
    if old == nil { lastSequence += 1 }
    let slot = Slot(
      entry: content.make(lastVersion), key: key, spans: content.spans, sequence: old?.sequence ?? lastSequence,
      expiresAt: content.expiresAt, lastAccess: accessTick)
    slots[key] = slot
    if old == nil { keysByFolded[key.folded, default: []].append(key) }
    partitionCount += content.partitionCount
    if pins[key] == nil { policy.insert(slot.eviction) }
    queueExpiry(slot)
    return slot.entry
  }

  /// Whether the new entry fits beside what is pinned once everything else has gone.
  private func checkFits(_ content: Content, _ limitBytes: Int) throws(CacheError) {
    var least = MemoryLedger()
    least.add(content.spans)
    let needed = least.totalBytes
    for pinned in pins.keys where pinned != content.key {
      if let slot = slots[pinned] { least.add(slot.spans) }
    }
    guard least.totalBytes > limitBytes else { return }
    let beside = least.totalBytes - needed
    throw CacheError(
      .memoryLimit,
      "'\(content.key.text)' needs \(needed) bytes, \(max(0, limitBytes - beside)) of the memory limit of \(limitBytes) can be made free"
        + (beside > 0 ? " (\(beside) are pinned)" : "") + ": raise memory_limit" + (beside > 0 ? ", unpin an entry" : "") + " or put less")
  }

  /// Takes the entry out for good.
  mutating func remove(_ slot: Slot, isEvicted: Bool = false, _ dropped: inout [Slot]) {
    ledger.remove(slot.spans)
    detach(slot, isEvicted: isEvicted)
    slots[slot.key] = nil
    let folded = slot.key.folded
    keysByFolded[folded]?.removeAll { $0 == slot.key }
    if keysByFolded[folded]?.isEmpty ?? false { keysByFolded[folded] = nil }
    dropped.append(slot)
  }

  /// Takes everything out; pins stay.
  mutating func removeAll(_ dropped: inout [Slot]) {
    for slot in slots.values {
      ledger.remove(slot.spans)
      detach(slot)
      dropped.append(slot)
    }
    slots = [:]
    keysByFolded = [:]
    expiry = ExpiryQueue()
  }

  private mutating func detach(_ slot: Slot, isEvicted: Bool = false) {
    policy.remove(slot.eviction, isEvicted: isEvicted)
    partitionCount -= slot.entry.partitions.count
  }

  // MARK: pins

  mutating func pin(_ slot: Slot) {
    pins[slot.key, default: 0] += 1
    policy.remove(slot.eviction, isEvicted: false)
  }

  mutating func unpin(_ key: CacheKey) {
    guard let count = pins[key] else { return }
    pins[key] = count > 1 ? count - 1 : nil
    if count == 1, let slot = slots[key] { policy.insert(slot.eviction) }
  }

  // MARK: time to live

  mutating func setExpiry(_ slot: Slot, _ expiresAt: Double?) {
    slot.expiresAt = expiresAt
    slot.entry.recordExpiry(expiresAt)
    slot.eviction.expiresAt = expiresAt
    policy.reschedule(slot.eviction)
    queueExpiry(slot)
  }

  /// Takes out what has expired, at most `limit` entries; returns how many.
  mutating func expireDue(_ now: Double, limit: Int = .max, _ dropped: inout [Slot]) -> Int {
    var count = 0
    while count < limit, let item = expiry.popDue(now) {
      guard let slot = slots[item.key], slot.awaits(item) else { continue }
      expire(slot, &dropped)
      count += 1
    }
    return count
  }

  private mutating func expire(_ slot: Slot, _ dropped: inout [Slot]) {
    let before = ledger.totalBytes
    remove(slot, &dropped)
    expired.count += 1
    expired.bytes += before - ledger.totalBytes
  }

  private mutating func queueExpiry(_ slot: Slot) {
    guard let expiresAt = slot.expiresAt else { return }
    if expiry.count > 2 * slots.count + 64 {
      let slots = slots
      expiry.sweep { item in slots[item.key]?.awaits(item) ?? false }
    }
    expiry.insert(ExpiryQueue.Item(expiresAt: expiresAt, version: slot.entry.version, key: slot.key))
  }
}
