import Primitives

/// The account of the disk: spill files as long as they are there, mapped ones without a name included, and what DuckDB has written.
final class DiskLedger: Sendable {
  private struct State {
    var bytes = 0
    var fileCount = 0
    var highWater = 0
  }

  let limitBytes: Int?
  private let state = Locked(State())

  init(limitBytes: Int?) { self.limitBytes = limitBytes }

  var bytes: Int { state.withLock { $0.bytes } }
  var fileCount: Int { state.withLock { $0.fileCount } }
  var highWater: Int { state.withLock { $0.highWater } }

  /// Takes room for a file that will have about so many bytes, beside `others` that are not ours; nil where the limit leaves none.
  func reserve(_ byteCount: Int, beside others: Int) -> DiskCharge? {
    let isTaken = state.withLock { state in
      if let limitBytes, state.bytes.saturatingSum(others).saturatingSum(byteCount) > limitBytes { return false }
      change(&state, byteCount, 1)
      return true
    }
    return isTaken ? DiskCharge(self, byteCount) : nil
  }

  fileprivate func change(by byteCount: Int, files: Int) { state.withLock { change(&$0, byteCount, files) } }

  private func change(_ state: inout State, _ byteCount: Int, _ files: Int) {
    state.bytes += byteCount
    state.fileCount += files
    state.highWater = max(state.highWater, state.bytes)
  }
}

/// One file in the account of the disk, until this goes: the file keeps it.
final class DiskCharge: @unchecked Sendable {
  private let ledger: DiskLedger
  private var byteCount: Int

  fileprivate init(_ ledger: DiskLedger, _ byteCount: Int) { (self.ledger, self.byteCount) = (ledger, byteCount) }

  deinit { ledger.change(by: -byteCount, files: -1) }

  /// The file has turned out to have so many bytes. Called once, by who writes the file.
  func settle(_ actual: Int) {
    ledger.change(by: actual - byteCount, files: 0)
    byteCount = actual
  }
}
