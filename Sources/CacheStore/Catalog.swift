import ArrowData
import Primitives

/// What a store holds: the state behind its one lock. Every method is short and calls nothing outside the engine.
///
/// What a method takes out it appends to `dropped`: the caller lets go of that after unlocking, since the last reference to a
/// batch calls its producer's release.
struct Catalog {
  /// What is taken out of the catalog, and why.
  struct Dropped {
    let slot: Slot
    let kind: StoreEvent.Kind
    let cause: String
  }

  private(set) var slots: [CacheKey: Slot] = [:]
  /// Keys by their folded form.
  private var keysByFolded: [CacheKey: [CacheKey]] = [:]
  /// How often each key is pinned; a pin stays with the key when the entry is replaced.
  private(set) var pins: [CacheKey: Int] = [:]
  /// Who is evicted first: every entry that is not pinned.
  let eviction: any EvictionPolicy
  /// Who leaves memory first: every holding that is not pinned and has a segment in memory.
  let spilling: any EvictionPolicy
  /// Whether any may leave memory: the order is not kept up where none does.
  private let isSpilling: Bool
  /// Where changes go that are to be in the storage later; nil: they are there before, or never.
  private let pending: PendingChanges?
  private var expiry = ExpiryQueue()
  var spares = SpareFiles()
  /// From where places are given out: those below are for entries that have come without one.
  private var lastSequence: UInt64 = 1 << 32
  private var lastVersion: UInt64 = 0
  private var accessTick: UInt64 = 0
  private(set) var partitionCount = 0
  var expiryQueueLength: Int { expiry.count }
  var isClosed = false
  var hits = 0
  var misses = 0

  init(eviction: any EvictionPolicy, spilling: any EvictionPolicy, isSpilling: Bool, pending: PendingChanges? = nil) {
    (self.eviction, self.spilling, self.isSpilling, self.pending) = (eviction, spilling, isSpilling, pending)
  }

  // MARK: reading

  /// The slot of a key that has not expired at `now`; an expired one is taken out.
  mutating func live(_ key: CacheKey, _ now: Double, _ dropped: inout [Dropped]) -> Slot? {
    guard let slot = slots[key] else { return nil }
    guard let expiresAt = slot.expiresAt, expiresAt <= now else { return slot }
    expire(slot, &dropped)
    return nil
  }

  /// The keys that are the same as `key` when both are folded, in the order of their first put.
  mutating func alike(_ key: CacheKey, _ now: Double, _ dropped: inout [Dropped]) -> [Slot] {
    var found: [Slot] = []
    for other in keysByFolded[key.folded] ?? [] {
      if let slot = live(other, now, &dropped) { found.append(slot) }
    }
    return found.sorted { $0.ordinal < $1.ordinal }
  }

  /// Counts a hit, which is an access, or a miss.
  mutating func count(_ slot: Slot?, _ now: Double) {
    guard let slot else { return misses += 1 }
    hits += 1
    accessTick += 1
    slot.usage.recordAccess(now)
    slot.recordAccess(tick: accessTick)
    eviction.touch(slot)
    guard isSpilling else { return }
    slot.holding.recordAccess(tick: accessTick)
    spilling.touch(slot.holding)
  }

  /// Takes over how an entry was used in a store of before, where this is the same version of it.
  mutating func restore(_ use: StoreHistory.Use) {
    guard let slot = slots[CacheKey(use.key)], abs(slot.entry.createdAt - use.createdAt) < 1e-5 else { return }
    accessTick += 1
    slot.usage.restore(lastAccessedAt: use.lastAccessedAt, accessCount: use.accessCount)
    for (item, policy, isKept) in [(slot as EvictionItem, eviction, true), (slot.holding, spilling, isSpilling)] where isKept && item.isRanked {
      item.restore(accessCount: use.accessCount, tick: accessTick)
      policy.touch(item)
    }
  }

  /// Has later versions have larger numbers than any of a store of before.
  mutating func continueVersions(after version: UInt64) { lastVersion = max(lastVersion, min(version, 1 << 62)) }

  // MARK: changing

  /// A holding for rows that are being put.
  mutating func beginHolding(_ key: CacheKey, usage: Usage, buildSeconds: Double?, expiresAt: Double?) -> Holding {
    accessTick += 1
    return Holding(
      key: key, usage: usage, sequence: lastVersion + 1, lastAccess: accessTick, buildSeconds: buildSeconds, expiresAt: expiresAt)
  }

  private mutating func nextOrdinal() -> UInt64 {
    lastSequence += 1
    return lastSequence
  }

  /// The place among the keys that the holding's entry will have: the one that its key has, else the next.
  mutating func reservePlace(_ holding: Holding) -> UInt64 {
    let ordinal = slots[holding.key]?.ordinal ?? holding.ordinal ?? nextOrdinal()
    holding.ordinal = ordinal
    return ordinal
  }

