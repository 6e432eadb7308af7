import CacheStore
import Primitives

/// How a policy did on a trace.
public struct Outcome: Sendable {
  public var requests = 0
  public var hits = 0
  public var bytes = 0
  public var hitBytes = 0
  public var seconds = 0.0
  public var missSeconds = 0.0
  public var evictions = 0

  public var hitRatio: Double { requests == 0 ? 0 : Double(hits) / Double(requests) }
  public var byteHitRatio: Double { bytes == 0 ? 0 : Double(hitBytes) / Double(bytes) }
  /// The share of the time to make everything anew, every time, that is still spent.
  public var costMissRatio: Double { seconds == 0 ? 0 : missSeconds / seconds }
}

/// Which rebuild times a policy is told.
public enum KnownCosts: Sendable {
  case measured
  case alike  // one second each
  case none
}

/// Reads the trace through a cache of `capacityBytes` that keeps whatever is not there, as the store does: what must go goes first.
/// What is larger than the cache stays outside.
public func replay(
  _ trace: Trace, policy name: String, arguments: [String: Double] = [:], capacityBytes: Int, costs: KnownCosts = .measured
) throws(CacheError) -> Outcome {
  let policy = try makeEvictionPolicy(name, arguments: arguments, capacityBytes: capacityBytes)
  var outcome = Outcome()
  var items: [UInt64: EvictionItem] = [:]
  var keys: [UInt64: UInt64] = [:]
  var heldBytes = 0
  var tick: UInt64 = 0
  for request in trace.requests {
    tick += 1
    outcome.requests += 1
    outcome.bytes += request.byteCount
    outcome.seconds += request.seconds
    if let item = items[request.key] {
      outcome.hits += 1
      outcome.hitBytes += request.byteCount
      item.recordAccess(tick: tick)
      policy.touch(item)
      continue
    }
    outcome.missSeconds += request.seconds
    guard request.byteCount <= capacityBytes else { continue }
    while heldBytes + request.byteCount > capacityBytes, let victim = policy.victim() {
      policy.remove(victim, isEvicted: true)
      heldBytes -= victim.byteCount
      if let key = keys.removeValue(forKey: victim.keyHash) { items[key] = nil }
      outcome.evictions += 1
    }
    let keyHash = withUnsafeBytes(of: request.key.littleEndian) { EvictionItem.hash($0) }
    let item = EvictionItem(
      keyHash: keyHash, byteCount: request.byteCount, sequence: tick, lastAccess: tick,
      rebuildSeconds: costs == .measured ? request.seconds : costs == .alike ? 1 : nil)
    items[request.key] = item
    keys[keyHash] = request.key
    heldBytes += request.byteCount
    policy.insert(item)
  }
  return outcome
}
