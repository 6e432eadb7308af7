import Testing

@testable import Primitives

@Suite struct XXHash64Tests {
  /// Of the reference implementation.
  @Test(arguments: [
    ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
    ("Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
  ]) func knownHashes(text: String, digits: String) { #expect(XXHash64(text.utf8).digits == digits) }

  @Test func piecesOfAnySizeAreTheWhole() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let whole = XXHash64(bytes, seed: 3).value
    for size in [1, 3, 4, 8, 31, 32, 33, 63, 64, 65, 999, 1000] {
      var hash = XXHash64(seed: 3)
      for start in stride(from: 0, to: bytes.count, by: size) {
        Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { hash.add($0) }
      }
      #expect(hash.value == whole, "pieces of \(size)")
    }
    #expect(XXHash64(bytes, seed: 4).value != whole)
    #expect(XXHash64(bytes.dropLast(), seed: 3).value != whole)
  }

  @Test func filesOverNothingHaveTheHashOfThoseThatAreWritten() throws {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
    func digits(_ offset: Int, _ salt: UInt64 = 1, size: Int = 5000) throws -> (String, Int) {
      let files = HashingFiles(over: nil, salt: salt)
      let file = try AtomicFile("/nowhere/file", files: files)
      for start in stride(from: 0, to: bytes.count, by: size) {
        try Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { try file.write($0, at: offset + start) }
      }
      try file.publish(isDurable: true)
      return (files.digits, files.byteCount)
    }
    let whole = try digits(0)
    #expect(whole.1 == 5000)
    #expect(try digits(0, size: 700).0 == whole.0, "how it is cut does not count")
    #expect(try digits(64).0 != whole.0 && digits(0, 2).0 != whole.0)
  }
}
