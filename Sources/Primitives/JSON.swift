/// A value of JSON (RFC 8259). Numbers stay text, so that 64 bits come back whole.
public indirect enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case text(String)
  case list([JSON])
  case object([(name: String, value: JSON)])

  public static func == (left: JSON, right: JSON) -> Bool { left.encoded == right.encoded }

  public static func integer(_ value: some BinaryInteger) -> JSON { .number("\(value)") }
  public static func double(_ value: Double) -> JSON { value.isFinite ? .number("\(value)") : .text("\(value)") }

  public subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  public var text: String? { if case .text(let text) = self { text } else { nil } }
  public var list: [JSON]? { if case .list(let values) = self { values } else { nil } }
  public var members: [(name: String, value: JSON)]? { if case .object(let members) = self { members } else { nil } }
  public var int: Int? { if case .number(let digits) = self { Int(digits) } else { nil } }
  public var int64: Int64? { if case .number(let digits) = self { Int64(digits) } else { nil } }
  public var uint64: UInt64? { if case .number(let digits) = self { UInt64(digits) } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  public var double: Double? {
    switch self {
    case .number(let digits): Double(digits)
    case .text(let word): ["inf", "-inf", "nan"].contains(word) ? Double(word) : nil
    default: nil
    }
  }

  // MARK: writing

  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .number(let digits): bytes += digits.utf8
    case .text(let text): Self.write(text, to: &bytes)
    case .list(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.write(member.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  // MARK: reading

  /// nil: the bytes are no JSON, or nested deeper than `maximumDepth`.
  public init?(_ bytes: [UInt8], maximumDepth: Int = 32) {
    var reader = JSONReader(bytes, maximumDepth: maximumDepth)
    guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
    self = value
  }
}

private struct JSONReader {
  private let maximumDepth: Int
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8], maximumDepth: Int) { (self.bytes, self.maximumDepth) = (bytes, maximumDepth) }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == bytes.count
    }
  }

  mutating func value(depth: Int) -> JSON? {
    guard depth < maximumDepth else { return nil }
    skipSpace()
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["): return list(depth)
    case UInt8(ascii: "\""): return text().map(JSON.text)
    case UInt8(ascii: "t"): return word("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return word("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return word("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object(_ depth: Int) -> JSON? {
    var members: [(name: String, value: JSON)] = []
    position += 1
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard let name = text(), take(":"), let value = value(depth: depth + 1) else { return nil }
      members.append((name, value))
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func list(_ depth: Int) -> JSON? {
    var values: [JSON] = []
    position += 1
    if take("]") { return .list([]) }
    repeat {
      guard let value = value(depth: depth + 1) else { return nil }
      values.append(value)
    } while take(",")
    return take("]") ? .list(values) : nil
  }

  private mutating func text() -> String? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
    position += 1
    var result: [UInt8] = []
    while true {
      let start = position
      while position < bytes.count, !isSpecial(bytes[position]) { position += 1 }
      guard position < bytes.count else { return nil }
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        if result.isEmpty { return String(validating: bytes[start..<position - 1], as: UTF8.self) }
        result += bytes[start..<position - 1]
        return String(validating: result, as: UTF8.self)
      case UInt8(ascii: "\\"):
        result += bytes[start..<position - 1]
        guard escape(&result) else { return nil }
      default: return nil
      }
    }
  }

  private func isSpecial(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 }

  private mutating func escape(_ result: inout [UInt8]) -> Bool {
    guard position < bytes.count else { return false }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
    case UInt8(ascii: "b"): result.append(8)
    case UInt8(ascii: "f"): result.append(12)
    case UInt8(ascii: "n"): result.append(10)
    case UInt8(ascii: "r"): result.append(13)
    case UInt8(ascii: "t"): result.append(9)
    case UInt8(ascii: "u"):
      guard let high = unit() else { return false }
      var code = UInt32(high)
      if (0xd800..<0xdc00).contains(code) {
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else { return false }
        position += 2
        guard let low = unit(), (0xdc00..<0xe000).contains(low) else { return false }
        code = 0x10000 + (code - 0xd800) << 10 + (UInt32(low) - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { return false }
      result += String(Character(scalar)).utf8
    default: return false
    }
    return true
  }

  private mutating func unit() -> UInt16? {
    guard bytes.count - position >= 4, let digits = String(validating: bytes[position..<position + 4], as: UTF8.self) else { return nil }
    position += 4
    return digits.utf8.contains(UInt8(ascii: "+")) || digits.utf8.contains(UInt8(ascii: "-")) ? nil : UInt16(digits, radix: 16)
  }

  private mutating func number() -> JSON? {
    let start = position
    while position < bytes.count, isPartOfNumber(bytes[position]) { position += 1 }
    guard let digits = String(validating: bytes[start..<position], as: UTF8.self), Double(digits) != nil else { return nil }
    return .number(digits)
  }

  private func isPartOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
    default: false
    }
  }

  private mutating func word(_ word: StaticString) -> Bool {
    let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[position...].starts(with: word) else { return false }
    position += word.count
    return true
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }
}
