import CacheStore
import Glibc
import PolicyReplay
import Primitives

// Replays traces through the eviction policies, for benchmarks/bench_policies.py. One command:
//
//   policy-replay FOLDER REQUESTS OBJECTS SEED SHARE...
//
// writes each trace to FOLDER/NAME.trace, 24 bytes a request (key, bytes, seconds, each of 64 bits, little-endian), and replays it
// through every policy with so large shares of its footprint. Answers with a line of JSON a run.

func fail(_ message: String) -> Never {
  let line = Array("policy-replay: \(message)\n".utf8)
  _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
  exit(2)
}

let words = CommandLine.arguments.dropFirst().map { $0 }
guard words.count >= 5, let requestCount = Int(words[1]), let objectCount = Int(words[2]), let seed = UInt64(words[3]),
  requestCount > 0, objectCount > 0
else { fail("usage: policy-replay FOLDER REQUESTS OBJECTS SEED SHARE...") }
let shares = words[4...].map { word -> Double in
  guard let share = Double(word), share > 0, share <= 1 else { fail("a share is from 0 to 1, not \(word)") }
  return share
}

func write(_ trace: Trace, to path: String) {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(24 * trace.requests.count)
  for request in trace.requests {
    for word in [request.key, UInt64(request.byteCount), request.seconds.bitPattern] {
      withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
    }
  }
  guard let file = fopen(path, "w") else { fail("\(path) can't be written") }
  let written = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0, written == bytes.count else { fail("\(path) can't be written") }
}

for name in Trace.names {
  guard let trace = Trace(name, requestCount: requestCount, objectCount: objectCount, seed: seed) else { fail("no trace \(name)") }
  write(trace, to: "\(words[0])/\(name).trace")
  let footprint = trace.footprintBytes
  for share in shares {
    let capacity = max(1, Int(share * Double(footprint)))
    let runs = evictionPolicyNames.map { ($0, KnownCosts.measured) } + [("gdsf", .alike), ("gdsf", .none)]
    for (policy, costs) in runs {
      do throws(CacheError) {
        let outcome = try replay(trace, policy: policy, capacityBytes: capacity, costs: costs)
        print(
          """
          {"trace": "\(name)", "policy": "\(policy)", "costs": "\(costs)", "footprint": \(footprint), "share": \(share), \
          "capacity": \(capacity), "requests": \(outcome.requests), "hit_ratio": \(outcome.hitRatio), \
          "byte_hit_ratio": \(outcome.byteHitRatio), "cost_miss_ratio": \(outcome.costMissRatio), "evictions": \(outcome.evictions)}
          """)
      } catch {
        fail(error.description)
      }
    }
  }
}
