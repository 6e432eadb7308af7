/// How often keys were seen of late, roughly and never too low but for ageing: a count-min sketch of 4-bit counters that are halved
/// after every so many counts.
///
/// G. Cormode, S. Muthukrishnan: An Improved Data Stream Summary. J. Algorithms 2005; halving after a sample that is a multiple of the
/// number of keys, and raising the lowest counters alone, are of TinyLFU (see `WindowTinyLFU`). The sketch doubles with the keys that
/// it is to hold; a counter then stands at both places that its keys may go to, so that no estimate changes.
struct FrequencySketch {
  static let mostCounts = 15
  private static let rowCount = 4
  private static let leastWidth = 256
  private static let greatestWidth = 1 << 21
  private static let widthPerKey = 4
  /// Counts from one halving to the next, per key.
  private static let sampleFactor = 6

  /// Row by row; each byte is two counters.
  private var bytes: [UInt8]
  /// Counters in a row, a power of two.
  private(set) var width: Int
  private var countsSinceHalving = 0
  private(set) var halvings = 0

  init() {
    width = Self.leastWidth
    bytes = [UInt8](repeating: 0, count: Self.rowCount * width / 2)
  }

  /// Makes room for so many keys. Amortised O(1) where they come one by one.
  mutating func grow(toKeys keyCount: Int) { while width / Self.widthPerKey < keyCount, width < Self.greatestWidth { double() } }

  func estimate(_ keyHash: UInt64) -> Int {
    var least = Self.mostCounts
    for row in 0..<Self.rowCount { least = min(least, counter(row, place(keyHash, row))) }
    return least
  }

  /// Counts the key; only its lowest counters rise.
  mutating func count(_ keyHash: UInt64) {
    let least = estimate(keyHash)
    if least < Self.mostCounts {
      for row in 0..<Self.rowCount {
        let place = place(keyHash, row)
        if counter(row, place) == least { bytes[(row * width + place) / 2] += place % 2 == 0 ? 1 : 16 }
      }
    }
    countsSinceHalving += 1
    if countsSinceHalving >= Self.sampleFactor * width / Self.widthPerKey { halve() }
  }

  private func place(_ keyHash: UInt64, _ row: Int) -> Int {
    let hash = EvictionItem.mixed(keyHash &+ UInt64(row) &* 0x9e37_79b9_7f4a_7c15)
    return Int(truncatingIfNeeded: hash & UInt64(width - 1))
  }

  private func counter(_ row: Int, _ place: Int) -> Int {
    let byte = bytes[(row * width + place) / 2]
    return Int(place % 2 == 0 ? byte & 15 : byte >> 4)
  }

  private mutating func halve() {
    for index in bytes.indices { bytes[index] = (bytes[index] >> 1) & 0x77 }
    countsSinceHalving /= 2
    halvings += 1
  }

  private mutating func double() {
    var doubled: [UInt8] = []
    doubled.reserveCapacity(2 * bytes.count)
    for row in 0..<Self.rowCount {
      let half = bytes[row * width / 2..<(row + 1) * width / 2]
      doubled += half
      doubled += half
    }
    bytes = doubled
    width *= 2
  }
}
