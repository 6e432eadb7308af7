private let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

/// The value of each letter; 64: it is none.
private let values: [UInt8] = {
  var values = [UInt8](repeating: 64, count: 256)
  for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
  return values
}()

/// Base64 (RFC 4648) with padding.
func base64(_ bytes: [UInt8]) -> String {
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
    for place in 0..<4 { text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "=")) }
  }
  return String(decoding: text, as: UTF8.self)
}

/// nil: the text is not what `base64` makes.
func bytes(base64 text: String) -> [UInt8]? {
  let letters = Array(text.utf8)
  guard letters.count % 4 == 0 else { return nil }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(letters.count / 4 * 3)
  for start in stride(from: 0, to: letters.count, by: 4) {
    let isLast = start + 4 == letters.count
    let padding = isLast ? (letters[start + 3] == UInt8(ascii: "=") ? (letters[start + 2] == UInt8(ascii: "=") ? 2 : 1) : 0) : 0
    var bits: UInt32 = 0
    for place in 0..<4 {
      let value = place < 4 - padding ? values[Int(letters[start + place])] : 0
      guard value < 64 else { return nil }
      bits = bits << 6 | UInt32(value)
    }
    for place in 0..<3 - padding { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))) }
  }
  return bytes
}
