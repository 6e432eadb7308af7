import Primitives
import Testing

@Suite struct ParallelTests {
  @Test(arguments: [0, 1, 2, 7, 1000], [0, 1, 2, 5, 64])
  func everyIndexOnceWithAThreadOfItsOwn(count: Int, threads: Int) throws {
    let calls = Locked([Int: Int]())
    let busy = Locked(Set<Int>())
    let collisions = Locked(0)
    try parallel(count: count, threads: threads) { thread, index throws(CacheError) in
      let isFree = busy.withLock { $0.insert(thread).inserted }
      if !isFree || thread >= max(1, threads) { collisions.withLock { $0 += 1 } }
      calls.withLock { $0[index, default: 0] += 1 }
      busy.withLock { _ = $0.remove(thread) }
    }
    #expect(calls.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
    #expect(collisions.withLock { $0 } == 0)
  }

  @Test(arguments: [1, 4]) func anErrorEndsIt(threads: Int) {
    let calls = Locked(0)
    let error = #expect(throws: CacheError.self) {
      try parallel(count: 100_000, threads: threads) { _, index throws(CacheError) in
        calls.withLock { $0 += 1 }
        if index == 3 { throw CacheError(.storage, "third") }
      }
    }
    #expect(error?.message == "third")
    #expect(calls.withLock { $0 } < 100_000)
  }

  @Test func callsMayCallInTurn() throws {
    let sum = Locked(0)
    try parallel(count: 4, threads: 4) { _, outer throws(CacheError) in
      try parallel(count: 4, threads: 4) { _, inner throws(CacheError) in sum.withLock { $0 += outer * inner } }
    }
    #expect(sum.withLock { $0 } == 36)
  }
}
