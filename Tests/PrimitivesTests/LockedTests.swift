import Glibc
import Primitives
import Testing

@Suite struct LockedTests {
  /// Runs `body` on so many threads at once and waits for them.
  private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { index in EngineThread { body(index) } }
    precondition(threads.allSatisfy { $0 != nil })
    for thread in threads { thread?.join() }
  }

  @Test func onlyOneThreadIsInside() {
    let counter = Locked((inside: 0, total: 0, most: 0))
    onThreads(4) { _ in
      for _ in 0..<20_000 {
        counter.withLock { state in
          state.inside += 1
          state.most = max(state.most, state.inside)
          state.total += 1
          state.inside -= 1
        }
      }
    }
    #expect(counter.withLock { $0.total } == 80_000)
    #expect(counter.withLock { $0.most } == 1)
  }

  @Test func aThrowingBodyUnlocks() {
    let state = Locked(1)
    #expect(throws: CacheError.self) {
      try state.withLock { (value: inout Int) throws(CacheError) in
        value = 2
        throw CacheError(.storage, "full")
      }
    }
    #expect(state.withLock { $0 } == 2)
  }

  @Test(.timeLimit(.minutes(10))) func everyWaiterHearsASignal() {
    let gate = Locked(0)
    let passed = Locked(0)
    onThreads(5) { index in
      if index == 4 {
        gate.signal { $0 = 7 }
      } else {
        let seen = gate.wait { $0 == 0 ? nil : $0 }
        passed.withLock { $0 += seen ?? 0 }
      }
    }
    #expect(passed.withLock { $0 } == 28)
  }

  @Test(arguments: [0, 1, 20, 1100]) func waitingEndsWithItsTime(millis: Int) {
    let gate = Locked(0)
    var before = timespec()
    var after = timespec()
    clock_gettime(CLOCK_MONOTONIC, &before)
    #expect(gate.wait(waitMillis: millis) { $0 == 0 ? nil : $0 } == nil)
    clock_gettime(CLOCK_MONOTONIC, &after)
    let waited = Double(after.tv_sec - before.tv_sec) * 1000 + Double(after.tv_nsec - before.tv_nsec) / 1e6
    #expect(waited >= Double(millis))
  }

  @Test func whatIsThereIsNotWaitedFor() {
    #expect(Locked(3).wait(waitMillis: 0) { $0 } == 3)
    #expect(Locked(3).wait { $0 } == 3)
  }
}
