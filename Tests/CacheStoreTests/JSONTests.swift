import ArrowData
import Primitives
import Testing

@testable import CacheStore

@Suite struct JSONTests {
  @Test func everyValueComesBack() throws {
    let value = JSON.object([
      ("text", .text("quote \" back \\ new\nline \u{1} é \u{1F980} \u{0}")), ("é", .list([.null, .bool(true), .bool(false), .list([]), .object([])])),
      ("least", .integer(Int64.min)), ("most", .integer(UInt64.max)), ("tiny", .double(5e-324)), ("large", .double(-1.7976931348623157e308)),
      ("endless", .double(.infinity)), ("", .double(0.1)),
    ])
    let read = try #require(JSON(value.encoded))
    #expect(read == value)
    #expect(read["least"]?.int64 == .min && read["most"]?.uint64 == .max && read["tiny"]?.double == 5e-324 && read["endless"]?.double == .infinity)
    #expect(read["most"]?.int == nil && read["nowhere"] == nil && read["text"]?.int == nil)
  }

  @Test(arguments: [
    (" { \"a\" : [ 1 , -2.5e+3 ] }\n", "{\"a\":[1,-2.5e+3]}"), ("\"\\u00e9\\ud83e\\udd80\\/\\b\\f\\r\\t\"", "\"é🦀/\\u0008\\u000c\\u000d\\u0009\""),
  ]) func otherSpellingsAreRead(text: String, same: String) { #expect(JSON(Array(text.utf8))?.encoded == Array(same.utf8)) }

  @Test(arguments: [
    "", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "nul", "1 2", "--1", "+", "\"\u{1}\"",
    "{\"a\":1,}", "'a'",
  ]) func whatIsNoJSONIsRefused(text: String) { #expect(JSON(Array(text.utf8)) == nil) }

  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")])
  func base64ComesBack(text: String, encoded: String) {
    #expect(base64(Array(text.utf8)) == encoded && bytes(base64: encoded) == Array(text.utf8))
  }

  @Test(arguments: ["Z", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v!A==", "Zm9\u{e9}"]) func whatIsNoBase64IsRefused(text: String) {
    #expect(bytes(base64: text) == nil)
  }

  @Test func depthIsLimited() {
    #expect(JSON([UInt8](repeating: UInt8(ascii: "["), count: 100_000)) == nil)
    #expect(JSON([UInt8]([0xff, 0x22])) == nil && JSON([0x22, 0xff, 0x22]) == nil)
  }

  @Test(arguments: [
    ColumnStatistics.Bounds.unknown, .noValues, .int(min: .min, max: .max), .uint(min: 0, max: .max), .double(min: -0.0, max: .infinity, hasNaN: true),
    .double(min: .infinity, max: -.infinity, hasNaN: true), .bytes(min: [], max: [0, 255, 16], isExact: true), .bytes(min: [7], max: nil, isExact: false),
    .box(BoundingBox(minX: -1.5, minY: 2, maxX: 3, maxY: 1e300)),
  ]) func statisticsComeBack(bounds: ColumnStatistics.Bounds) throws {
    for nulls in [nil, 0, 5] {
      let known = ColumnStatistics(rowCount: 5, nullCount: nulls, bounds: bounds)
      #expect(ColumnStatistics(json: try #require(JSON(known.json.encoded))) == known)
    }
  }

  @Test(arguments: [
    "{}", "{\"rows\":-1,\"nulls\":null}", "{\"rows\":1}", "{\"rows\":1,\"nulls\":2}", "{\"rows\":1,\"nulls\":0,\"bounds\":\"int\",\"min\":1}",
    "{\"rows\":1,\"nulls\":0,\"bounds\":\"int\",\"min\":1,\"max\":9223372036854775808}", "{\"rows\":1,\"nulls\":0,\"bounds\":\"bytes\",\"min\":\"0\",\"max\":null,\"exact\":true}",
    "{\"rows\":1,\"nulls\":0,\"bounds\":\"box\",\"box\":[1,2,3]}",
  ]) func statisticsThatCannotBe(text: String) throws { #expect(ColumnStatistics(json: try #require(JSON(Array(text.utf8)))) == nil) }

  @Test func boundsOfALaterEngineAreUnknown() throws {
    let text = "{\"rows\":1,\"nulls\":0,\"bounds\":\"sketch\",\"data\":[1]}"
    #expect(ColumnStatistics(json: try #require(JSON(Array(text.utf8))))?.bounds == .unknown)
  }
}
