import PolicyReplay
import Testing

@testable import CacheStore

/// What the policies cost, counted: it must not grow with the number of entries, or no faster than its logarithm.
@Suite struct PolicyCostTests {
  private struct CountedRank: Comparable {
    nonisolated(unsafe) static var comparisons = 0
    let value: UInt64

    static func < (left: CountedRank, right: CountedRank) -> Bool {
      comparisons += 1
      return left.value < right.value
    }
  }

  private static func item(_ number: Int, bytes: Int = 1) -> EvictionItem {
    EvictionItem(
      keyHash: EvictionItem.mixed(UInt64(number + 1)), byteCount: bytes, sequence: UInt64(number), lastAccess: UInt64(number))
  }

  @Test func aHeapComparesByTheLogarithm() {
    var generator = SeededGenerator(1)
    for count in [100, 10_000, 100_000] {
      var heap = RankedHeap<CountedRank>()
      var items: [EvictionItem] = []
      CountedRank.comparisons = 0
      for number in 0..<count {
        let item = Self.item(number)
        items.append(item)
        heap.insert(item, rank: CountedRank(value: generator.next()))
      }
      for _ in 0..<count {
        guard let item = items.randomElement(using: &generator) else { return }
        heap.update(item, rank: CountedRank(value: generator.next()))
      }
      var last: UInt64 = 0
      while let first = heap.first {
        #expect(heap.rank(of: first).map { $0.value >= last } ?? false)
        last = heap.rank(of: first)?.value ?? .max
        heap.remove(first)
      }
      let height = Double(Int.bitWidth - count.leadingZeroBitCount)
      #expect(Double(CountedRank.comparisons) <= 3 * Double(count) * (2 * height + 3))
    }
  }

  /// Puts through a full cache, with reads between them, and what the policy looked at for it.
  private static func steps(_ policy: any EvictionPolicy, _ taken: () -> Int, count: Int) -> Double {
    var generator = SeededGenerator(7)
    var items: [EvictionItem] = []
    var operations = 0
    for number in 0..<count {
      items.append(item(number))
      policy.insert(items[number])
    }
    let before = taken()
    for number in 0..<2 * count {
      for _ in 0..<3 {
        let place = Int.random(in: 0..<count, using: &generator) * Int.random(in: 0..<count, using: &generator) / count
        items[place].recordAccess(tick: UInt64(number))
        policy.touch(items[place])
        operations += 1
      }
      guard let victim = policy.victim() else { return .infinity }
      policy.remove(victim, isEvicted: true)
      let new = item(count + number)
      if let place = items.firstIndex(where: { $0 === victim }) { items[place] = new }
      policy.insert(new)
      operations += 1
    }
    return Double(taken() - before) / Double(operations)
  }

  /// Each step over an item that stays is paid by a read, so there are at most as many as operations (and those of the search's ends).
  @Test(arguments: [100, 1_500]) func aHandGoesNoFurtherThanReadsPayFor(count: Int) {
    let sieve = Sieve()
    #expect(Self.steps(sieve, { sieve.steps }, count: count) <= 1.5)
    let queues = S3FIFO(capacityBytes: count)
    #expect(Self.steps(queues, { queues.steps }, count: count) <= 3.5)
    let tiny = WindowTinyLFU()
    #expect(Self.steps(tiny, { tiny.steps }, count: count) <= 1.5)
  }

  @Test func anAdmissionLooksAtSoManyAtMost() {
    let tiny = WindowTinyLFU()
    for number in 0..<100_000 { tiny.insert(Self.item(number)) }
    let giant = Self.item(200_000, bytes: 50_000)
    tiny.insert(giant)
    for _ in 0..<20 { tiny.touch(giant) }
    #expect(tiny.victim() != nil)
    #expect(tiny.steps <= 200)
  }

  /// However many were evicted, what is remembered of them is bounded, in bytes and in number.
  @Test(arguments: [nil, 10_000]) func ghostsAreBounded(capacityBytes: Int?) {
    let arc = AdaptiveReplacement(capacityBytes: capacityBytes)
    let queues = S3FIFO(capacityBytes: capacityBytes)
    for policy in [arc, queues] as [any EvictionPolicy] {
      for number in 0..<20_000 {
        if number >= 1000, let victim = policy.victim() { policy.remove(victim, isEvicted: true) }
        let item = Self.item(number, bytes: 10)
        policy.insert(item)
        if number % 3 == 0 { policy.touch(item) }
      }
    }
    let held = 10_000
    #expect(arc.recent.byteCount + arc.recentGhosts.byteCount <= held)
    #expect(arc.recent.byteCount + arc.frequent.byteCount == held)
    #expect(held + arc.recentGhosts.byteCount + arc.frequentGhosts.byteCount <= 2 * held)
    #expect(queues.ghosts.byteCount <= held * 9 / 10)
    #expect(queues.ghosts.count > 500)

    var ghosts = GhostList()
    for number in 0..<GhostList.maximumCount + 1000 { ghosts.append(UInt64(number), byteCount: 0) }
    #expect(ghosts.count == GhostList.maximumCount)
    #expect(!ghosts.contains(999))
    #expect(ghosts.contains(1000))
    ghosts.append(1000, byteCount: 5)
    ghosts.append(1000, byteCount: 7)
    #expect(ghosts.byteCount == 7)
    ghosts.shrink(toBytes: 6)
    #expect(ghosts.count == 0)
  }

  @Test func aListOfAHundredThousandGoesWithoutRecursion() {
    var list: ItemList? = ItemList()
    for number in 0..<100_000 { list?.append(Self.item(number, bytes: 2)) }
    #expect(list?.byteCount == 200_000)
    list = nil
  }
}
