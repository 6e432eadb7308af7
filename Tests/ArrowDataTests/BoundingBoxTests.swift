import Testing

@testable import ArrowData

@Suite struct BoundingBoxTests {
  /// Numbers as well-known binary has them: 4 bytes each but coordinates.
  private func wkb(_ isLittle: Bool, _ parts: [Any]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
      var field: [UInt8]
      switch part {
      case let nested as [UInt8]:
        bytes += nested
        continue
      case let number as UInt32: field = withUnsafeBytes(of: number.littleEndian) { Array($0) }
      case let coordinate as Double: field = withUnsafeBytes(of: coordinate.bitPattern.littleEndian) { Array($0) }
      default: fatalError("no such part")
      }
      if !isLittle { field.reverse() }
      bytes += field
    }
    return [isLittle ? 1 : 0] + bytes
  }

  private func box(_ bytes: [UInt8]) -> BoundingBox? {
    var box = BoundingBox.nowhere
    let isKnown = bytes.withUnsafeBytes { raw in
      var geometry = WellKnownBinary(raw)
      return geometry.include(in: &box)
    }
    return isKnown ? box : nil
  }

  private func u(_ number: Int) -> UInt32 { UInt32(truncatingIfNeeded: number) }

  @Test(arguments: [true, false])
  func everyKindOfGeometry(isLittle: Bool) {
    let expected = BoundingBox(minX: -1, minY: 2, maxX: 3, maxY: 8)
    let line: [Any] = [u(2), u(2), -1.0, 2.0, 3.0, 8.0]
    #expect(box(wkb(isLittle, [u(1), 3.0, 8.0])) == BoundingBox(minX: 3, minY: 8, maxX: 3, maxY: 8))
    #expect(box(wkb(isLittle, line)) == expected)
    #expect(box(wkb(isLittle, [u(1002), u(2), -1.0, 2.0, 99.0, 3.0, 8.0, -99.0])) == expected)
    #expect(box(wkb(isLittle, [u(3002), u(2), -1.0, 2.0, 99.0, 99.0, 3.0, 8.0, -99.0, -99.0])) == expected)
    #expect(box(wkb(isLittle, [u(0x8000_0002), u(2), -1.0, 2.0, 99.0, 3.0, 8.0, 99.0])) == expected)
    #expect(box(wkb(isLittle, [u(0xa000_0002), u(4326), u(2), -1.0, 2.0, 99.0, 3.0, 8.0, 99.0])) == expected)
    #expect(box(wkb(isLittle, [u(3), u(1), u(3), -1.0, 2.0, 3.0, 8.0, -1.0, 2.0])) == expected)
    #expect(box(wkb(isLittle, [u(7), u(2), wkb(isLittle, line), wkb(!isLittle, [u(1), 0.0, 4.0])])) == expected)
    #expect(box(wkb(isLittle, [u(1), Double.nan, Double.nan]))?.isNowhere == true)
    #expect(box(wkb(isLittle, [u(7), u(0)]))?.isNowhere == true)
  }

  @Test func whatIsNotGeometryIsUnknown() {
    let whole = wkb(true, [u(2), u(2), -1.0, 2.0, 3.0, 8.0])
    for count in 0..<whole.count { #expect(box(Array(whole.prefix(count))) == nil, "\(count) bytes") }
    #expect(box([2] + whole.dropFirst()) == nil)
    #expect(box(wkb(true, [u(99), 1.0, 1.0])) == nil)
    #expect(box(wkb(true, [u(5001), 1.0, 1.0])) == nil)
    #expect(box(wkb(true, [u(2), u(-1), 1.0, 1.0])) == nil)
    #expect(box(wkb(true, [u(7), u(-1)])) == nil)
    var nested = wkb(true, [u(1), 1.0, 1.0])
    for _ in 0..<40 { nested = wkb(true, [u(7), u(1), nested]) }
    #expect(box(nested) == nil)
  }
}
