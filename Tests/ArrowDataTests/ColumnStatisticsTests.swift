import ArrowData
import CArrow
import Primitives
import Testing

@Suite struct ColumnStatisticsTests {
  /// Bounds against the obvious way to find them, for each integer type, alignment of the bitmap, and kind of nulls.
  @Test(arguments: ["c", "s", "i", "l", "C", "S", "I", "L", "tdD", "tdm", "tts", "ttu", "tsu:", "tsn:UTC", "f", "g", "u", "U", "vu", "b"])
  func boundsAreThoseOfTheValues(format: String) throws {
    var random = RandomArray(seed: 11)
    let field = try Field(name: "c", format: format)
    for length in [0, 1, 63, 64, 65, 200] {
      for offset in [0, 5, 64] {
        for nulls in NullPattern.allCases {
          let counter = ReleaseCounter()
          let batch = try ArraySpec.table([random.array(field, length: length, offset: offset, nulls: nulls)], length: length)
            .batch(Schema(fields: [field]), counter)
          for (from, count) in [(0, length), (length / 2, length / 3)] {
            let values = Array(batch.values(0)[from..<(from + count)])
            let statistics = ColumnStatistics(of: batch, column: 0, offset: from, count: count)
            #expect(statistics.rowCount == count)
            #expect(statistics.nullCount == values.count { $0 == .null })
            #expect(statistics.bounds == naiveBounds(format, values.filter { $0 != .null }), "\(nulls) \(from)+\(count) from \(offset)")
          }
        }
      }
    }
  }

  private func naiveBounds(_ format: String, _ values: [Value]) -> ColumnStatistics.Bounds {
    guard !values.isEmpty else { return .noValues }
    let raw = values.map { value -> [UInt8] in
      switch value {
      case .bytes(let bytes): bytes
      case .bit(let bit): [bit ? 1 : 0]
      default: []
      }
    }
    func unsigned(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    func signed(_ bytes: [UInt8]) -> Int64 {
      let shift = UInt64(64 - 8 * bytes.count)
      return Int64(bitPattern: unsigned(bytes) << shift) >> Int64(shift)
    }
    switch format {
    case "b": return .int(min: Int64(raw.map { $0[0] }.min() ?? 0), max: Int64(raw.map { $0[0] }.max() ?? 0))
    case "C", "S", "I", "L": return .uint(min: raw.map(unsigned).min() ?? 0, max: raw.map(unsigned).max() ?? 0)
    case "f", "g":
      let numbers = raw.map { $0.count == 4 ? Double(Float(bitPattern: UInt32(unsigned($0)))) : Double(bitPattern: unsigned($0)) }
      let real = numbers.filter { !$0.isNaN }
      return .double(min: real.min() ?? .infinity, max: real.max() ?? -.infinity, hasNaN: real.count < numbers.count)
    case "u", "U", "vu":
      let sorted = raw.sorted { $0.lexicographicallyPrecedes($1) }
      return .bytes(min: sorted.first ?? [], max: sorted.last ?? [], isExact: true)
    default: return .int(min: raw.map(signed).min() ?? 0, max: raw.map(signed).max() ?? 0)
    }
  }

  private func statistics(_ format: String, _ spec: ArraySpec) throws -> ColumnStatistics {
    let batch = try ArraySpec.table([spec], length: Int(spec.length)).batch(schema(format), ReleaseCounter())
    return ColumnStatistics(of: batch, column: 0, offset: 0, count: batch.rowCount)
  }

  @Test func doublesKeepNaNApart() throws {
    func doubles(_ values: [Double]) -> ArraySpec { ArraySpec(length: Int64(values.count), buffers: [nil, bytes(values)]) }
    #expect(try statistics("g", doubles([1, .nan, -3])).bounds == .double(min: -3, max: 1, hasNaN: true))
    #expect(try statistics("g", doubles([.nan, -.nan])).bounds == .double(min: .infinity, max: -.infinity, hasNaN: true))
    #expect(try statistics("g", doubles([.infinity, -.infinity])).bounds == .double(min: -.infinity, max: .infinity, hasNaN: false))
    #expect(try statistics("g", doubles([.infinity])).bounds == .double(min: .infinity, max: .infinity, hasNaN: false))
    for place in 0..<9 {
      var values = [Double](repeating: 5, count: 9)
      values[place] = .nan
      #expect(try statistics("g", doubles(values)).bounds == .double(min: 5, max: 5, hasNaN: true))
    }
  }

  @Test func extremeIntegersAreBounds() throws {
    #expect(try statistics("l", column([Int64.max, nil])).bounds == .int(min: .max, max: .max))
    #expect(try statistics("l", column([Int64.min, nil])).bounds == .int(min: .min, max: .min))
    #expect(try statistics("L", column([UInt64.max, 0])).bounds == .uint(min: 0, max: .max))
    #expect(try statistics("l", column([nil, nil] as [Int64?])).bounds == .noValues)
  }

  @Test func longTextsAreCutSoThatTheyStayBounds() throws {
    let long = String(repeating: "m", count: 100)
    guard case .bytes(let min, let max, let isExact) = try statistics("u", column([long + "z", long, "n"])).bounds else {
      Issue.record("no bounds")
      return
    }
    #expect(min == Array(String(repeating: "m", count: 64).utf8))
    #expect(max == Array("n".utf8))
    #expect(!isExact)
    guard case .bytes(_, let above, _) = try statistics("u", column([long, "a"])).bounds else {
      Issue.record("no bounds")
      return
    }
    #expect(above == Array((String(repeating: "m", count: 63) + "n").utf8))
    let top = ArraySpec(length: 1, buffers: [nil, bytes([Int32(0), 70]), [UInt8](repeating: 255, count: 70)])
    guard case .bytes(let least, let none, _) = try statistics("u", top).bounds else {
      Issue.record("no bounds")
      return
    }
    #expect(least.count == 64)
    #expect(none == nil)
  }

  @Test func textsThatAgreeInEightBytesAreCompared() throws {
    let values = ["prefix__b", "prefix__", "prefix__a", "prefix__\0", "prefix__bb", "prefi"]
    #expect(
      try statistics("u", column(values)).bounds
        == .bytes(min: Array("prefi".utf8), max: Array("prefix__bb".utf8), isExact: true))
    #expect(try statistics("u", column(["a\0", "a"])).bounds == .bytes(min: [97], max: [97, 0], isExact: true))
    #expect(try statistics("u", column(["", nil])).bounds == .bytes(min: [], max: [], isExact: true))
  }

