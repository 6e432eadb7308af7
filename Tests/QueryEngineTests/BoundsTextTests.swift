import ArrowData
import Testing

@testable import QueryEngine

@Suite struct BoundsTextTests {
  @Test(arguments: [
    ("b", 0, "false"), ("b", 1, "true"), ("tdD", 19782, "2024-02-29"), ("tdD", -719_163, "0001-12-31 (BC)"), ("tdD", -719_162, "0001-01-01"), ("tdD", Int64(Int32.max), "infinity"),
    ("tdD", -Int64(Int32.max), "-infinity"), ("tdm", -1, "1969-12-31"), ("tts", 86_399, "23:59:59"), ("ttu", 60_000_010, "00:01:00.00001"), ("ttn", -5, "-5"),
    ("tss:", -1, "1969-12-31 23:59:59"), ("tsn:UTC", 1, "1970-01-01 00:00:00.000000001+00"), ("tsu:", .max, "infinity"), ("tsu:", .min, "290309-12-21 (BC) 19:59:05.224192"),
    ("tss:", .min, nil), ("tsm:Asia/Tokyo", 1500, "1970-01-01 00:00:01.5+00"), ("d:20,2", -5, "-0.05"), ("d:5,0,32", 7, "7"), ("d:5,-3", 7, "7000"), ("d:5,-3", 0, "0"),
    ("d:5,-9223372036854775808", 7, nil), ("d:38,9999", 7, nil), ("d:x", 7, "7"), ("l", .min, "-9223372036854775808"), ("tdD", .max, "day 9223372036854775807"), ("tdm", .min, nil),
  ] as [(String, Int64, String?)])
  func valuesAreWrittenAsDuckDBWritesThem(format: String, value: Int64, expected: String?) {
    let found = ValueText.of(value, format)
    if let expected { #expect(found == expected) }
  }

  @Test func nothingIsWrittenOfWhatIsNotKnown() throws {
    let field = try Field(name: "", format: "l")
    #expect(BoundsText(.unknown, field) == nil && BoundsText(.noValues, field) == nil)
    let cut = try #require(BoundsText(.bytes(min: [97], max: nil, isExact: false), field))
    #expect(cut.min == "a" && cut.max == nil && !cut.isExact)
    #expect(BoundsText(.bytes(min: [255, 10], max: [255], isExact: true), field)?.min == "\\xff0a")
    #expect(BoundsText(.double(min: .infinity, max: -.infinity, hasNaN: true), field)?.max == "nan")
  }
}
