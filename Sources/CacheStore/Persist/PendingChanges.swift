import Primitives

/// Changes of the catalog that are not in the storage yet, in their order (`Durability.relaxed`): one thread writes them, one after the other,
/// so that the storage is at any time what the catalog was after some of them, and none of the later ones.
///
/// Two changes of one key that follow each other are written as one. What is evicted before it is written need not be: an eviction is no
/// change that somebody relies on, and may as well have come right after the put. A write that fails is tried again, and nothing
/// comes before it.
final class PendingChanges: @unchecked Sendable {
  /// Changes that may wait, at most; then calls do.
  static let maximumCount = 1024
  private static let pauseMillis = 1000

  private let path: String
  private let limitBytes: Int
  private let state = Locked(State())

  init(path: String, memoryLimitBytes: Int?) {
    self.path = path
    limitBytes = min(1 << 30, (memoryLimitBytes ?? 1 << 30) / 4)
  }

  var status: Status {
    state.withLock { Status(count: $0.changes.count, byteCount: $0.byteCount, failures: $0.failureCount, lastFailure: $0.lastFailure) }
  }

  /// Whether memory will come free when changes have been written.
  var holdsMemory: Bool { state.withLock { $0.failure == nil && $0.changes.contains(where: \.hasLeft) } }

  func contains(_ key: CacheKey) -> Bool { state.withLock { $0.changes.contains { $0.key == key } } }

  // MARK: room

  /// Waits until there is room for one more change, of so many bytes. Throws `.storage` where there is none since nothing can be written,
  /// `.interrupted`. To be given back when the change has been made.
  func reserve(_ byteCount: Int, _ isCancelled: (@Sendable () -> Bool)?, writing: () -> Void) throws(CacheError) {
    var attempts: Int?
    while true {
      let outcome = state.wait(waitMillis: 20) { state -> Result<Bool, CacheError>? in
        let isFree = state.changes.count + state.reserved.count < Self.maximumCount
        let held = state.byteCount.saturatingSum(state.reserved.byteCount)
        if isFree && (held == 0 || held.saturatingSum(byteCount) <= limitBytes) {
          state.reserved = (state.reserved.count + 1, state.reserved.byteCount.saturatingSum(byteCount))
          return .success(true)
        }
        guard let before = attempts else { return .success(false) }
        guard state.failedAttempt > before, let failure = state.failure else { return nil }
        return .failure(failure)
      }
      switch outcome {
      case .success(true): return
      case .success(false):
        let hasThread: Bool
        (attempts, hasThread) = state.signal { state in
          state.wantsAttempt = true
          return (state.attempts, state.thread != nil)
        }
        if !hasThread { writing() }
      case .failure(let failure):
        let status = status
        throw CacheError(
          .storage, "\(status.count) changes of \(status.byteCount) bytes wait to be written to '\(path)', which fails: \(failure.message); nothing is lost: "
            + "see to the disk and flush", cause: failure.cause, systemError: failure.systemError)
      case nil: break
      }
      if isCancelled?() ?? false { throw CacheError(.interrupted, "the change was cancelled while others were written before it") }
    }
  }

  func giveBack(_ byteCount: Int) {
    state.signal { $0.reserved = ($0.reserved.count - 1, max(0, $0.reserved.byteCount - byteCount)) }
  }

  // MARK: changing, under the catalog's lock

  func append(_ key: CacheKey, _ action: Action, replacing old: Entry?) {
    let files = old?.namedFiles ?? []
    state.signal { state in
      if let last = state.changes.indices.last, state.changes[last].key == key, last > 0 || !state.isWriting {
        state.replace(last, action, files)
      } else {
        state.append(Change(key: key, number: 0, action: action, replaced: files))
      }
    }
  }

  /// The entry has been evicted or has expired.
  func evict(_ key: CacheKey, _ entry: Entry) {
    let files = entry.namedFiles
    state.signal { state in
      let last = state.changes.lastIndex { $0.key == key }
      if let last, last > 0 || !state.isWriting {
        if case .write = state.changes[last].action { state.replace(last, .forget, files) }
      } else {
        state.append(Change(key: key, number: 0, action: .forget, replaced: files))
      }
    }
  }

  /// Whether the entry, which the catalog has let go of, is to be written still: its memory stays the store's until then.
  func keeps(_ entry: Entry) -> Bool {
    state.signal { state in
      guard let index = state.changes.firstIndex(where: { $0.entry === entry }) else { return false }
      state.changes[index].hasLeft = true
      return true
    }
  }

  // MARK: writing

