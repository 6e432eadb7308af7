import Primitives

/// What is waiting.
extension PendingChanges {
  enum Action {
    /// A new version, with its place among the keys; without one, another time to live of a version that is there.
    case write(Entry, expiresAt: Double?, order: Int?)
    case forget
  }

  struct Change {
    let key: CacheKey
    var number: UInt64
    var action: Action
    /// Files that lose their names, and may have readers still.
    var replaced: [NamedFile]
    /// Whether the catalog has let go of the entry: its memory counts as the store's until it is written.
    var hasLeft = false

    var entry: Entry? { if case .write(let entry, _, _) = action { entry } else { nil } }
    /// What it keeps in memory, or reads from files.
    var byteCount: Int { if case .write(let entry, _, _?) = action { entry.sizeBytes } else { 0 } }
  }

  struct Status {
    var count = 0
    var byteCount = 0
    var failures = 0
    var lastFailure: String?
  }

  struct State {
    var changes: [Change] = []
    /// The first one is being written: it stays as it is.
    var isWriting = false
    var byteCount = 0
    /// Of calls that are about to make a change.
    var reserved = (count: 0, byteCount: 0)
    var lastNumber: UInt64 = 0
    var doneNumber: UInt64 = 0
    /// Attempts that have begun, the one that failed last, and why.
    var attempts = 0
    var failedAttempt = 0
    var failure: CacheError?
    /// Changes that never will be written; told once.
    var refused: [CacheError] = []
    var failureCount = 0
    var lastFailure: String?
    /// What has been replaced before it was written; let go of with no lock held.
    var released: [Entry] = []
    /// Somebody waits: no pause.
    var wantsAttempt = false
    var isStopped = false
    var discards = false
    var thread: EngineThread?
  }
}

extension PendingChanges.State {
  mutating func append(_ change: PendingChanges.Change) {
    var change = change
    lastNumber += 1
    change.number = lastNumber
    byteCount = byteCount.saturatingSum(change.byteCount)
    changes.append(change)
  }

  /// Puts another change of the key in place of one.
  mutating func replace(_ index: Int, _ action: PendingChanges.Action, _ files: [NamedFile]) {
    byteCount = max(0, byteCount - changes[index].byteCount)
    switch (changes[index].action, action) {
    case (.write(let old, _, let order), .write(let entry, let expiresAt, nil)) where old === entry:
      changes[index].action = .write(entry, expiresAt: expiresAt, order: order)
    default:
      if let entry = changes[index].entry { released.append(entry) }
      changes[index].action = action
    }
    changes[index].replaced += files
    byteCount = byteCount.saturatingSum(changes[index].byteCount)
    guard index == changes.count - 1 else { return }
    lastNumber += 1
    changes[index].number = lastNumber
  }

  mutating func note(_ error: CacheError) {
    failureCount += 1
    lastFailure = error.description
  }
}
