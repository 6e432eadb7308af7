import Glibc
import Primitives
import Testing

@Suite struct ClockTests {
  @Test func aManualClockMovesByHandOnly() {
    let clock = ManualClock(100)
    #expect(clock.now() == 100)
    clock.advance(by: 2.5)
    #expect(clock.now() == 102.5)
    #expect(clock.now() == 102.5)
  }

  @Test func theSystemClockCountsFrom1970() {
    let clock = SystemClock()
    let first = clock.now()
    #expect(abs(first - Double(time(nil))) < 2)
    #expect(clock.now() >= first)
  }
}