  @Test func brokenTextsAreUnknown() throws {
    #expect(try statistics("u", ArraySpec(length: 2, buffers: [nil, bytes([Int32(0), 50, 3]), [1, 2, 3]])).bounds == .unknown)
    #expect(try statistics("u", ArraySpec(length: 2, buffers: [nil, bytes([Int32(0), -5, 3]), [1, 2, 3]])).bounds == .unknown)
    #expect(try statistics("u", ArraySpec(length: 2, buffers: [nil, bytes([Int32(9), 2, 9]), nil])).bounds == .unknown)
    #expect(try statistics("u", ArraySpec(length: 2, buffers: [nil, bytes([Int32(9), 9, 9]), nil])).bounds == .bytes(min: [], max: [], isExact: true))
    let view = bytes([Int32(20), 0, 7, 0])
    #expect(try statistics("vu", ArraySpec(length: 1, buffers: [nil, view, [1], bytes([Int64(1)])])).bounds == .unknown)
  }

  @Test func typesWhoseOrderIsNotTheirBytesAreUnknown() throws {
    var random = RandomArray(seed: 5)
    let storage = [KeyValue(key: Array("ARROW:extension:name".utf8), value: Array("arrow.bool8".utf8))]
    let fields = try everyType().filter { ["e", "d:20,2", "w:5", "z", "vz", "+s", "+l", "+ud:3,5", "+r"].contains($0.format) || $0.dictionary != nil }
      + [try Field(name: "x", format: "c", metadata: storage), try Field(name: "d", format: "tDu")]
    #expect(fields.count > 10)
    for field in fields {
      let batch = try ArraySpec.table([random.array(field, length: 20, offset: 3, nulls: .some)], length: 20).batch(Schema(fields: [field]), ReleaseCounter())
      let statistics = ColumnStatistics(of: batch, column: 0, offset: 0, count: 20)
      #expect(statistics.bounds == .unknown, "\(field.summary)")
      let nulls = batch.values(0).count { $0 == .null }
      if let known = statistics.nullCount, field.dictionary == nil { #expect(known == nulls) }
    }
    let batch = try ArraySpec.table([column([Int32(1)])], length: 1).batch(schema("i"), ReleaseCounter())
    #expect(ColumnStatistics(of: batch, column: 7, offset: 0, count: 1) == .unknown(rowCount: 1))
  }

  @Test func partsMergeToTheWhole() throws {
    let a = try statistics("u", column(["b", nil]))
    let b = try statistics("u", column(["a", "c"]))
    #expect(ColumnStatistics(merging: [a, b]) == ColumnStatistics(rowCount: 4, nullCount: 1, bounds: .bytes(min: [97], max: [99], isExact: true)))
    let none = try statistics("u", column([nil] as [String?]))
    #expect(ColumnStatistics(merging: [none, a, none]).bounds == a.bounds)
    #expect(ColumnStatistics(merging: [a, .unknown(rowCount: 1)]).bounds == .unknown)
    #expect(ColumnStatistics(merging: [a, .unknown(rowCount: 1)]).nullCount == nil)
    #expect(ColumnStatistics(merging: [a, try statistics("i", column([Int32(1)]))]).bounds == .unknown)
    #expect(ColumnStatistics(merging: []) == ColumnStatistics(rowCount: 0, nullCount: 0, bounds: .noValues))
  }
}