  /// Starts the thread that writes; without one, calls write.
  func start(_ body: @escaping () -> Void) {
    guard let thread = EngineThread(body) else { return }
    state.signal { $0.thread = thread }
  }

  private enum Step { case write(Change), pause, end }

  /// The first change, once there is one and it is time for it; nil: there will be none. `isWaiting` false: nil where there is none now.
  func next(isWaiting: Bool) -> Change? {
    while true {
      let step = state.wait(waitMillis: isWaiting ? nil : 0) { state -> Step? in
        guard let first = state.changes.first else { return state.isStopped || !isWaiting ? .end : nil }
        if state.isWriting { return isWaiting ? nil : .end }
        if isWaiting, state.failure != nil, !state.wantsAttempt, !state.isStopped { return .pause }
        (state.isWriting, state.wantsAttempt) = (true, false)
        state.attempts += 1
        return .write(first)
      }
      switch step {
      case .write(let change): return change
      case .pause:
        _ = state.wait(waitMillis: Self.pauseMillis) { $0.wantsAttempt || $0.isStopped ? true : nil }
        state.signal { $0.wantsAttempt = true }
      case .end, nil: return nil
      }
    }
  }

  /// What `next` gave is in the storage, or never will be. Returns it as it is by now, and what others have let go of.
  func finish(refusing refusal: CacheError? = nil) -> (change: Change, released: [Entry])? {
    state.signal { state in
      guard state.isWriting, !state.changes.isEmpty else { return nil }
      defer { state.released = [] }
      let change = state.changes.removeFirst()
      state.byteCount = max(0, state.byteCount - change.byteCount)
      (state.isWriting, state.doneNumber, state.failure) = (false, change.number, nil)
      if let refusal {
        state.refused.append(refusal)
        state.note(refusal)
      }
      return (change, state.released)
    }
  }

  /// What becomes of a change that could not be written.
  enum Failed {
    /// It will be tried again; whether why is something new.
    case again(isNew: Bool)
    /// The entry has been removed since, which may as well have come at once, as if it had been evicted. With what the catalog has let go of.
    case overtaken(Entry?)
  }

  func fail(_ error: CacheError) -> Failed {
    state.signal { state in
      let isNew = state.failure.map { $0.code != error.code || $0.systemError != error.systemError } ?? true
      state.isWriting = false
      state.note(error)
      if let first = state.changes.first, let entry = first.entry, let last = state.changes.dropFirst().last(where: { $0.key == first.key }),
        last.entry == nil
      {
        state.replace(0, .forget, [])
        state.changes[0].hasLeft = false
        state.failure = nil
        return .overtaken(first.hasLeft ? entry : nil)
      }
      (state.failure, state.failedAttempt) = (error, state.attempts)
      return .again(isNew: isNew)
    }
  }

  /// Waits until all changes of before are in the storage. Throws why they are not.
  func flush(_ isCancelled: (@Sendable () -> Bool)?, writing: () -> Void) throws(CacheError) {
    let (target, attempts, hasThread) = state.signal { state in
      state.wantsAttempt = true
      return (state.lastNumber, state.attempts, state.thread != nil)
    }
    if !hasThread { writing() }
    while true {
      let outcome = state.wait(waitMillis: 20) { state -> Result<Void, CacheError>? in
        if state.doneNumber >= target || state.changes.isEmpty {
          guard let refusal = state.refused.first else { return .success(()) }
          state.refused.removeFirst()
          return .failure(refusal)
        }
        guard state.failedAttempt > attempts, let failure = state.failure else { return nil }
        return .failure(
          CacheError(
            .storage, "\(state.changes.count) changes of \(state.byteCount) bytes are not in '\(path)' yet: \(failure.message); they wait in memory and are "
              + "tried again: see to the disk and flush", cause: failure.cause, systemError: failure.systemError))
      }
      if let outcome { return try outcome.get() }
      if isCancelled?() ?? false { throw CacheError(.interrupted, "waiting for the storage was cancelled: changes are written in the background") }
    }
  }

  /// Writes what is left, unless that fails, and ends the thread. `discards`: what has not been written is not to be, but for what was
  /// persisted by name.
  func stop(discards: Bool, writing: () -> Void) {
    let thread = state.signal { state in
      (state.isStopped, state.discards) = (true, discards)
      return state.thread.take()
    }
    if let thread { thread.join() } else { writing() }
  }

  /// Whether entries that are not there yet need not be written any more.
  var discards: Bool { state.withLock { $0.discards } }

  /// Whether the thread is to end, though there is more.
  var givesUp: Bool { state.withLock { $0.isStopped } }
}
