import ArrowData

/// The segments of one version of an entry, from before it is whole: what goes to disk first is decided over these. Only touched under
/// the catalog's lock.
///
/// As an item it has a place in the order of spilling, as long as a segment could leave memory.
final class Holding: EvictionItem {
  let key: CacheKey
  let usage: Usage
  private(set) var segments: [Segment] = []
  /// The entry's place among the keys, where it is known before it is whole.
  var ordinal: UInt64?
  /// Of the entry, once it is whole.
  var version: UInt64?
  /// What is kept beside the entry goes when its rows leave memory. Not the entry itself: a weak reference would make each use of it
  /// cost a step more.
  weak var memos: MemoShelf?
  /// Whether the store still wants it.
  var isLive = true

  init(key: CacheKey, usage: Usage, sequence: UInt64, lastAccess: UInt64, buildSeconds: Double?, expiresAt: Double?) {
    (self.key, self.usage) = (key, usage)
    super.init(
      keyHash: key.stableHash, byteCount: 0, sequence: sequence, lastAccess: lastAccess, rebuildSeconds: buildSeconds, expiresAt: expiresAt)
  }

  func append(_ segment: Segment) {
    segment.key = key
    segments.append(segment)
    byteCount = byteCount.saturatingSum(segment.byteCount)
  }

  /// Whether files go with it.
  var hasTemporaryFile: Bool { segments.contains { $0.file?.isTemporary ?? false } }

  /// Segments that could leave memory: those that nobody else reads first, among them the ones not read for longest.
  func leavable() -> [(index: Int, segment: Segment)] {
    let candidates = segments.enumerated().compactMap { index, segment in
      segment.isLeavable ? (index: index, segment: segment, isHeld: segment.isHeldOutside, lastRead: segment.lastRead) : nil
    }
    let sorted = candidates.sorted { left, right in
      left.isHeld != right.isHeld ? right.isHeld : (left.lastRead, left.index) < (right.lastRead, right.index)
    }
    return sorted.map { ($0.index, $0.segment) }
  }
}
