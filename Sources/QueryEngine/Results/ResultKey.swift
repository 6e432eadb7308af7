/// What a result was asked for with: the text and its parameters, byte by byte, and the session's state.
struct ResultKey: Hashable, Sendable {
  private let bytes: [UInt8]
  private let session: UInt64

  init(sql: String, parameters: QueryParameters, session: UInt64) {
    var bytes = Array(sql.utf8)
    bytes.append(0)  // no statement has a NUL
    switch parameters {
    case .none: break
    case .positional(let values):
      bytes.append(1)
      for value in values { value.append(to: &bytes) }
    case .named(let pairs):
      bytes.append(2)
      for (name, value) in pairs.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
        bytes.append(text: name)
        value.append(to: &bytes)
      }
    }
    (self.bytes, self.session) = (bytes, session)
  }
}

extension QueryValue {
  /// Different bytes for values that a statement could tell apart.
  fileprivate func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(0)
    case .bool(let value): bytes += [1, value ? 1 : 0]
    case .int(let value): bytes.append(2, value)
    case .uint(let value): bytes.append(17, value)
    case .hugeInt(let value): bytes.append(3, value)
    case .double(let value): bytes.append(4, value.bitPattern)
    case .text(let value):
      bytes.append(5)
      bytes.append(text: value)
    case .blob(let value):
      bytes.append(6, value.count)
      bytes += value
    case .date(let value): bytes.append(7, value)
    case .time(let value): bytes.append(8, value)
    case .timestamp(let value): bytes.append(9, value)
    case .timestampTZ(let value): bytes.append(10, value)
    case .timestampNanos(let value): bytes.append(11, value)
    case .interval(let months, let days, let micros):
      bytes.append(12, months)
      bytes.append(12, days)
      bytes.append(12, micros)
    case .decimal(let unscaled, let width, let scale):
      bytes.append(13, unscaled)
      bytes.append(13, width)
      bytes.append(13, scale)
    case .uuid(let value):
      bytes.append(14)
      bytes.append(text: value)
    case .list(let values):
      bytes.append(15, values.count)
      for value in values { value.append(to: &bytes) }
    case .structure(let members):
      bytes.append(16, members.count)
      for (name, value) in members {
        bytes.append(text: name)
        value.append(to: &bytes)
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ tag: UInt8, _ value: some FixedWidthInteger) {
    append(tag)
    Swift.withUnsafeBytes(of: value) { self += $0 }
  }

  fileprivate mutating func append(text: String) {
    append(0, text.utf8.count)
    self += text.utf8
  }
}
