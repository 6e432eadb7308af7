import Primitives
import Testing

@Suite struct CacheErrorTests {
  @Test func theDescriptionHasMessageAndCause() {
    #expect(CacheError(.storage, "cannot write").description == "cannot write")
    #expect(CacheError(.storage, "cannot write", cause: "disk full").description == "cannot write: disk full")
  }

  /// The names are what other languages see.
  @Test func codesAreKnownByName() {
    #expect(
      CacheError.Code.allCases.map(\.rawValue) == [
        "argument", "type", "keyNotFound", "keyExists", "configuration", "memoryLimit", "storage", "readOnly", "query", "interrupted", "timeout", "stream", "closed",
        "fork", "duckdb",
      ])
  }
}
