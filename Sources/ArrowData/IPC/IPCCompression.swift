/// How the buffers of a file are compressed; the raw value is the name that Arrow uses.
public enum IPCCompression: String, Hashable, Sendable, CaseIterable {
  /// Not at all: reading is mapping.
  case none = "uncompressed"
  /// LZ4 frames: little processor time.
  case lz4
  /// Zstandard: smaller.
  case zstd

  /// The member of Arrow's `CompressionType`.
  var flatNumber: Int? {
    switch self {
    case .none: nil
    case .lz4: 0
    case .zstd: 1
    }
  }

  init?(flatNumber: Int) {
    switch flatNumber {
    case 0: self = .lz4
    case 1: self = .zstd
    default: return nil
    }
  }
}
