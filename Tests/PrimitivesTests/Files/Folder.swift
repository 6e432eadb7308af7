import Glibc
import Primitives

/// A folder of its own for a test, gone with it.
final class Folder {
  let path: String

  init() throws {
    var template = Array("/tmp/primitives-tests.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CacheError.file("make the folder", "/tmp", errorNumber: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { unlink(self[name]) }
    rmdir(path)
  }

  subscript(name: String) -> String { "\(path)/\(name)" }

  var names: [String] { (try? SystemFiles().list(path).sorted()) ?? [] }
}
