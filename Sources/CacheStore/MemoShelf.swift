import Primitives

/// What callers keep beside one entry, or one result of a query, by name.
public final class MemoShelf: @unchecked Sendable {
  private struct Memo {
    let value: AnyObject
    let byteCount: Int
    /// Whether it keeps rows of the entry alive.
    let holdsRows: Bool
  }

  private let budget: MemoBudget
  private let memos = Locked<[String: Memo]>([:])

  init(_ budget: MemoBudget) { self.budget = budget }

  deinit { budget.forget(self, memos.withLock { $0.values.reduce(0) { $0 + $1.byteCount } }) }

  public subscript(name: String) -> AnyObject? { memos.withLock { $0[name]?.value } }

  /// False where there is no room. What is replaced is let go with no lock held.
  public func keep(_ value: AnyObject, _ name: String, _ byteCount: Int, holdsRows: Bool = false) -> Bool {
    let memo = Memo(value: value, byteCount: max(0, byteCount), holdsRows: holdsRows)
    var replaced: Memo?
    let isKept = memos.withLock { memos in
      replaced = memos[name]
      guard budget.take(memo.byteCount - (replaced?.byteCount ?? 0)) else { return false }
      memos[name] = memo
      return true
    }
    if isKept, memo.byteCount > 0 { budget.remember(self) }
    withExtendedLifetime(replaced) {}
    return isKept
  }

  func remove(_ name: String) {
    let removed = memos.withLock { $0.removeValue(forKey: name) }
    if let removed { _ = budget.take(-removed.byteCount) }
    withExtendedLifetime(removed) {}
  }

  /// Takes out what has memory of its own; the caller lets go of it with no lock held.
  fileprivate func takeHeavy() -> [AnyObject] { take { $0.byteCount > 0 } }

  /// Takes out what keeps rows of the entry alive; the caller lets go of it with no lock held.
  func takeRowHolders() -> [AnyObject] { take { $0.holdsRows } }

  private func take(where isWanted: (Memo) -> Bool) -> [AnyObject] {
    let taken = memos.withLock { memos in
      let taken = memos.filter { isWanted($0.value) }
      for name in taken.keys { memos[name] = nil }
      return taken.values.map { $0 }
    }
    let byteCount = taken.reduce(0) { $0 + $1.byteCount }
    if byteCount > 0 { _ = budget.take(-byteCount) }
    return taken.map(\.value)
  }
}

/// Memory of what callers keep beside entries: it counts against the memory limit, is kept only where there is room, and goes before
/// any entry does.
final class MemoBudget: Sendable {
  private struct WeakShelf: @unchecked Sendable { weak var shelf: MemoShelf? }

  private struct WeakKeeper: @unchecked Sendable { weak var keeper: (any ResultKeeper)? }

  private let ledger: MemoryLedger
  /// Who keeps results of queries.
  private let keepers = Locked<[WeakKeeper]>([])
  /// The shelves with memory of their own.
  private let shelves = Locked<[ObjectIdentifier: WeakShelf]>([:])

  init(_ ledger: MemoryLedger) { self.ledger = ledger }

  /// Takes bytes, which may be negative; false, and nothing taken, where there is no room for them.
  fileprivate func take(_ byteCount: Int) -> Bool { ledger.takeMemo(byteCount) }

  fileprivate func remember(_ shelf: MemoShelf) { shelves.withLock { $0[ObjectIdentifier(shelf)] = WeakShelf(shelf: shelf) } }

  fileprivate func forget(_ shelf: MemoShelf, _ byteCount: Int) {
    _ = shelves.withLock { $0.removeValue(forKey: ObjectIdentifier(shelf)) }
    if byteCount > 0 { _ = ledger.takeMemo(-byteCount) }
  }

  func remember(_ keeper: any ResultKeeper) { keepers.withLock { $0.append(WeakKeeper(keeper: keeper)) } }

  /// Takes out all results that are kept; the caller lets go of them with no lock held.
  func takeResults() -> [AnyObject] { keepers.withLock { $0.compactMap(\.keeper) }.flatMap { $0.takeResults() } }

  /// The same of those that have read one of these versions of entries, which are no more.
  func takeResults(of versions: [UInt64]) -> [AnyObject] { keepers.withLock { $0.compactMap(\.keeper) }.flatMap { $0.takeResults(of: versions) } }

  /// Takes out what has memory of its own, results included, all of it; the caller lets go of it with no lock held.
  func takeMemos() -> [AnyObject] {
    let found = shelves.withLock { shelves in
      defer { shelves = [:] }
      return shelves.values.compactMap(\.shelf)
    }
    return found.flatMap { $0.takeHeavy() } + takeResults()
  }
}