  /// Gives a holding a place that its entry had before; later ones come after it.
  mutating func restorePlace(_ holding: Holding, _ ordinal: UInt64) {
    holding.ordinal = ordinal
    lastSequence = max(lastSequence, ordinal)
  }

  /// Puts an entry in place of whatever has its key. `isStored`: the storage has it.
  mutating func insert(
    _ key: CacheKey, _ holding: Holding, expiresAt: Double?, isStored: Bool = false, _ dropped: inout [Dropped], make: (_ version: UInt64) -> Entry
  ) -> Entry {
    let old = slots[key]
    if let old {
      detach(old, isEvicted: false)
      dropped.append(Dropped(slot: old, kind: .replaced, cause: "put"))
    }
    lastVersion += 1
    accessTick += 1
    let slot = Slot(
      entry: make(lastVersion), key: key, holding: holding, ordinal: old?.ordinal ?? holding.ordinal ?? nextOrdinal(), expiresAt: expiresAt,
      lastAccess: accessTick)
    slots[key] = slot
    if old == nil { keysByFolded[key.folded, default: []].append(key) }
    partitionCount += slot.entry.partitions.count
    if pins[key] == nil {
      eviction.insert(slot)
      rankForSpilling(holding)
    } else {
      spilling.remove(holding, isEvicted: false)
    }
    queueExpiry(slot)
    if !isStored {
      pending?.append(key, .write(slot.entry, expiresAt: expiresAt, order: Int(clamping: slot.ordinal)), replacing: old?.entry)
    }
    return slot.entry
  }

  /// Takes the entry out for good.
  mutating func remove(_ slot: Slot, _ kind: StoreEvent.Kind, _ cause: String, _ dropped: inout [Dropped]) {
    detach(slot, isEvicted: kind == .evicted)
    slots[slot.key] = nil
    let folded = slot.key.folded
    keysByFolded[folded]?.removeAll { $0 == slot.key }
    if keysByFolded[folded]?.isEmpty ?? false { keysByFolded[folded] = nil }
    dropped.append(Dropped(slot: slot, kind: kind, cause: cause))
    switch kind {
    case .removed: pending?.append(slot.key, .forget, replacing: slot.entry)
    case .evicted, .expired: pending?.evict(slot.key, slot.entry)
    default: break
    }
  }

  /// Takes everything out; pins stay.
  mutating func removeAll(_ cause: String, _ dropped: inout [Dropped]) {
    for slot in slots.values {
      detach(slot, isEvicted: false)
      dropped.append(Dropped(slot: slot, kind: .removed, cause: cause))
    }
    slots = [:]
    keysByFolded = [:]
    expiry = ExpiryQueue()
  }

  private mutating func detach(_ slot: Slot, isEvicted: Bool) {
    eviction.remove(slot, isEvicted: isEvicted)
    discard(slot.holding)
    partitionCount -= slot.entry.partitions.count
  }

  // MARK: pins

  mutating func pin(_ slot: Slot) {
    pins[slot.key, default: 0] += 1
    eviction.remove(slot, isEvicted: false)
    spilling.remove(slot.holding, isEvicted: false)
  }

  mutating func unpin(_ key: CacheKey) {
    guard let count = pins[key] else { return }
    pins[key] = count > 1 ? count - 1 : nil
    guard count == 1, let slot = slots[key] else { return }
    eviction.restore(slot)
    rankForSpilling(slot.holding)
  }

  // MARK: time to live

  /// When the next entry expires, if any does.
  var nextExpiry: Double? { expiry.next }

  mutating func setExpiry(_ slot: Slot, _ expiresAt: Double?) {
    slot.expiresAt = expiresAt
    slot.entry.usage.recordExpiry(expiresAt)
    slot.holding.expiresAt = expiresAt
    eviction.reschedule(slot)
    spilling.reschedule(slot.holding)
    queueExpiry(slot)
    pending?.append(slot.key, .write(slot.entry, expiresAt: expiresAt, order: nil), replacing: nil)
  }

  /// Takes out what has expired, at most `limit` entries; returns how many.
  mutating func expireDue(_ now: Double, limit: Int = .max, _ dropped: inout [Dropped]) -> Int {
    var count = 0
    while count < limit, let item = expiry.popDue(now) {
      guard let slot = slots[item.key], slot.awaits(item) else { continue }
      expire(slot, &dropped)
      count += 1
    }
    return count
  }

  private mutating func expire(_ slot: Slot, _ dropped: inout [Dropped]) { remove(slot, .expired, "time to live", &dropped) }

  private mutating func queueExpiry(_ slot: Slot) {
    guard let expiresAt = slot.expiresAt else { return }
    if expiry.count > 2 * slots.count + 64 {
      let slots = slots
      expiry.sweep { item in slots[item.key]?.awaits(item) ?? false }
    }
    expiry.insert(ExpiryQueue.Item(expiresAt: expiresAt, version: slot.entry.version, key: slot.key))
  }
}
