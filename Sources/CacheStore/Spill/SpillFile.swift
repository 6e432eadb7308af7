import ArrowData
import Glibc
import Primitives

/// Rows in a file of a `SpillFolder`; the file is removed with the last reference to it, or to anything read from it.
public final class SpillFile: SegmentFile, @unchecked Sendable {
  static let identityKey = [UInt8]("arrow_cache.spill".utf8)

  private let folder: SpillFolder
  private let counts: SpillCounts
  private let companion: (any AnyObject & Sendable)?
  private let process = getpid()

  init(
    _ path: String, _ facts: IPCFileFacts, pieces: [Range<Int>], schema: Schema, identity: KeyValue, folder: SpillFolder, counts: SpillCounts,
    keeping companion: (any AnyObject & Sendable)?
  ) {
    (self.companion, self.folder, self.counts) = (companion, folder, counts)
    super.init(
      path, byteCount: facts.byteCount, pieces: pieces, schema: schema, identity: [identity],
      isCompressed: folder.options.compression != .none, mappings: folder.mappings, files: folder.files,
      words: Words(rows: "spilled rows", remedy: "put the entry anew"))
    folder.noteOpen(self)
    counts.files.wrappingAdd(1, ordering: .relaxed)
    counts.bytes.wrappingAdd(byteCount, ordering: .relaxed)
  }

  override var isTemporary: Bool { true }

  deinit {
    // A child made by fork has a copy of this object, not of the file.
    guard process == getpid() else { return }
    folder.noteGone(ObjectIdentifier(self))
    closeMapping()
    do throws(CacheError) {
      try files.unlink(path)
    } catch {
      counts.unremoved.wrappingAdd(1, ordering: .relaxed)
    }
    counts.files.wrappingSubtract(1, ordering: .relaxed)
    counts.bytes.wrappingSubtract(byteCount, ordering: .relaxed)
  }
}
