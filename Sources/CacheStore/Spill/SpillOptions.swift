import ArrowData

/// How spilled rows are written.
public struct SpillOptions: Hashable, Sendable {
  /// None: reading is mapping. Compressed, a read takes memory for what it asks for.
  public var compression = IPCCompression.none
  /// As the codec numbers its levels. Ignored where nothing is compressed.
  public var level = 1
  /// Threads that compress and write one file, the caller's among them.
  public var threadCount = 2
  /// The most files that are mapped at a time without a reader: the system allows a process about 65 000 mappings of all kinds.
  public var mappedFileLimit = 8192

  public init() {}
}
