import Glibc
import Primitives
import Testing

struct FreedMemoryTests {
  /// 128 MiB in pieces that the C library keeps when they are freed, below one that is not.
  @Test func freedMemoryGoesBackToTheSystem() throws {
    let byteCount = 64 << 10
    var pieces: [UnsafeMutableRawPointer] = []
    for _ in 0..<2048 {
      let piece = try #require(malloc(byteCount))
      memset(piece, 1, byteCount)
      pieces.append(piece)
    }
    let last = pieces.removeLast()
    defer { free(last) }
    pieces.forEach { free($0) }
    let kept = try residentBytes()
    FreedMemory.note(1, step: 1)
    // Other tests run at the same time.
    #expect(try residentBytes() <= kept - (64 << 20))
  }

  private func residentBytes() throws -> Int {
    let text = String(decoding: try SystemFiles().read("/proc/self/statm", limitBytes: 4096), as: UTF8.self)
    return try #require(Int(text.split(separator: " ")[1])) * Int(getpagesize())
  }
}
