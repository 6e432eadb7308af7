import Primitives

/// How a type's buffers and children are laid out: all that importing, copying and measuring need to know of a type.
public enum Layout: Hashable, Sendable {
  case null
  case bits
  case fixed(byteWidth: Int)
  case binary(offsetWidth: Int)
  case view
  case list(offsetWidth: Int)
  case listView(offsetWidth: Int)
  case fixedList(count: Int)
  case structure
  /// A type id for each child, in order.
  case union(isDense: Bool, typeIDs: [Int8])
  case runs

  /// The layout of a C Data Interface format string.
  public init(format: String) throws(CacheError) {
    let colon = format.utf8.firstIndex(of: UInt8(ascii: ":"))
    let head = colon.map { String(format[..<$0]) } ?? format
    let argument = colon.map { String(format[format.utf8.index(after: $0)...]) } ?? ""
    func refused() -> CacheError { CacheError(.type, "Arrow format '\(format)' is not known: cast the column to a standard type") }
    func size() throws(CacheError) -> Int {
      guard let count = Int(argument), count >= 0, count <= Int(Int32.max) else { throw refused() }
      return count
    }
    switch head {
    case "n": self = .null
    case "b": self = .bits
    case "c", "C": self = .fixed(byteWidth: 1)
    case "s", "S", "e": self = .fixed(byteWidth: 2)
    case "i", "I", "f", "tdD", "tts", "ttm", "tiM": self = .fixed(byteWidth: 4)
    case "l", "L", "g", "tdm", "ttu", "ttn", "tss", "tsm", "tsu", "tsn", "tDs", "tDm", "tDu", "tDn", "tiD":
      self = .fixed(byteWidth: 8)
    case "tin": self = .fixed(byteWidth: 16)
    case "d":
      let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard (2...3).contains(parts.count), !parts.contains(nil) else { throw refused() }
      let bits = parts.count == 3 ? parts[2] ?? 0 : 128
      guard [32, 64, 128, 256].contains(bits) else { throw refused() }
      self = .fixed(byteWidth: bits / 8)
    case "w": self = .fixed(byteWidth: try size())
    case "z", "u": self = .binary(offsetWidth: 4)
    case "Z", "U": self = .binary(offsetWidth: 8)
    case "vz", "vu": self = .view
    case "+l", "+m": self = .list(offsetWidth: 4)
    case "+L": self = .list(offsetWidth: 8)
    case "+vl": self = .listView(offsetWidth: 4)
    case "+vL": self = .listView(offsetWidth: 8)
    case "+w": self = .fixedList(count: try size())
    case "+s": self = .structure
    case "+r": self = .runs
    case "+ud", "+us":
      let ids = argument.split(separator: ",").map { Int8($0) ?? -1 }
      guard ids.allSatisfy({ $0 >= 0 }), Set(ids).count == ids.count else { throw refused() }
      self = .union(isDense: head == "+ud", typeIDs: ids)
    default: throw refused()
    }
  }

  /// How many children an array of this layout has; nil where the schema decides.
  var childCount: Int? {
    switch self {
    case .structure: nil
    case .list, .listView, .fixedList: 1
    case .runs: 2
    case .union(_, let ids): ids.count
    default: 0
    }
  }

  /// How many buffers an array of this layout has; views have that many and one more for each data buffer.
  var bufferCount: Int {
    switch self {
    case .null, .runs: 0
    case .structure, .fixedList: 1
    case .bits, .fixed, .list: 2
    case .binary, .view, .listView: 3
    case .union(let isDense, _): isDense ? 2 : 1
    }
  }

  /// Whether the first buffer is a validity bitmap.
  var hasValidity: Bool {
    switch self {
    case .null, .runs, .union: false
    default: true
    }
  }
}
