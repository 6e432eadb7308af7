/// The members of Arrow's `Type` union that have a number here.
enum FlatType {
  static let int = 2
  static let float = 3
  static let decimal = 7
  static let date = 8
  static let time = 9
  static let timestamp = 10
  static let interval = 11
  static let union = 14
  static let fixedBinary = 15
  static let fixedList = 16
  static let map = 17
  static let duration = 18

  /// Types without parameters, by their format string.
  static let plain: [(number: Int, format: String)] = [
    (1, "n"), (4, "z"), (5, "u"), (6, "b"), (12, "+l"), (13, "+s"), (19, "Z"), (20, "U"), (21, "+L"), (22, "+r"), (23, "vz"), (24, "vu"),
    (25, "+vl"), (26, "+vL"),
  ]

  /// Units of time, in the order of `TimeUnit`.
  static let units = ["s", "m", "u", "n"]
  /// By `Precision`.
  static let floats = ["e", "f", "g"]
  /// By `IntervalUnit`.
  static let intervals = ["tiM", "tiD", "tin"]
  /// Integers by width, signed and unsigned.
  static let integers = [(8, "c", "C"), (16, "s", "S"), (32, "i", "I"), (64, "l", "L")]
}

/// Members of `MessageHeader`, and the version of the metadata that is written.
enum FlatMessage {
  static let schema = 1
  static let dictionary = 2
  static let batch = 3
  /// `MetadataVersion.V5`, Arrow 1.0 and later.
  static let version = 4
  /// `MetadataVersion.V4`: as V5, but for unions.
  static let oldestVersion = 3
}
