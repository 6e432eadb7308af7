/// Who holds one buffer.
struct BufferHolders {
  var resident = BufferReach()
  var leased = BufferReach()
  /// Of results of queries.
  var results = BufferReach()

  var residentBytes: Int { resident.largest }
  var leasedBytes: Int { max(0, leased.largest - resident.largest) }
  var resultBytes: Int { max(0, results.largest - max(resident.largest, leased.largest)) }
  var isEmpty: Bool { resident.count == 0 && leased.count == 0 && results.count == 0 }
}

/// How far into a buffer its holders reach. Nearly always they all reach the same.
struct BufferReach {
  private(set) var largest = 0
  /// Holders that reach `largest`.
  private(set) var count = 0
  /// Holders of fewer bytes, by bytes.
  private var smaller: [Int: Int] = [:]

  var holderCount: Int { smaller.values.reduce(count, +) }

  mutating func add(_ byteCount: Int) {
    if count == 0 || byteCount > largest {
      if count > 0 { smaller[largest] = count }
      (largest, count) = (byteCount, 1)
    } else if byteCount == largest {
      count += 1
    } else {
      smaller[byteCount, default: 0] += 1
    }
  }

  mutating func remove(_ byteCount: Int) {
    if byteCount < largest {
      guard let holders = smaller[byteCount] else { preconditionFailure("a holder that is not in the ledger") }
      smaller[byteCount] = holders > 1 ? holders - 1 : nil
    } else if count > 1 {
      count -= 1
    } else {
      precondition(byteCount == largest && count == 1, "a buffer that is not in the ledger")
      let next = smaller.keys.max()
      (largest, count) = (next ?? 0, next.flatMap { smaller.removeValue(forKey: $0) } ?? 0)
    }
  }
}
