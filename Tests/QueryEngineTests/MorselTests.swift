import ArrowData
import CacheStore
import Testing

@testable import QueryEngine

/// How the wanted rows of a table are shared out among threads.
@Suite struct MorselTests {
  private static let blockRows = BlockStatistics.blockRows

  private func stretches(_ count: Int, of rowCount: Int) -> [Stretches.Stretch] {
    Stretches((0..<count).map { Partition(firstRow: $0 * rowCount, rowCount: rowCount, slices: []) }).all
  }

  private func rows(_ morsel: Morsel) -> Int { morsel.parts.reduce(0) { $0 + ($1.rows?.reduce(0) { $0 + $1.count } ?? 0) } }

  @Test func fewRowsOfManyStretchesAreOneMorsel() {
    let all = stretches(200, of: 100_000)
    let block = Self.blockRows..<2 * Self.blockRows
    let morsels = Morsel.cut(all.map { _ in [block] }, all)
    #expect(morsels.flatMap(\.parts).map(\.stretch) == Array(0..<200))
    #expect(morsels.flatMap(\.parts).allSatisfy { $0.rows == [block] })
    #expect((8...16).contains(morsels.count), "\(morsels.count)")
  }

  @Test func wholeStretchesAreMorselsOfTheirOwn() {
    let all = stretches(50, of: 100_000)
    let morsels = Morsel.cut(all.map { [$0.rows] }, all)
    #expect(morsels.map { $0.parts.map(\.stretch) } == (0..<50).map { [$0] })
  }

  @Test func stretchesThatAreNotKnownYetStandAlone() {
    let all = stretches(6, of: 100_000)
    let few: ScanPlan.Rows = [0..<10]
    let morsels = Morsel.cut([few, few, nil, few, [], few], all)
    #expect(morsels.map { $0.parts.map(\.stretch) } == [[0, 1], [2], [3, 5]])
    #expect(morsels[1].parts[0].rows == nil)
  }

  @Test(arguments: [1, 3, 17, 1000])
  func everyRowIsInOneMorselInOrder(seed: Int) {
    let all = stretches(40, of: 150_000)
    var state = UInt64(seed)
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let wanted = all.map { stretch -> ScanPlan.Rows in
      let blocks = (stretch.rows.count + Self.blockRows - 1) / Self.blockRows
      return (0..<blocks).filter { _ in random(10) < seed % 10 }.map { block in
        let first = stretch.rows.lowerBound + block * Self.blockRows
        return first..<min(first + Self.blockRows, stretch.rows.upperBound)
      }
    }
    let morsels = Morsel.cut(wanted.map(Optional.some), all)
    var seen: [Int: ScanPlan.Rows] = [:]
    for part in morsels.flatMap(\.parts) { seen[part.stretch, default: []] += part.rows ?? [] }
    for (index, rows) in wanted.enumerated() { #expect(seen[index]?.flatMap { Array($0) } ?? [] == rows.flatMap { Array($0) }) }
    #expect(morsels.flatMap(\.parts).map(\.stretch) == morsels.flatMap(\.parts).map(\.stretch).sorted())
    #expect(morsels.allSatisfy { (1...Morsel.largestRows).contains(rows($0)) })
  }
}
