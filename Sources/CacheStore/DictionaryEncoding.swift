/// Whether texts that repeat are kept as indices into a dictionary of the distinct ones. They come back as they were put, in memory of
/// the reader's own.
public enum DictionaryEncoding: String, Sendable {
  /// Texts stay as they were put.
  case never
  /// Where the rows would take memory beyond the threshold for spilling: to encode them costs less than to write them to disk.
  case whenMemoryIsShort
  /// Wherever that takes half of the memory at most. Such columns are copied by a put, Arrow's too.
  case always
}
