import Glibc
import Primitives

/// Where an entry is persisted: a folder of its own in the storage folder, named after the key.
///
/// ```
/// <storage folder>/<readable>-<hash>/manifest.json                    what is there
///                                    part-<partition>-<content>.arrow  the rows of a partition
///                                    lock                              while somebody writes
/// ```
/// The readable part has at most 40 small letters, digits, `_` and `-`; the hash, 32 hexadecimal digits, is of the key's UTF-8: so any text
/// is a name, on file systems that fold case or normalise too, and none leads out of the folder.
struct PersistedFolder {
  static let lockName = "lock"

  let path: String
  let files: any FileSystem

  init(path: String, files: any FileSystem) { (self.path, self.files) = (path, files) }

  init(key: String, in parent: String, files: any FileSystem) {
    let readable = key.utf8.prefix(40).map { byte -> Character in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): Character(Unicode.Scalar(byte | 0x20))
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): Character(Unicode.Scalar(byte))
      default: "_"
      }
    }
    path = "\(parent)/\(String(readable))-\(XXHash64(key.utf8).digits)\(XXHash64(key.utf8, seed: 1).digits)"
    self.files = files
  }

  static func partName(_ index: Int, content: String, _ format: PartFormat = .arrow) -> String {
    let digits = "\(index)"
    return "part-\(String(repeating: "0", count: max(0, 6 - digits.utf8.count)))\(digits)-\(content).\(format.rawValue)"
  }

  /// Whether a file of this name is one that is made here for rows.
  static func isPart(_ name: String) -> Bool {
    guard name.utf8.starts(with: "part-".utf8), let format = PartFormat(of: name) else { return false }
    let parts = name.dropFirst(5).dropLast(1 + format.rawValue.utf8.count).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, UInt(parts[0]) != nil, parts[0].utf8.count >= 6 else { return false }
    return parts[1] == "new" || parts[1].utf8.count == 16 && UInt64(parts[1], radix: 16) != nil
  }

  /// Whether a folder of this name is one that is made for an entry.
  static func isFolderName(_ name: String) -> Bool {
    let tail = name.utf8.suffix(33)
    return name.utf8.count >= 33 && tail.first == UInt8(ascii: "-")
      && tail.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
  }

  /// Removes what is ours, and the folder where nothing else is in it.
  func remove() {
    sweep(keeping: [])
    attempt { () throws(CacheError) in try files.unlink("\(path)/\(Self.lockName)") }
    attempt { () throws(CacheError) in try files.removeFolder(path) }
  }

  /// The folder as something to write to, by one at a time. Made, with those above it, where it is not there.
  func lockForWriting() throws(CacheError) -> FileLock {
    try files.makeFolders(path)
    let owner = "process \(getpid()) persists an entry of arrow_cache here\n"
    switch try files.lock("\(path)/\(Self.lockName)", owner: owner) {
    case .acquired(let lock): return lock
    case .held(let owner):
      let owner = owner.isEmpty ? "somebody" : String(owner.prefix { $0 != "\n" })
      throw CacheError(.storage, "cannot write to '\(path)': it is locked (\(owner)): wait until that is done")
    }
  }

  func unlock(_ lock: FileLock) {
    attempt { () throws(CacheError) in try files.unlink(lock.path) }
    lock.release()
  }

  /// Removes what is ours and is not wanted: parts that no manifest names any more, and what killed processes have left.
  /// `unlocks`: the lock of a killed process too.
  func sweep(keeping names: Set<String>, unlocks: Bool = false) {
    attempt { () throws(CacheError) in
      let found = try files.list(path)
      for name in found where Self.isLeftover(name) && !names.contains(name) {
        attempt { () throws(CacheError) in try files.unlink("\(path)/\(name)") }
      }
      guard unlocks, found.contains(Self.lockName), case .acquired(let lock) = try files.lock("\(path)/\(Self.lockName)", owner: "") else { return }
      unlock(lock)
    }
  }

  static func isLeftover(_ name: String) -> Bool {
    if isPart(name) { return true }
    guard AtomicFile.isTemporary(name), let end = name.range(ofTemporaryMark: ".tmp.") else { return false }
    let original = String(name[..<end])
    return original == Manifest.name || isPart(original)
  }

}

extension String {
  /// Where the last such mark begins.
  fileprivate func range(ofTemporaryMark mark: String) -> String.Index? {
    let (text, mark) = (Array(utf8), Array(mark.utf8))
    guard text.count >= mark.count else { return nil }
    for start in stride(from: text.count - mark.count, through: 0, by: -1) where text[start..<start + mark.count].elementsEqual(mark) {
      return utf8.index(startIndex, offsetBy: start)
    }
    return nil
  }
}
