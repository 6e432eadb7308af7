/// How many different values there are among a few, by their hashes: exact but for hashes that are the same by chance.
public struct DistinctCount: Sendable {
  /// The hashes by their lower bits, each in the first free place from there on; 0: free.
  private var places: [UInt64]
  private let mask: Int
  private let capacity: Int
  private var hasZero = false
  private var found = 0

  /// - Parameter capacity: the most values that are added.
  public init(capacity: Int) {
    var size = 16
    while size < 2 * capacity, size < 1 << 24 { size *= 2 }
    (places, mask, self.capacity) = ([UInt64](repeating: 0, count: size), size - 1, size / 2)
  }

  /// nil where there were more than it has places for.
  public var count: Int? { found > capacity ? nil : found + (hasZero ? 1 : 0) }

  @inline(__always)
  mutating func add(hash: UInt64) {
    guard hash != 0 else { return hasZero = true }
    guard found <= capacity else { return }
    var place = Int(truncatingIfNeeded: hash) & mask
    while places[place] != 0 {
      if places[place] == hash { return }
      place = (place + 1) & mask
    }
    places[place] = hash
    found += 1
  }
}
