import ArrowData
import CArrow
import Glibc
import Primitives

@testable import CacheStore

/// A spill directory for a test, gone with it, whatever is in it.
final class SpillPlace: Sendable {
  let path: String

  init(_ parent: String? = nil) throws {
    let parent = parent ?? (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
    var template = Array("\(parent)/arrow-spill-tests.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CacheError.file("make the folder", parent, errorNumber: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    chmod(path, 0o700)
    for name in all.sorted(by: >) where Glibc.unlink(self[name]) != 0 { rmdir(self[name]) }
    rmdir(path)
  }

  subscript(name: String) -> String { "\(path)/\(name)" }

  var names: [String] { (try? SystemFiles().list(path).sorted()) ?? [] }

  /// Everything below, folders before what is in them.
  var all: [String] { below(path).map { String($0.dropFirst(path.count + 1)) } }

  private func below(_ folder: String) -> [String] {
    guard let status = try? SystemFiles().status(folder), status.isFolder, !status.isLink, let names = try? SystemFiles().list(folder) else { return [] }
    return names.sorted().flatMap { ["\(folder)/\($0)"] + below("\(folder)/\($0)") }
  }

  func touch(_ name: String, _ text: String = "x") throws(CacheError) {
    let file = try SystemFiles().create(self[name])
    try Array(text.utf8).withUnsafeBufferPointer { bytes throws(CacheError) in
      try SystemFiles().writeAll(UnsafeRawBufferPointer(bytes), to: file, at: 0)
    }
  }

  func folder(_ options: SpillOptions = SpillOptions(), _ files: any FileSystem = SystemFiles()) throws(CacheError) -> SpillFolder {
    try SpillFolder(parent: path, options: options, files: files)
  }
}

func spillOptions(_ compression: IPCCompression, mappedFileLimit: Int = 8192) -> SpillOptions {
  var options = SpillOptions()
  options.compression = compression
  options.mappedFileLimit = mappedFileLimit
  return options
}

/// Rows of one column of 64-bit numbers that count up.
func countingBatch(_ count: Int, from: Int = 0) throws(CacheError) -> RecordBatch {
  try ArraySpec.table([numbers(from..<(from + count))], length: count).batch(schema("l"), ReleaseCounter())
}

/// The pieces of so many rows each.
func pieces(_ rowCount: Int, _ size: Int) -> [Range<Int>] { stride(from: 0, to: rowCount, by: size).map { $0..<min($0 + size, rowCount) } }

extension SpillFolder {
  func write(_ batch: RecordBatch, pieceRows: Int = .max / 2) throws(CacheError) -> SpillFile {
    try write(batch, pieces: pieces(batch.rowCount, min(pieceRows, batch.rowCount)), schema: batch.schema)
  }
}

extension SegmentFile {
  /// The rows that reading gives, a column each.
  func values(_ offset: Int = 0, _ count: Int = .max, columns: [Int]? = nil) throws(CacheError) -> [[Value]] {
    var result = [[Value]](repeating: [], count: schema.selecting(columns).fields.count)
    for slice in try read(offset: offset, count: count, columns: columns) {
      for (index, values) in exported(slice.batch, offset: slice.offset, count: slice.count).enumerated() { result[index] += values }
    }
    return result
  }

  var isMapped: Bool { processMappings.contains { $0.contains(path) } }
}

/// The lines of /proc/self/maps.
var processMappings: [Substring] { procText("maps").split(separator: "\n") }

func procText(_ name: String) -> String {
  let bytes = (try? SystemFiles().read("/proc/self/\(name)", limitBytes: 64 << 20)) ?? []
  return String(decoding: bytes, as: UTF8.self)
}

/// How many bytes of a mapped file count as this process's memory.
func residentBytes(of path: String) -> Int {
  var isFile = false
  var total = 0
  for line in procText("smaps").split(separator: "\n") {
    if line.utf8.contains(UInt8(ascii: "-")), !line.hasPrefix("Rss") { isFile = line.hasSuffix(path) }
    if isFile, line.hasPrefix("Rss:") { total += (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024 }
  }
  return total
}

/// A column of 64-bit numbers.
func numbers(_ range: Range<Int>, modulo: Int = .max) -> ArraySpec {
  let values: [Int64?] = range.map { Int64($0 % modulo) }
  return column(values)
}
