@_exported import struct CacheStore.EntryContents
@_exported import struct CacheStore.PartitionPlace
@_exported import struct CacheStore.PartitionPlacement
import Primitives

extension ArrowCache {
  /// An entry with what it takes in memory and on disk, and whether it is pinned; nil where there is none. Is no access.
  /// `Entry.placements` says where each partition is.
  public func contents(of key: String) throws(CacheError) -> EntryContents? {
    try checkUsable()
    _ = try store.find(key, counting: false)
    return store.contents(of: key)
  }
}
