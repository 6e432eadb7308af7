/// A node of DuckDB's syntax tree, as its `json_serialize_sql` writes it. Numbers and truth values are left out: nothing here depends on them.
indirect enum SyntaxNode {
  case other
  case text([UInt8])
  case list([SyntaxNode])
  case object([(name: [UInt8], value: SyntaxNode)])

  subscript(name: StaticString) -> SyntaxNode? {
    guard case .object(let members) = self else { return nil }
    let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    return members.first { $0.name.elementsEqual(wanted) }?.value
  }

  var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
  var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var list: [SyntaxNode] { if case .list(let values) = self { values } else { [] } }

  /// nil: the bytes are no JSON, or nested deeper than a statement that anybody writes by hand.
  init?(_ json: [UInt8]) {
    var reader = SyntaxReader(json)
    guard let node = reader.node(depth: 0) else { return nil }
    self = node
  }
}

private struct SyntaxReader {
  private static let maximumDepth = 400
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    while let byte = next, byte == 32 || (9...13).contains(byte) { position += 1 }
    guard next == UInt8(ascii: wanted) else { return false }
    position += 1
    return true
  }

  mutating func node(depth: Int) -> SyntaxNode? {
    guard depth < Self.maximumDepth else { return nil }
    if take("{") { return object(depth) }
    if take("[") { return list(depth) }
    if take("\"") { return text().map(SyntaxNode.text) }
    let start = position
    while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]") { position += 1 }
    return position > start ? .other : nil
  }

  private mutating func object(_ depth: Int) -> SyntaxNode? {
    var members: [(name: [UInt8], value: SyntaxNode)] = []
    if take("}") { return .object(members) }
    repeat {
      guard take("\""), let name = text(), take(":"), let value = node(depth: depth + 1) else { return nil }
      members.append((name, value))
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func list(_ depth: Int) -> SyntaxNode? {
    var values: [SyntaxNode] = []
    if take("]") { return .list(values) }
    repeat {
      guard let value = node(depth: depth + 1) else { return nil }
      values.append(value)
    } while take(",")
    return take("]") ? .list(values) : nil
  }

  private mutating func text() -> [UInt8]? {
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      if byte == UInt8(ascii: "\"") { return text }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let escape = next else { return nil }
      position += 1
      switch escape {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "b"): text.append(8)
      case UInt8(ascii: "f"): text.append(12)
      case UInt8(ascii: "u"):
        // A control character, as DuckDB writes all others as they are.
        guard position + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
          let scalar = Unicode.Scalar(code)
        else { return nil }
        position += 4
        text += Array(String(Character(scalar)).utf8)
      default: text.append(escape)
      }
    }
    return nil
  }
}
