import Glibc
import Primitives

/// A folder of its own for a test, gone with it; in memory where the machine has that, since some tests make many files durable.
final class TestFolder {
  let path: String

  init() throws {
    let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(place)/arrow-cache-tests.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CacheError.file("make the folder", place, errorNumber: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { unlink(self[name]) }
    rmdir(path)
  }

  subscript(name: String) -> String { "\(path)/\(name)" }

  var names: [String] { (try? SystemFiles().list(path).sorted()) ?? [] }

  func read(_ name: String) throws -> [UInt8] { try SystemFiles().read(self[name], limitBytes: .max) }

  func write(_ name: String, _ bytes: [UInt8]) throws(CacheError) {
    try SystemFiles().unlink(self[name])
    let file = try SystemFiles().create(self[name])
    try bytes.withUnsafeBufferPointer { bytes throws(CacheError) in
      try SystemFiles().writeAll(UnsafeRawBufferPointer(bytes), to: file, at: 0)
    }
  }
}
