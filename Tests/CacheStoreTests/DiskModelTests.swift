import Glibc
import Primitives
import Testing

@testable import CacheStore

/// Random operations over memory and disk. For longer runs: `ARROW_CACHE_TEST_SEEDS` (how many), `_FIRST_SEED`, `_STEPS`.
@Suite struct DiskModelTests {
  static func setting(_ name: String, _ otherwise: Int) -> Int { getenv("ARROW_CACHE_TEST_\(name)").flatMap { Int(String(cString: $0)) } ?? otherwise }

  private static let seeds = (0..<setting("SEEDS", 4)).map { UInt64($0 + setting("FIRST_SEED", 0)) }

  @Test(arguments: seeds) func nothingIsLostThatNeedNotBe(seed: UInt64) async throws {
    let model = try DiskModel(DiskModel.Setting(seed: seed))
    let steps = Self.setting("STEPS", 10_000)
    for step in 0..<steps {
      // Others have time limits, which count from when they could have begun.
      if step % 20 == 0 { await Task.yield() }
      guard model.step() else {
        Issue.record("step \(step), \(model.problems.joined(separator: "\n"))")
        return
      }
    }
    #expect(model.finish() == nil)
    if steps >= 5000 {
      let counts = model.counts
      #expect(counts["event put", default: 0] > steps / 8)
      if model.setting.spills { #expect(counts["event spilled", default: 0] > steps / 20, "\(counts)") }
      if !model.setting.isSafe { #expect(counts["event evicted", default: 0] > 20, "\(counts)") }
      if model.setting.spills { #expect(counts["event loaded", default: 0] > 0, "\(counts)") }
    }
  }
}
