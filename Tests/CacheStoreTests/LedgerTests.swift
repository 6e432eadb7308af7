import ArrowData
import Testing

@testable import CacheStore

@Suite struct LedgerTests {
  @Test(arguments: 0..<20 as Range<UInt64>) func runningTotalEqualsARecount(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let ledger = MemoryLedger(limitBytes: nil)
    var held: [[BufferSpan]] = []
    for _ in 0..<500 {
      if held.isEmpty || Bool.random(using: &generator) {
        // One buffer an address in each list, of differing sizes from list to list.
        let spans = (0..<8).filter { _ in Bool.random(using: &generator) }.map {
          BufferSpan(address: UInt(64 * ($0 + 1)), byteCount: Int.random(in: 1...4, using: &generator) * 100)
        }
        ledger.add(spans, inPlaceOf: nil)
        held.append(spans)
      } else {
        ledger.remove(held.remove(at: Int.random(in: held.indices, using: &generator)), .resident)
      }
      var recount = BufferSet()
      for span in held.joined() { recount.insert(span) }
      #expect(ledger.totals.resident == recount.totalBytes)
      #expect(ledger.bufferCount == recount.count)
    }
    for spans in held { ledger.remove(spans, .resident) }
    #expect((ledger.totals.resident, ledger.bufferCount) == (0, 0))
  }
}
