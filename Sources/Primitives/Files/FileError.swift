import Glibc

extension CacheError {
  /// A file call that failed: "cannot `action` 'path'", with what to do about the system's error number.
  public static func file(_ action: String, _ path: String, errorNumber: Int32) -> CacheError {
    CacheError(.storage, "cannot \(action) '\(path)': \(remedy(errorNumber))", cause: systemWords(errorNumber), systemError: errorNumber)
  }

  /// Whether the disk, or what this user may take of it, is full.
  public var isOutOfSpace: Bool { code == .storage && (systemError == ENOSPC || systemError == EDQUOT) }

  /// Whether what a file call was about is not there.
  public var isMissingFile: Bool { code == .storage && systemError == ENOENT }

  private static func systemWords(_ errorNumber: Int32) -> String {
    var words = [CChar](repeating: 0, count: 256)
    guard strerror_r(errorNumber, &words, words.count - 1) == 0 else { return "errno \(errorNumber)" }
    let text = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(text) (errno \(errorNumber))"
  }

  private static func remedy(_ errorNumber: Int32) -> String {
    switch errorNumber {
    case ENOSPC: "the disk is full: free space there or choose another folder"
    case EDQUOT: "the quota is used up: free space there or choose another folder"
    case EACCES, EPERM: "this user may not: change the permissions or choose another folder"
    case EROFS: "the file system is read-only: choose another folder"
    case ENOENT, ENOTDIR: "it or its folder is not there: check the path and whether somebody removed it"
    case EEXIST: "it is there already: choose another name"
    case ENOTEMPTY: "the folder is not empty: remove what is in it first"
    case EISDIR: "it is a folder: give the path of a file"
    case EIO: "the disk reports an error: check it and choose another folder"
    case EMFILE, ENFILE: "too many files are open: raise the limit (ulimit -n)"
    case EFBIG: "the file system or the process's limit (ulimit -f) does not take files of this size: use smaller partitions"
    case ENAMETOOLONG: "the name is too long: choose a shorter one"
    case ENOMEM: "the system has no memory or no more mappings: free memory or raise vm.max_map_count"
    default: "the system refused"
    }
  }
}
