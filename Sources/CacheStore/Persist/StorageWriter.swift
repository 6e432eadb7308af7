import ArrowData
import Primitives

/// Writes what is pending to the storage. Holds the store's machinery, not the store.
struct StorageWriter {
  let storage: Storage
  let pending: PendingChanges
  let tiers: Tiers
  let turns: FolderTurns

  /// What the thread does, until the store is closed.
  func run() { while let change = pending.next(isWaiting: true) { if !write(change), pending.givesUp { return } } }

  /// What there is now, on the caller's thread; ends where a write fails.
  func drain() { while let change = pending.next(isWaiting: false) { guard write(change) else { return } } }

  /// False where it failed and is to be tried again.
  private func write(_ change: PendingChanges.Change) -> Bool {
    do throws(CacheError) {
      try apply(change)
      settle(pending.finish())
      return true
    } catch {
      guard let entry = change.entry, error.code != .storage || entry.hasLostRows else {
        switch pending.fail(error) {
        case .again(let isNew):
          if isNew { note(change, error) }
          return false
        case .overtaken(let entry):
          if let entry { leave(entry) }
          return true
        }
      }
      // Never will be. What was there before would be older than what others have of that time.
      if error.code == .storage { attempt { () throws(CacheError) in try storage.forget(storage.folder(change.key.text)) } }
      note(change, error)
      settle(pending.finish(refusing: error))
      return true
    }
  }

  private func apply(_ change: PendingChanges.Change) throws(CacheError) {
    let folder = storage.folder(change.key.text)
    try turns.alone(folder.path) { () throws(CacheError) in
      for file in change.replaced { file.keepMapped() }
      switch change.action {
      case .forget: try storage.forget(folder)
      case .write where pending.discards && !isKept(folder): try storage.forget(folder, isDurable: false)
      case .write(let entry, let expiresAt, let order):
        let writer = PersistWriter(entry, to: folder, options: tiers.options, expiresAt: expiresAt, isKept: nil, order: order)
        _ = try writer.write()
      }
    }
  }

  /// Whether what the folder has was persisted by name, as far as that can be read.
  private func isKept(_ folder: PersistedFolder) -> Bool {
    do throws(CacheError) { return try Manifest.read(in: folder.path, files: folder.files)?.isKept ?? false } catch { return true }
  }

  private func settle(_ finished: (change: PendingChanges.Change, released: [Entry])?) {
    if let finished, finished.change.hasLeft, let entry = finished.change.entry { leave(entry) }
  }

  /// The catalog has let go of the entry, and nobody is to write it any more.
  private func leave(_ entry: Entry) {
    tiers.noteFreed(entry.segments.reduce(0) { $0.saturatingSum($1.leave()) })
    tiers.memory.wake()
  }

  private func note(_ change: PendingChanges.Change, _ error: CacheError) {
    tiers.events.record(
      .persistFailed, change.key.text, version: change.entry?.version ?? 0, bytes: change.entry?.sizeBytes ?? 0, to: .disk, cause: error.description,
      at: tiers.clock.now())
  }
}

/// Who writes to which folder: one call of this process at a time.
final class FolderTurns: Sendable {
  private let busy = Locked<Set<String>>([])

  /// Runs `body` while no other call works on the folder.
  func alone<Result>(_ path: String, _ body: () throws(CacheError) -> Result) throws(CacheError) -> Result {
    busy.wait { $0.insert(path).inserted ? true : nil }
    defer { busy.signal { _ = $0.remove(path) } }
    return try body()
  }
}

extension Entry {
  /// Whether some of its rows can never be read again.
  fileprivate var hasLostRows: Bool {
    for segment in segments {
      do throws(CacheError) {
        _ = try segment.read(offset: 0, count: segment.rowCount)
      } catch {
        if error.code == .storage, error.systemError == nil || error.isMissingFile { return true }
      }
    }
    return false
  }
}
