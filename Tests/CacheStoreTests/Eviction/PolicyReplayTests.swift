import CacheStore
import PolicyReplay
import Testing

/// What the policies are chosen for, on traces that are the same in every run.
@Suite struct PolicyReplayTests {
  private static func outcome(
    _ name: String, _ policy: String, share: Double = 0.1, costs: KnownCosts = .measured
  ) throws -> Outcome {
    let trace = try #require(Trace(name, requestCount: 30_000, objectCount: 2_000))
    let capacityBytes = Int(share * Double(trace.footprintBytes))
    return try replay(trace, policy: policy, capacityBytes: capacityBytes, costs: costs)
  }

  @Test func aTraceIsTheSameEveryTime() throws {
    for name in Trace.names {
      let trace = try #require(Trace(name, requestCount: 5000, objectCount: 500))
      #expect(trace.requests.count == 5000)
      #expect(Trace(name, requestCount: 5000, objectCount: 500)?.requests == trace.requests)
      #expect(Trace(name, requestCount: 5000, objectCount: 500, seed: 2)?.requests != trace.requests)
      var bytes: [UInt64: Int] = [:]
      for request in trace.requests {
        let before = bytes.updateValue(request.byteCount, forKey: request.key)
        #expect(before == nil || before == request.byteCount)
      }
    }
    #expect(Trace("other", requestCount: 1, objectCount: 1) == nil)
  }

  @Test(arguments: evictionPolicyNames, Trace.names)
  func whatFitsIsMissedOnce(policy: String, name: String) throws {
    let trace = try #require(Trace(name, requestCount: 5000, objectCount: 300))
    let outcome = try replay(trace, policy: policy, capacityBytes: trace.footprintBytes)
    #expect(outcome.evictions == 0)
    #expect(outcome.hits == 5000 - Set(trace.requests.map(\.key)).count)
    let nothing = try replay(trace, policy: policy, capacityBytes: 0)
    #expect(nothing.hits == 0)
  }

  /// Rebuild costs with a heavy tail and sizes over four decades: measured costs must save two thirds of what LRU spends.
  @Test(arguments: [0.05, 0.1, 0.25]) func measuredCostsSaveTwoThirds(share: Double) throws {
    let lru = try Self.outcome("heavy", "lru", share: share)
    let gdsf = try Self.outcome("heavy", "gdsf", share: share)
    #expect(gdsf.costMissRatio <= lru.costMissRatio / 3)
    let blind = try Self.outcome("heavy", "gdsf", share: share, costs: .none)
    #expect(blind.costMissRatio > gdsf.costMissRatio)
  }

  @Test(arguments: ["arc", "sieve", "s3fifo", "w-tinylfu", "gdsf"])
  func scansDoNoHarm(policy: String) throws {
    #expect(try Self.outcome("scan", policy).hitRatio >= Self.outcome("scan", "lru").hitRatio + 0.03)
    #expect(try Self.outcome("zipf", policy).hitRatio >= Self.outcome("zipf", "lru").hitRatio + 0.03)
  }

  /// What goes by frequency alone keeps the old working set; the others follow.
  @Test(arguments: ["lru", "arc", "sieve", "s3fifo", "w-tinylfu", "gdsf", "weighted"])
  func aNewWorkingSetGetsIn(policy: String) throws {
    #expect(try Self.outcome("shift", policy).hitRatio >= Self.outcome("shift", "lfu").hitRatio + 0.1)
  }
}
