import CacheStore
import Primitives

/// How often results were there, and what they take.
public struct ResultCounters: Hashable, Sendable {
  public var hits = 0
  /// Results that were asked for whole and had to be made.
  public var misses = 0
  public var count = 0
  public var byteCount = 0

  public init() {}
}

/// Results of statements that give the same as long as the tables they read are the same. Within a share of the memory limit; what was
/// quick to make for its size, and is rarely asked for, goes first (GDSF: Cherkasova, 1998, with the seconds it took as the cost).
final class ResultCache: ResultKeeper {
  private static let mostResults = 1024
  /// Below this size all are alike: a result costs more than its bytes.
  private static let leastBytes = 4096

  private struct Place {
    let result: KeptResult
    let byteCount: Int
    var useCount = 1
    var rank: Double
  }

  private struct State {
    var places: [ResultKey: Place] = [:]
    /// By the versions of entries that they have read.
    var keys: [UInt64: Set<ResultKey>] = [:]
    var counters = ResultCounters()
    /// The rank of what went last: what has not been asked for since ages by it.
    var floor = 0.0

    mutating func rank(_ result: KeptResult, _ byteCount: Int, _ useCount: Int) -> Double {
      floor + Double(useCount) * result.seconds / Double(max(byteCount, ResultCache.leastBytes))
    }

    mutating func take(_ key: ResultKey) -> KeptResult? {
      guard let place = places.removeValue(forKey: key) else { return nil }
      counters.count -= 1
      counters.byteCount -= place.byteCount
      place.result.charges.forEach { $0.letGo() }
      for table in place.result.tables {
        keys[table.version]?.remove(key)
        if keys[table.version]?.isEmpty ?? false { keys[table.version] = nil }
      }
      return place.result
    }
  }

  private let store: Store
  private let mostBytes: Int
  private let mostBytesOfOne: Int
  private let state = Locked(State())

  init(store: Store) {
    self.store = store
    let limit = store.options.memoryLimitBytes ?? 1 << 30
    (mostBytes, mostBytesOfOne) = (limit / 8, limit / 16)
    store.register(self)
  }

  var counters: ResultCounters { state.withLock { $0.counters } }

  /// What was asked for with `key` before, where it still holds. That is a use of the tables it has read.
  func find(_ key: ResultKey, generation: UInt64) -> KeptResult? {
    guard let result = state.withLock({ $0.places[key]?.result }) else { return nil }
    guard result.generation == generation, store.stillMeans(result.tables) else {
      let stale = state.withLock { state in state.places[key]?.result === result ? state.take(key) : nil }
      withExtendedLifetime(stale) {}
      return nil
    }
    state.withLock { state in
      state.counters.hits += 1
      guard var place = state.places[key] else { return }
      place.useCount += 1
      place.rank = state.rank(place.result, place.byteCount, place.useCount)
      state.places[key] = place
    }
    return result
  }

  /// Whether there is a result that still holds; counts as no hit.
  func holds(_ key: ResultKey, generation: UInt64) -> Bool {
    guard let result = state.withLock({ $0.places[key]?.result }) else { return false }
    return result.generation == generation && store.stillMeans(result.tables)
  }

  func countMiss() { state.withLock { $0.counters.misses += 1 } }

  /// Whether a result of this size is kept at all.
  func takes(_ byteCount: Int) -> Bool { byteCount <= mostBytesOfOne }

  func keep(_ result: KeptResult, for key: ResultKey) {
    let byteCount = result.byteCount
    guard takes(byteCount) else { return }
    // What is let go here calls DuckDB's release of its memory: with no lock held.
    var gone: [KeptResult] = []
    state.withLock { state in
      if let old = state.take(key) { gone.append(old) }
      while state.counters.count >= Self.mostResults || state.counters.byteCount + byteCount > mostBytes,
        let least = state.places.min(by: { $0.value.rank < $1.value.rank })
      {
        state.floor = least.value.rank
        if let old = state.take(least.key) { gone.append(old) }
      }
      guard store.keep(result.charges) else { return }
      state.places[key] = Place(result: result, byteCount: byteCount, rank: state.rank(result, byteCount, 1))
      for table in result.tables { state.keys[table.version, default: []].insert(key) }
      state.counters.count += 1
      state.counters.byteCount += byteCount
    }
    withExtendedLifetime(gone) {}
  }

  func takeResults() -> [AnyObject] {
    state.withLock { state in state.places.keys.map { $0 }.compactMap { state.take($0) } }
  }

  func takeResults(of versions: [UInt64]) -> [AnyObject] {
    state.withLock { state in versions.flatMap { state.keys[$0] ?? [] }.compactMap { state.take($0) } }
  }
}
