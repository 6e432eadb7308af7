import Primitives
import Testing

@testable import ArrowData

@Suite struct BlockStatisticsTests {
  private static let size = BlockStatistics.blockRows

  /// A block that may match by statistics of its own rows has its bit, however the rows are cut.
  @Test(arguments: ["c", "s", "i", "l", "C", "L", "tdD", "tsu:", "f", "g", "u", "U", "vu", "b"])
  func aBlockThatMayMatchIsNeverLeftOut(format: String) throws {
    var random = RandomArray(seed: 5)
    let field = try Field(name: "c", format: format)
    for length in [0, 1, Self.size - 1, Self.size, Self.size + 1, 3 * Self.size + 7] {
      for nulls in NullPattern.allCases {
        let batch = try ArraySpec.table([random.array(field, length: length, offset: 3, nulls: nulls)], length: length)
          .batch(Schema(fields: [field]), ReleaseCounter())
        let cut = length / 3
        let slices = [RecordBatchSlice(batch, offset: 0, count: cut), RecordBatchSlice(batch, offset: cut, count: length - cut)]
        for made in [BlockStatistics(of: [RecordBatchSlice(batch)], column: 0), BlockStatistics(of: slices, column: 0)] {
          #expect(made.rowCount == length && made.blockCount == (length + Self.size - 1) / Self.size)
          try check(made, batch, length, format)
        }
      }
    }
  }

  private func check(_ made: BlockStatistics, _ batch: RecordBatch, _ length: Int, _ format: String) throws {
    for block in 0..<made.blockCount {
      let first = block * Self.size
      let own = ColumnStatistics(of: batch, column: 0, offset: first, count: min(Self.size, length - first))
      for literal in literals(own.bounds) {
        for comparison in [Predicate.Comparison.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual] {
          let predicate = Predicate.compare(column: 0, comparison, literal)
          guard predicate.mayMatch({ _ in own }) else { continue }
          #expect(predicate.mayMatch(blocks: made.allBlocks) { _ in made } >> UInt64(block) & 1 == 1, "\(format) \(block) \(predicate)")
        }
      }
      for predicate in [Predicate.isNull(column: 0), .isNotNull(column: 0), .or([.isNull(column: 0), .unknown])] {
        let bit = predicate.mayMatch(blocks: made.allBlocks) { _ in made } >> UInt64(block) & 1 == 1
        #expect(bit || !predicate.mayMatch { _ in own })
      }
    }
  }

  private func literals(_ bounds: ColumnStatistics.Bounds) -> [Predicate.Literal] {
    switch bounds {
    case .int(let min, let max): [.int(min), .int(max), .int(0), .uint(UInt64(max.magnitude))]
    case .uint(let min, let max): [.uint(min), .uint(max), .int(-1), .int(7)]
    case .double(let min, let max, _): [.double(min), .double(max), .double(0)]
    case .bytes(let min, let max, _): [.bytes(min), .bytes(max ?? []), .bytes(min + [0]), .bytes([])]
    case .unknown, .noValues, .box: []
    }
  }

  /// Texts that begin alike are told apart by what follows.
  @Test func longPrefixesAreSharedByAStretch() {
    let prefix = Array("https://example.org/a/long/path/".utf8)
    let blocks = (0..<10).map { (block: Int) -> ColumnStatistics in
      let least: [UInt8] = prefix + [UInt8(block * 2 + 48)]
      let most: [UInt8] = prefix + [UInt8(block * 2 + 49)]
      return ColumnStatistics(rowCount: Self.size, nullCount: 0, bounds: .bytes(min: least, max: most, isExact: true))
    }
    let made = BlockStatistics(blocks: blocks)
    func found(_ predicate: Predicate) -> UInt64 { predicate.mayMatch(blocks: made.allBlocks) { _ in made } }
    #expect(found(.compare(column: 0, .equal, .bytes(prefix + [52]))) == 0b100)
    #expect(found(.compare(column: 0, .less, .bytes(prefix + [52]))) == 0b111)
    #expect(found(.compare(column: 0, .greater, .bytes(prefix))) == made.allBlocks)
    #expect(found(.compare(column: 0, .less, .bytes(prefix.dropLast()))) == 0)
    #expect(found(.compare(column: 0, .greater, .bytes([200]))) == 0)
    #expect(found(.prefix(column: 0, prefix + [53])) == 0b100)
    #expect(found(.prefix(column: 0, Array("https".utf8))) == made.allBlocks)
    #expect(found(.prefix(column: 0, Array("httpz".utf8))) == 0)
  }

  /// Every value that is among the first is in a block that is kept; most blocks are not.
  @Test(arguments: [1, 5, 3000], [true, false])
  func theFirstValuesAreInTheBlocksThatAreKept(rowCount: Int, isDescending: Bool) throws {
    var generator = SeededGenerator(9)
    var values: [[Int64]] = []
    for block in 0..<50 {
      let first = Int64(block * 1000)
      values.append((0..<Self.size).map { _ in first + Int64.random(in: 0..<5000, using: &generator) })
    }
    let blocks = values.map { (values: [Int64]) -> ColumnStatistics in
      ColumnStatistics(rowCount: Self.size, nullCount: 0, bounds: .int(min: values.min() ?? 0, max: values.max() ?? 0))
    }
    let stretches = [BlockStatistics(blocks: Array(blocks[..<30])), BlockStatistics(blocks: Array(blocks[30...]))]
    let kept = try #require(TopBlocks.find(stretches, rowCount: rowCount, isDescending: isDescending, nullsFirst: false))
    let all: [Int64] = values.flatMap { $0 }
    let sorted = isDescending ? all.sorted(by: >) : all.sorted()
    let last = sorted[rowCount - 1]
    for (block, values) in values.enumerated() {
      guard values.contains(where: { isDescending ? $0 >= last : $0 <= last }) else { continue }
      let bits = block < 30 ? kept[0] >> UInt64(block) : kept[1] >> UInt64(block - 30)
      #expect(bits & 1 == 1, "\(block)")
    }
    #expect(kept.reduce(0) { $0 + $1.nonzeroBitCount } <= 10)
  }
}
