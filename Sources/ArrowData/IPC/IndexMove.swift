import CArrow
import Primitives

/// Indices into one dictionary made into indices into another: `places` has the new index of each old one.
enum IndexMove {
  /// Throws where an index of a value that is not null lies outside the dictionary.
  static func check(_ format: String, _ piece: ArrayPiece, _ places: [Int], _ broken: (String) -> CacheError) throws(CacheError) {
    var wrong: Int?
    func look<Index: FixedWidthInteger>(_: Index.Type, _ values: UnsafeRawPointer) {
      let values = values.assumingMemoryBound(to: Index.self)
      for index in piece.from..<(piece.from + piece.count) where UInt64(truncatingIfNeeded: values[index]) >= UInt64(places.count) {
        if wrong == nil, piece.isValid(index) { wrong = index }
      }
    }
    withType(format, piece.array.buffer(1), as8: look, as16: look, as32: look, as64: look)
    if let wrong { throw broken("has at value \(wrong) an index outside its dictionary of \(places.count)") }
  }

  /// Writes so many indices of a piece, from one of them on; without places as they are, those of nulls as 0 where they lie outside.
  static func fill(_ format: String, _ piece: ArrayPiece, _ places: [Int]?, _ first: Int, _ count: Int, to target: UnsafeMutableRawPointer) {
    func move<Index: FixedWidthInteger>(_: Index.Type, _ values: UnsafeRawPointer) {
      let source = values.assumingMemoryBound(to: Index.self) + (piece.from + first)
      let target = target.assumingMemoryBound(to: Index.self)
      guard let places else { return target.update(from: source, count: count) }
      for index in 0..<count {
        let old = UInt64(truncatingIfNeeded: source[index])
        target[index] = old < UInt64(places.count) ? Index(truncatingIfNeeded: places[Int(old)]) : 0
      }
    }
    withType(format, piece.array.buffer(1), as8: move, as16: move, as32: move, as64: move)
  }

  /// As unsigned numbers of their width: negative ones then lie outside every dictionary.
  private static func withType(
    _ format: String, _ values: UnsafeRawPointer?, as8: (UInt8.Type, UnsafeRawPointer) -> Void,
    as16: (UInt16.Type, UnsafeRawPointer) -> Void, as32: (UInt32.Type, UnsafeRawPointer) -> Void,
    as64: (UInt64.Type, UnsafeRawPointer) -> Void
  ) {
    guard let values else { return }
    switch format {
    case "c", "C": as8(UInt8.self, values)
    case "s", "S": as16(UInt16.self, values)
    case "i", "I": as32(UInt32.self, values)
    default: as64(UInt64.self, values)
    }
  }

  /// How many values a dictionary can have whose indices are of this format.
  static func capacity(_ format: String) -> Int {
    switch format {
    case "c": 1 << 7
    case "C": 1 << 8
    case "s": 1 << 15
    case "S": 1 << 16
    case "i": 1 << 31
    case "I": 1 << 32
    default: Int.max
    }
  }
}
