import Glibc

/// One read of a cache: a key that stands for so many bytes, which took so long to make.
public struct Request: Equatable, Sendable {
  public var key: UInt64
  public var byteCount: Int
  public var seconds: Double
}

/// Requests one after another, the same for the same arguments.
public struct Trace: Sendable {
  public let name: String
  public let requests: [Request]

  /// What the distinct keys have together.
  public var footprintBytes: Int {
    var seen = Set<UInt64>()
    return requests.reduce(0) { $0 + (seen.insert($1.key).inserted ? $1.byteCount : 0) }
  }

  public static let names = ["zipf", "zipf-unit", "scan", "shift", "heavy"]

  /// The trace of that name; nil: there is none.
  ///
  /// - `zipf`: keys by Zipf's law with exponent 0.9, sizes over two decades
  /// - `zipf-unit`: the same keys, each of one byte
  /// - `scan`: the same, and every so often a scan of keys that never come back
  /// - `shift`: Zipf's law over a working set half of which is replaced, time and again
  /// - `heavy`: Zipf's law with exponent 0.8, sizes over four decades, seconds by Pareto's law with exponent 1, all three independent
  ///
  /// - Parameters:
  ///   - objectCount: keys that may come back.
  ///   - seed: of the random numbers.
  public init?(_ name: String, requestCount: Int, objectCount: Int, seed: UInt64 = 1) {
    var random = SplitMix64(seed)
    let popularity = Zipf(objectCount, exponent: name == "heavy" ? 0.8 : 0.9)
    let place = random.shuffled(objectCount)
    var requests: [Request] = []
    requests.reserveCapacity(requestCount)
    let object: (UInt64) -> Request
    switch name {
    case "zipf", "scan", "shift": object = { Request(key: $0, byteCount: 1 + Int(99 * SplitMix64.unit(seed, $0, 1)), seconds: 1) }
    case "zipf-unit": object = { Request(key: $0, byteCount: 1, seconds: 1) }
    case "heavy":
      object = { key in
        let bytes = pow(10, 4 * SplitMix64.unit(seed, key, 1))
        let seconds = min(0.001 / (1 - SplitMix64.unit(seed, key, 2)), 3600)
        return Request(key: key, byteCount: Int(bytes), seconds: seconds)
      }
    default: return nil
    }
    var scanned = UInt64(objectCount)
    let (scanEvery, scanLength) = (max(1, objectCount / 2), max(1, objectCount / 8))
    let phaseLength = max(1, requestCount / 8)
    while requests.count < requestCount {
      if name == "scan", requests.count % scanEvery < scanLength, requests.count >= scanEvery {
        scanned += 1
        requests.append(object(scanned))
        continue
      }
      let rank = place[popularity.draw(&random)]
      let phase = name == "shift" ? requests.count / phaseLength : 0
      // Half of the places of the working set get new keys with each phase, the one half and the other in turn.
      let generation = (phase + rank % 2) / 2
      requests.append(object(UInt64(rank + generation * objectCount)))
    }
    (self.name, self.requests) = (name, requests)
  }
}

/// Vigna's SplitMix64.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 up to, but without, 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// The same for the same three.
  static func unit(_ seed: UInt64, _ key: UInt64, _ which: UInt64) -> Double {
    var random = SplitMix64(seed &* 31 &+ key &* 0x2545_f491_4f6c_dd1d &+ which)
    return random.unit()
  }

  /// 0 ..< count in a random order.
  mutating func shuffled(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, Int(next() % UInt64(index + 1))) }
    return order
  }
}

/// Ranks by Zipf's law.
struct Zipf {
  private let cumulated: [Double]

  init(_ count: Int, exponent: Double) {
    var sum = 0.0
    cumulated = (1...count).map { rank in
      sum += pow(Double(rank), -exponent)
      return sum
    }
  }

  func draw(_ random: inout SplitMix64) -> Int {
    let wanted = random.unit() * (cumulated.last ?? 0)
    var (low, high) = (0, cumulated.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulated[middle] <= wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
