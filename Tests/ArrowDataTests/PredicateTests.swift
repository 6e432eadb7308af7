import ArrowData
import CArrow
import Primitives
import Testing

/// Against every row of small tables: what some row satisfies is never skipped, and simple conditions are skipped exactly.
@Suite struct PredicateTests {
  private static let comparisons: [Predicate.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]

  private func holds(_ comparison: Predicate.Comparison, _ order: Int) -> Bool {
    switch comparison {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  private func statistics(_ format: String, _ spec: ArraySpec) throws -> ColumnStatistics {
    let batch = try ArraySpec.table([spec], length: Int(spec.length)).batch(schema(format), ReleaseCounter())
    return ColumnStatistics(of: batch, column: 0, offset: 0, count: batch.rowCount)
  }

  /// For an interval of values between bounds that occur, skipping is exact but for `equal`, which may be in a gap.
  private func check<Element>(
    _ values: [Element?], _ literals: [Element], _ statistics: ColumnStatistics, literal: (Element) -> Predicate.Literal, order: (Element, Element) -> Int
  ) {
    let present = values.compactMap { $0 }
    for constant in literals {
      for comparison in Self.comparisons {
        let expected = present.contains { holds(comparison, order($0, constant)) }
        let may = Predicate.compare(column: 0, comparison, literal(constant)).mayMatch { _ in statistics }
        let isGap = comparison == .equal && present.contains { order($0, constant) < 0 } && present.contains { order($0, constant) > 0 }
        #expect(may == (expected || isGap), "\(values) \(comparison) \(constant)")
      }
      for other in literals {
        let expected = present.contains { order($0, constant) == 0 || order($0, other) == 0 }
        let may = Predicate.isIn(column: 0, [literal(constant), literal(other)]).mayMatch { _ in statistics }
        #expect(may || !expected)
      }
    }
    #expect(Predicate.isNull(column: 0).mayMatch { _ in statistics } == values.contains { $0 == nil })
    #expect(Predicate.isNotNull(column: 0).mayMatch { _ in statistics } == !present.isEmpty)
    #expect(!Predicate.isIn(column: 0, []).mayMatch { _ in statistics })
  }

  @Test func integers() throws {
    let literals: [Int64] = [.min, -2, -1, 0, 1, 2, .max]
    for values in [[], [nil], [0], [0, nil, 1], [-1, 1], [.min, .max], [2, 2, 2]] as [[Int64?]] {
      check(values, literals, try statistics("l", column(values)), literal: { .int($0) }) { $0 < $1 ? -1 : $0 > $1 ? 1 : 0 }
    }
    for values in [[], [0], [1, nil], [.max]] as [[UInt64?]] {
      check(values, [0, 1, 2, .max], try statistics("L", column(values)), literal: { .uint($0) }) { $0 < $1 ? -1 : $0 > $1 ? 1 : 0 }
    }
  }

  @Test func signedAndUnsignedAreComparedByValue() throws {
    let unsigned = try statistics("L", column([UInt64.max, 1 << 63]))
    #expect(!Predicate.compare(column: 0, .less, .int(-1)).mayMatch { _ in unsigned })
    #expect(!Predicate.compare(column: 0, .equal, .int(.max)).mayMatch { _ in unsigned })
    #expect(Predicate.compare(column: 0, .greater, .int(.max)).mayMatch { _ in unsigned })
    let signed = try statistics("l", column([Int64(-5), 7]))
    #expect(!Predicate.compare(column: 0, .greater, .uint(.max)).mayMatch { _ in signed })
    #expect(Predicate.compare(column: 0, .equal, .uint(7)).mayMatch { _ in signed })
  }

  @Test func doublesInDuckDBsOrder() throws {
    let literals: [Double] = [-.infinity, -1, -0.0, 0, 1, .infinity, .nan]
    func order(_ left: Double, _ right: Double) -> Int {
      if left.isNaN || right.isNaN { return left.isNaN && right.isNaN ? 0 : left.isNaN ? 1 : -1 }
      return left < right ? -1 : left > right ? 1 : 0
    }
    for values in [[], [nil], [0.0], [-0.0], [1, .nan], [.nan], [.nan, nil], [-.infinity, .infinity], [-1, 1, nil], [.infinity]] as [[Double?]] {
      let spec = ArraySpec(
        length: Int64(values.count), nullCount: Int64(values.count { $0 == nil }), buffers: [bytes(values.map { $0 != nil }), bytes(values.map { $0 ?? -7 })])
      check(values, literals, try statistics("g", spec), literal: { .double($0) }, order: order)
    }
  }

  @Test func textsByTheirBytes() throws {
    func order(_ left: String, _ right: String) -> Int {
      Array(left.utf8) == Array(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }
    let literals = ["", "a", "ab", "b", "\u{e9}", "Z", "a\0"]
    for values in [[], [nil], [""], ["a", "b"], ["ab", nil, "abc"], ["\u{e9}", "z"], ["a"]] as [[String?]] {
      check(values, literals, try statistics("u", column(values)), literal: { .bytes(Array($0.utf8)) }, order: order)
    }
  }

  @Test func prefixes() throws {
    let texts = ["", "a", "ab", "abc", "b", "ba", "c", "\u{10ffff}"]
    for first in texts {
      for second in texts {
        let statistics = try statistics("u", column([first, second]))
        for prefix in texts {
          let may = Predicate.prefix(column: 0, Array(prefix.utf8)).mayMatch { _ in statistics }
          let bounds = [Array(first.utf8), Array(second.utf8)].sorted { $0.lexicographicallyPrecedes($1) }
          // Some text between the bounds starts so exactly if a bound does or the prefix itself lies between them.
          let wanted = Array(prefix.utf8)
          let expected =
            bounds.contains { $0.starts(with: wanted) }
            || bounds[0].lexicographicallyPrecedes(wanted) && wanted.lexicographicallyPrecedes(bounds[1])
          #expect(may == expected, "\(first)…\(second) starting with \(prefix)")
        }
      }
    }
  }

  @Test func cutBoundsStayCareful() throws {
    let long = String(repeating: "m", count: 80)
    let cut = try statistics("u", column([long, long]))
    func may(_ comparison: Predicate.Comparison, _ text: String) -> Bool {
      Predicate.compare(column: 0, comparison, .bytes(Array(text.utf8))).mayMatch { _ in cut }
    }
    #expect(may(.equal, long) && may(.notEqual, long) && may(.greaterOrEqual, long) && may(.lessOrEqual, long))
    #expect(may(.greater, String(repeating: "m", count: 70)))
    #expect(!may(.equal, "n") && !may(.less, "a") && !may(.greater, "n"))
    #expect(Predicate.prefix(column: 0, Array(long.utf8)).mayMatch { _ in cut })
    #expect(!Predicate.prefix(column: 0, Array("n".utf8)).mayMatch { _ in cut })
    let top = try statistics("u", ArraySpec(length: 1, buffers: [nil, bytes([Int32(0), 70]), [UInt8](repeating: 255, count: 70)]))
    for comparison in Self.comparisons where comparison != .equal {
      let isBelow = comparison == .less || comparison == .lessOrEqual
      #expect(Predicate.compare(column: 0, comparison, .bytes([97])).mayMatch { _ in top } == !isBelow)
    }
    #expect(!Predicate.compare(column: 0, .equal, .bytes([97])).mayMatch { _ in top })
    #expect(Predicate.compare(column: 0, .equal, .bytes([UInt8](repeating: 255, count: 70))).mayMatch { _ in top })
  }

  @Test func whatIsNotKnownMayMatch() throws {
    let unknown = ColumnStatistics.unknown(rowCount: 5)
    for predicate in [
      Predicate.unknown, .isNull(column: 0), .isNotNull(column: 0), .compare(column: 0, .equal, .int(1)), .prefix(column: 0, [1]), .isIn(column: 0, [.int(1)]),
    ] { #expect(predicate.mayMatch { _ in unknown }) }
    let ints = try statistics("l", column([Int64(1)]))
    #expect(Predicate.compare(column: 0, .equal, .double(9.5)).mayMatch { _ in ints })
    #expect(Predicate.compare(column: 0, .equal, .bytes([1])).mayMatch { _ in ints })
    #expect(Predicate.prefix(column: 0, [1]).mayMatch { _ in ints })
  }

  @Test func partsCombine() throws {
    let known = [try statistics("l", column([Int64(1), 5])), try statistics("u", column(["a"]))]
    let yes = Predicate.compare(column: 0, .equal, .int(3))
    let no = Predicate.compare(column: 1, .equal, .bytes([98]))
    var asked: [Int] = []
    func may(_ predicate: Predicate) -> Bool {
      asked = []
      return predicate.mayMatch { column in
        asked.append(column)
        return known[column]
      }
    }
    #expect(may(.and([])) && !may(.or([])))
    #expect(may(.and([yes, .unknown])) && !may(.and([yes, no])) && !may(.and([no, .unknown])))
    #expect(may(.or([no, yes])) && !may(.or([no, no])) && may(.or([no, .unknown])))
    #expect(!may(.and([no, yes])))
    #expect(asked == [1])
    #expect(may(.or([.and([yes, no]), .and([yes, .or([no, yes])])])))
  }
}
