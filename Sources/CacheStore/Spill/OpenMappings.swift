import Primitives
import Synchronization

/// The mapped files of a folder, as many as the limit allows; beyond it the one that was mapped first is let go of, and stays mapped
/// as long as someone reads it.
final class OpenMappings: Sendable {
  private struct State {
    var open: [Int: SpillMapping] = [:]
    /// In the order of mapping; has numbers of such as are gone.
    var order: [Int] = []
    var first = 0
  }

  private let limit: Int
  private let state = Locked(State())
  private let nextNumber = Atomic(0)

  init(limit: Int) { self.limit = max(1, limit) }

  var count: Int { state.withLock { $0.open.count } }

  func newNumber() -> Int { nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue }

  func insert(_ mapping: SpillMapping) {
    // Let go of after the lock: unmapping takes its time.
    var closed: [SpillMapping] = []
    state.withLock { state in
      state.open[mapping.number] = mapping
      state.order.append(mapping.number)
      while state.open.count > limit, state.first < state.order.count {
        if let oldest = state.open.removeValue(forKey: state.order[state.first]) { closed.append(oldest) }
        state.first += 1
      }
      if state.order.count > 2 * state.open.count + 64 {
        let rest = state.order[state.first...].filter { state.open[$0] != nil }
        (state.order, state.first) = (rest, 0)
      }
    }
    withExtendedLifetime(closed) {}
  }

  func remove(_ number: Int) {
    let removed = state.withLock { $0.open.removeValue(forKey: number) }
    withExtendedLifetime(removed) {}
  }
}
