import Testing

@testable import CacheStore

@Suite struct ExpiryQueueTests {
  @Test(arguments: 0..<10 as Range<UInt64>) func whatIsDueComesInOrderAlsoAfterASweep(seed: UInt64) {
    var generator = SeededGenerator(seed)
    var queue = ExpiryQueue()
    var wanted: [Double] = []
    for version in 0..<UInt64.random(in: 1...200, using: &generator) {
      let expiresAt = Double(Int.random(in: 0...1000, using: &generator))
      queue.insert(ExpiryQueue.Item(expiresAt: expiresAt, version: version, key: CacheKey("k")))
      if version % 3 != 0 { wanted.append(expiresAt) }
    }
    queue.sweep { $0.version % 3 != 0 }
    #expect(queue.count == wanted.count)
    wanted.sort()
    for now in stride(from: 0.0, through: 1000, by: 50) {
      while let item = queue.popDue(now) {
        #expect(item.expiresAt == wanted.first)
        wanted.removeFirst()
      }
      #expect(wanted.allSatisfy { $0 > now })
    }
    #expect(queue.count == 0)
  }
}
