/// The rectangle around geometries, in the units of their coordinate system.
public struct BoundingBox: Hashable, Sendable {
  public var minX, minY, maxX, maxY: Double

  public init(minX: Double, minY: Double, maxX: Double, maxY: Double) {
    (self.minX, self.minY, self.maxX, self.maxY) = (minX, minY, maxX, maxY)
  }

  /// Around nothing: every union with it is the other box.
  static let nowhere = BoundingBox(minX: .infinity, minY: .infinity, maxX: -.infinity, maxY: -.infinity)

  var isNowhere: Bool { minX > maxX || minY > maxY }

  mutating func include(x: Double, y: Double) {
    // Empty points have NaN coordinates.
    guard !x.isNaN, !y.isNaN else { return }
    (minX, maxX) = (min(minX, x), max(maxX, x))
    (minY, maxY) = (min(minY, y), max(maxY, y))
  }

  mutating func include(_ other: BoundingBox) {
    (minX, maxX) = (min(minX, other.minX), max(maxX, other.maxX))
    (minY, maxY) = (min(minY, other.minY), max(maxY, other.maxY))
  }

  /// Whether they have a point in common, if only on their sides.
  func meets(_ other: BoundingBox) -> Bool { minX <= other.maxX && other.minX <= maxX && minY <= other.maxY && other.minY <= maxY }

  /// Around all of these; nil where there is none.
  public static func around(_ boxes: some Sequence<BoundingBox>) -> BoundingBox? {
    var whole = nowhere
    for box in boxes { whole.include(box) }
    return whole.isNowhere ? nil : whole
  }
}

/// Reads the coordinates of one geometry in well-known binary: ISO and extended (PostGIS), two to four dimensions, either byte order.
/// OGC 06-103r4, section 8. False where the bytes are not such a geometry: then nothing is known of it.
struct WellKnownBinary {
  private static let maximumDepth = 32
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func include(in box: inout BoundingBox) -> Bool { geometry(&box, depth: 0) }

  private mutating func geometry(_ box: inout BoundingBox, depth: Int) -> Bool {
    guard depth < Self.maximumDepth, let order = byte(), order <= 1, let code = number(order) else { return false }
    // Extended form: dimensions and a reference system in the high bits. ISO: thousands.
    var dimensions = 2 + Int(code >> 31 & 1) + Int(code >> 30 & 1)
    if code >> 29 & 1 == 1, number(order) == nil { return false }
    let plain = code & 0x1fff_ffff
    switch plain / 1000 {
    case 0: break
    case 1, 2: dimensions = 3
    case 3: dimensions = 4
    default: return false
    }
    switch plain % 1000 {
    case 1: return points(1, dimensions, order, &box)
    case 2: return number(order).map { points(Int($0), dimensions, order, &box) } ?? false
    case 3:
      guard let rings = number(order) else { return false }
      for _ in 0..<rings {
        guard let count = number(order), points(Int(count), dimensions, order, &box) else { return false }
      }
      return true
    case 4...7:
      guard let parts = number(order) else { return false }
      for _ in 0..<parts {
        guard geometry(&box, depth: depth + 1) else { return false }
      }
      return true
    default: return false
    }
  }

  private mutating func points(_ count: Int, _ dimensions: Int, _ order: UInt8, _ box: inout BoundingBox) -> Bool {
    let width = dimensions * 8
    guard count <= (bytes.count - position) / width else { return false }
    for _ in 0..<count {
      box.include(x: coordinate(position, order), y: coordinate(position + 8, order))
      position += width
    }
    return true
  }

  private func coordinate(_ offset: Int, _ order: UInt8) -> Double {
    let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    return Double(bitPattern: order == 1 ? UInt64(littleEndian: bits) : UInt64(bigEndian: bits))
  }

  private mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func number(_ order: UInt8) -> UInt32? {
    guard bytes.count - position >= 4 else { return nil }
    defer { position += 4 }
    let bits = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
    return order == 1 ? UInt32(littleEndian: bits) : UInt32(bigEndian: bits)
  }
}
