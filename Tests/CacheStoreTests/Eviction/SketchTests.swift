import Testing

@testable import CacheStore

@Suite struct SketchTests {
  private static func key(_ number: Int) -> UInt64 { EvictionItem.mixed(UInt64(number) &+ 77) }

  @Test func noEstimateIsTooLowAndFewAreTooHigh() {
    var sketch = FrequencySketch()
    sketch.grow(toKeys: 1000)
    // 4500 counts: before the first halving.
    for round in 1...9 {
      for number in 0..<1000 where number % 9 < round { sketch.count(Self.key(number)) }
    }
    #expect(sketch.halvings == 0)
    var tooHigh = 0
    for number in 0..<1000 {
      let times = 9 - number % 9
      #expect(sketch.estimate(Self.key(number)) >= times)
      if sketch.estimate(Self.key(number)) > times { tooHigh += 1 }
    }
    #expect(tooHigh < 20)
    #expect((5000..<6000).filter { sketch.estimate(Self.key($0)) > 0 }.count < 100)
  }

  @Test func countsEndAtFifteenAndAreHalved() {
    var sketch = FrequencySketch()
    for _ in 0..<40 { sketch.count(Self.key(1)) }
    #expect(sketch.estimate(Self.key(1)) == FrequencySketch.mostCounts)
    for _ in 0..<9 { sketch.count(Self.key(2)) }
    var number = 1000
    while sketch.halvings == 0 {
      sketch.count(Self.key(number))
      number += 1
    }
    #expect(sketch.estimate(Self.key(1)) == 7)
    #expect(sketch.estimate(Self.key(2)) == 4)
  }

  @Test func growingChangesNoEstimate() {
    var sketch = FrequencySketch()
    for number in 0..<100 {
      for _ in 0..<number % 7 { sketch.count(Self.key(number)) }
    }
    let before = (0..<200).map { sketch.estimate(Self.key($0)) }
    let width = sketch.width
    sketch.grow(toKeys: 10 * width)
    #expect(sketch.width > width)
    #expect((0..<200).map { sketch.estimate(Self.key($0)) } == before)
    sketch.grow(toKeys: .max)
    #expect(sketch.width <= 1 << 21)
  }
}
