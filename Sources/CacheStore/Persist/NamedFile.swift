import Primitives

/// A file of a storage that may be read still when it has lost its name.
struct NamedFile {
  weak var file: PersistedFile?

  func keepMapped() { attempt { () throws(CacheError) in try file?.keepMapped() } }
}

extension Entry {
  /// Files of a storage that it may still have to map.
  var namedFiles: [NamedFile] { segments.compactMap { ($0.file as? PersistedFile).map { NamedFile(file: $0) } } }
}
