import CacheStore
import Primitives

extension ArrowCache {
  /// Writes an entry to a folder of its own in `folder`, which is made where it is not there; false where there is no entry. Is no access.
  ///
  /// A snapshot of the current version, durable and whole, or not there at all, when this returns; only partitions that are not there yet are
  /// written. The files are Arrow IPC files that other readers open as they are; docs/storage-format.md tells what is where.
  /// `encoder` makes files of another format: a function from rows to bytes. `isCancelled` is asked now and then. Throws `.storage` where the disk fails or another process writes there, `.interrupted`.
  @discardableResult
  public func persist(
    _ key: String, in folder: String, encoder: (format: PartFormat, encode: PartEncoder)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Bool {
    try checkUsable()
    return try store.persist(key, in: folder, encoder: encoder, isCancelled: isCancelled)
  }

  /// Brings back what `persist` has written to `folder`, in place of what is there under `key`; false where nothing of that key is there, or
  /// its time to live is over.
  ///
  /// Files of another format than Arrow's are read into memory, by `decoder`, and are `.type` without one. Arrow files are mapped, not read; what is read is compared with its checksums then, or with `isVerified` all of it at once. Throws
  /// `.storage` where a file is missing or damaged, `.type` where it is of a later format. The cache is as it was then.
  @discardableResult
  public func load(
    _ key: String, from folder: String, isVerified: Bool = false, decoder: PartDecoder? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(CacheError) -> Bool {
    try checkUsable()
    return try store.load(key, from: folder, isVerified: isVerified, decoder: decoder, isCancelled: isCancelled)
  }

  /// Waits until every change of before is in the storage: with `Durability.relaxed`, changes come there in the background. Throws `.storage` where
  /// some cannot be written, which wait in memory and are tried again; `.interrupted`.
  public func flush(isCancelled: (@Sendable () -> Bool)? = nil) throws(CacheError) {
    try checkUsable()
    try store.flush(isCancelled: isCancelled)
  }
}
