/// One pair of a schema's or field's metadata; Arrow does not promise that either side is text.
public struct KeyValue: Hashable, Sendable {
  public let key: [UInt8]
  public let value: [UInt8]

  public init(key: [UInt8], value: [UInt8]) { (self.key, self.value) = (key, value) }
}

public typealias KeyValues = [KeyValue]

extension [KeyValue] {
  /// The value of the first pair with this key, as text.
  public func text(_ key: String) -> String? {
    first { $0.key.elementsEqual(key.utf8) }.flatMap { String(validating: $0.value, as: UTF8.self) }
  }
}
