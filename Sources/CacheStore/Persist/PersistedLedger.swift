import Primitives

/// The persisted files that entries have their rows in, each counted once. They are no part of the disk that is limited: they belong to
/// who has persisted them.
final class PersistedLedger: Sendable {
  private struct Known {
    let byteCount: Int
    var references = 0
  }

  private struct State {
    var files: [String: Known] = [:]
    var bytes = 0
  }

  private let state = Locked(State())

  var bytes: Int { state.withLock { $0.bytes } }
  var fileCount: Int { state.withLock { $0.files.count } }

  fileprivate func add(_ path: String, _ byteCount: Int) {
    state.withLock { state in
      if state.files[path] == nil { state.bytes += byteCount }
      state.files[path, default: Known(byteCount: byteCount)].references += 1
    }
  }

  fileprivate func remove(_ path: String) {
    state.withLock { state in
      guard var known = state.files[path] else { return }
      known.references -= 1
      state.files[path] = known.references > 0 ? known : nil
      if known.references == 0 { state.bytes -= known.byteCount }
    }
  }
}

/// One file in the account, until this goes: the file keeps it.
final class PersistedCharge: Sendable {
  private let ledger: PersistedLedger
  private let path: String

  init(_ ledger: PersistedLedger, _ path: String, byteCount: Int) {
    (self.ledger, self.path) = (ledger, path)
    ledger.add(path, byteCount)
  }

  deinit { ledger.remove(path) }
}
