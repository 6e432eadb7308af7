import Testing

@testable import CacheStore

@Suite struct CacheKeyTests {
  @Test func keysAreEqualByTheirBytes() {
    #expect("caf\u{e9}" == "cafe\u{301}")
    #expect(CacheKey("caf\u{e9}") != CacheKey("cafe\u{301}"))
    #expect(CacheKey("caf\u{e9}") == CacheKey("caf\u{e9}"))
    #expect(Set([CacheKey("a"), CacheKey("a"), CacheKey("A")]).count == 2)
  }

  @Test(arguments: [("", ""), ("aZ_[`@", "az_[`@"), ("ÄRA", "Ära"), ("日本X", "日本x"), ("abc", "abc")]) func foldingTakesASCIILettersOnly(text: String, folded: String) {
    #expect(CacheKey(text).folded.text.utf8.elementsEqual(folded.utf8))
  }
}
