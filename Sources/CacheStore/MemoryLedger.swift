import ArrowData

/// Bytes by buffer address: a buffer that several entries share counts once, with the most of it that any of them reaches.
struct MemoryLedger {
  /// The entries that hold one buffer, by how much of it they reach. Nearly always they all reach the same.
  private struct Holders {
    var byteCount: Int
    var count: Int
    /// Holders of fewer bytes, by bytes.
    var smaller: [Int: Int]
  }

  private var holders: [UInt: Holders] = [:]
  private(set) var totalBytes = 0

  var bufferCount: Int { holders.count }

  mutating func add(_ spans: [BufferSpan]) { for span in spans { add(span) } }
  mutating func remove(_ spans: [BufferSpan]) { for span in spans { remove(span) } }

  private mutating func add(_ span: BufferSpan) {
    guard var held = holders[span.address] else {
      holders[span.address] = Holders(byteCount: span.byteCount, count: 1, smaller: [:])
      totalBytes += span.byteCount
      return
    }
    if span.byteCount == held.byteCount {
      held.count += 1
    } else if span.byteCount < held.byteCount {
      held.smaller[span.byteCount, default: 0] += 1
    } else {
      held.smaller[held.byteCount] = held.count
      totalBytes += span.byteCount - held.byteCount
      (held.byteCount, held.count) = (span.byteCount, 1)
    }
    holders[span.address] = held
  }

  private mutating func remove(_ span: BufferSpan) {
    guard var held = holders[span.address] else { preconditionFailure("a buffer that is not in the ledger") }
    if span.byteCount < held.byteCount {
      guard let count = held.smaller[span.byteCount] else { preconditionFailure("a holder that is not in the ledger") }
      held.smaller[span.byteCount] = count > 1 ? count - 1 : nil
    } else if held.count > 1 {
      held.count -= 1
    } else {
      totalBytes -= held.byteCount
      guard let next = held.smaller.keys.max(), let count = held.smaller.removeValue(forKey: next) else {
        holders[span.address] = nil
        return
      }
      (held.byteCount, held.count) = (next, count)
      totalBytes += next
    }
    holders[span.address] = held
  }
}
