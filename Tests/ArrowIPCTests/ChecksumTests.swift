import Testing

@testable import ArrowData

@Suite struct ChecksumTests {
  /// Published values: RFC 3720, appendix B.4, and the usual check value.
  @Test(arguments: [
    ([UInt8]("123456789".utf8), 0xe306_9283), ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
    ([UInt8](0..<32), 0x46dd_794e), ([UInt8]((0..<32).reversed()), 0x113f_db5c), ([], 0),
  ] as [([UInt8], UInt32)])
  func publishedValues(bytes: [UInt8], checksum: UInt32) {
    bytes.withUnsafeBytes { bytes in
      #expect(CRC32C(bytes).value == checksum)
      #expect(CRC32C.portable(bytes) == checksum)
    }
  }

  @Test func tablesAndTheInstructionAgree() {
    var random = SeededGenerator(7)
    let bytes = (0..<400_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    bytes.withUnsafeBytes { bytes in
      for size in Array(0..<100) + [4095, 49_151, 49_152, 49_153, 98_304, 399_990] {
        for start in [0, 1, 5, 8] {
          let part = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)])
          #expect(CRC32C(part).value == CRC32C.portable(part))
        }
      }
    }
  }

  @Test func checksumsOfPartsComeTogether() {
    var random = SeededGenerator(8)
    let bytes = (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    bytes.withUnsafeBytes { bytes in
      for _ in 0..<200 {
        let size = random.below(bytes.count)
        let middle = random.below(size + 1)
        let whole = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        var stepwise = CRC32C(UnsafeRawBufferPointer(rebasing: bytes[..<middle]))
        var combined = stepwise
        let rest = UnsafeRawBufferPointer(rebasing: bytes[middle..<size])
        stepwise.add(rest)
        combined.add(CRC32C(rest).value, byteCount: rest.count)
        #expect(stepwise.value == CRC32C(whole).value)
        #expect(combined == stepwise)
      }
    }
  }

  @Test func theirTextComesBack() throws {
    var checksums = IPCChecksums()
    checksums.messages = [[0xdead_beef], [], [0, 0xffff_ffff, 0x0123_4567]]
    #expect(String(decoding: checksums.text, as: UTF8.self) == "deadbeef,,00000000ffffffff01234567")
    #expect(try IPCChecksums(text: checksums.text) == checksums)
    for wrong in ["deadbee", "deadbeeg", "DEADBEEF", "-"] { #expect(throws: (any Error).self) { try IPCChecksums(text: [UInt8](wrong.utf8)) } }
  }
}
