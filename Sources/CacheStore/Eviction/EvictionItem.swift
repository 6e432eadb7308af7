/// What a policy ranks: one entry, as far as ranking needs to know it. Only touched under the catalog's lock.
///
/// An item is with one policy at a time; whoever is ranked by two policies has an item for each.
///
/// Whoever is ranked inherits from it, so that a read finds all in one place. A policy keeps what it has.
package class EvictionItem {
  /// A hash of the key's bytes that is the same for every version of the entry: ghost lists remember keys by it.
  package let keyHash: UInt64
  /// Grows with every insertion into the store.
  package let sequence: UInt64
  /// After a change call `EvictionPolicy.resize`.
  package var byteCount: Int
  /// How long it took to make what the entry holds; nil: not known.
  package var rebuildSeconds: Double?
  /// After a change call `EvictionPolicy.reschedule`.
  package var expiresAt: Double?
  /// Reads since the insertion.
  package private(set) var accessCount = 0
  /// Grows with every access in the store; the insertion is one.
  package private(set) var lastAccess: UInt64

  /// These three belong to the policy that has the item; `place` -1: none has it.
  var place = -1
  var list = 0
  var mark = 0

  package init(
    keyHash: UInt64, byteCount: Int, sequence: UInt64, lastAccess: UInt64, rebuildSeconds: Double? = nil, expiresAt: Double? = nil
  ) {
    (self.keyHash, self.byteCount, self.sequence, self.lastAccess) = (keyHash, byteCount, sequence, lastAccess)
    (self.rebuildSeconds, self.expiresAt) = (rebuildSeconds, expiresAt)
  }

  /// Whether a policy has it.
  package var isRanked: Bool { place >= 0 }

  /// Notes a read; `EvictionPolicy.touch` comes after that.
  package func recordAccess(tick: UInt64) {
    lastAccess = tick
    accessCount += 1
  }

  /// As if it had been read so often, the last time at `tick`.
  package func restore(accessCount: Int, tick: UInt64) { (self.accessCount, lastAccess) = (accessCount, tick) }

  /// FNV-1a, then the finalizer of SplitMix64 so that every bit depends on every byte.
  package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return mixed(hash)
  }

  /// The finalizer of SplitMix64: a bijection.
  static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
