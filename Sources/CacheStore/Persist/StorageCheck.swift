import ArrowData
import Primitives

/// What a look at a storage folder has found in one of its folders.
public struct StorageFinding: Sendable {
  /// The folder, from the root.
  public let path: String
  /// nil: the manifest does not say.
  public let key: String?
  public let rowCount: Int
  /// Of the files that the manifest names.
  public let byteCount: Int
  /// What is wrong, in the words that a reader would get; empty: all is as it was written.
  public let problems: [String]
  /// Whether something was removed to put it right.
  public let isRepaired: Bool
}

/// Reads every entry that has been persisted to a folder, and compares all that readers look at with its checksums.
///
/// With `repairs`, what nobody can read is removed: files that no manifest names, and entries with a file that is missing or damaged. A later
/// version's are left alone. Nobody else may have the folder as its storage then. Throws `.storage` where the folder itself cannot be read.
public func checkStorage(
  _ path: String, repairs: Bool = false, threadCount: Int = 1, files: any FileSystem = SystemFiles()
) throws(CacheError) -> [StorageFinding] {
  guard !path.isEmpty, !path.utf8.contains(0) else {
    throw CacheError(.argument, "storage_dir is empty or has a zero byte: give the path of a folder")
  }
  let path = try absolutePath(path)
  guard let status = try files.status(path), status.isFolder else { throw CacheError(.storage, "cannot check '\(path)': there is no such folder") }
  let storage = repairs ? try Storage(path, deletesFilesOnClose: false, files: files) : nil
  defer { storage?.close() }
  var findings: [StorageFinding] = []
  for name in try files.list(path).sorted() where PersistedFolder.isFolderName(name) {
    let folder = PersistedFolder(path: "\(path)/\(name)", files: files)
    guard let status = try files.status(folder.path), status.isFolder else { continue }
    findings.append(check(folder, in: path, repairs: repairs, threadCount: threadCount))
  }
  return findings
}

private func check(_ folder: PersistedFolder, in parent: String, repairs: Bool, threadCount: Int) -> StorageFinding {
  var problems: [String] = []
  var manifest: Manifest?
  var isReadable = true
  var isLater = false
  do throws(CacheError) {
    manifest = try Manifest.read(in: folder.path, files: folder.files)
    if manifest == nil { problems.append("'\(folder.path)' has no manifest: it was never finished") }
    if let manifest, PersistedFolder(key: manifest.key, in: parent, files: folder.files).path != folder.path {
      throw CacheError(.storage, "'\(folder.path)' has the entry '\(manifest.key)', whose folder has another name")
    }
  } catch {
    (isReadable, isLater) = (false, error.code == .type)
    problems.append(error.description)
  }
  var schema: Schema?
  for index in manifest?.parts.indices ?? 0..<0 {
    do throws(CacheError) {
      guard let manifest else { break }
      guard manifest.format == .arrow else {
        _ = try EncodedParts.bytes(of: manifest.parts[index], in: folder)
        continue
      }
      schema = try PersistedFile(index, of: manifest, in: folder, schema: schema, isVerified: true, threadCount: threadCount).schema
    } catch {
      (isReadable, isLater) = (false, isLater || error.code == .type)
      problems.append(error.description)
    }
  }
  let known = Set(manifest?.parts.map(\.name) ?? [])
  if isReadable, manifest != nil {
    attempt { () throws(CacheError) in
      for name in try folder.files.list(folder.path).sorted() where PersistedFolder.isLeftover(name) && !known.contains(name) {
        problems.append("'\(folder.path)/\(name)' belongs to nothing: a process ended before it was done")
      }
    }
  }
  var isRepaired = repairs && !problems.isEmpty && !isLater
  if isRepaired {
    if isReadable, manifest != nil {
      folder.sweep(keeping: known)
    } else {
      attempt { () throws(CacheError) in
        try folder.files.unlink("\(folder.path)/\(Manifest.name)")
        try folder.files.synchronizeFolder(folder.path)
      }
      folder.remove()
      // What is not ours stays, and the folder with it.
      isRepaired = false
      attempt { () throws(CacheError) in isRepaired = try folder.files.status(folder.path) == nil }
    }
  }
  return StorageFinding(
    path: folder.path, key: manifest?.key, rowCount: manifest?.parts.reduce(0) { $0.saturatingSum($1.rowCount) } ?? 0,
    byteCount: manifest?.parts.reduce(0) { $0.saturatingSum($1.byteCount) } ?? 0, problems: problems, isRepaired: isRepaired)
}
