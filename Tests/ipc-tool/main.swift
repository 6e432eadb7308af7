import ArrowData
import CacheStore
import Glibc
import Primitives

// Reads and writes Arrow files for tests that look at them from Python. Takes a command a line, words and `name=value` options
// separated by tabs, and answers each with a line: `ok` and facts, or `error` and what went wrong.
//
//   copy IN... OUT [compression=uncompressed] [level=1] [threads=1] [offset=0] [count=all] [trust=automatic] [merges=yes] [columns=0,2]
//   read IN [trust=automatic] [threads=1] [columns=0,2] [prefetch=no]
//   verify IN
//   persist IN FOLDER [key=k] [partition=100] [compression=uncompressed] [kill=N]   puts and persists the rows, ends at file call N
//   store IN FOLDER WORD... [kill=N]      works on a storage, a line of answer a word: put-KEY-ROWS, ttl-KEY-SECONDS, remove-KEY, clear, close
//   spill IN FOLDER               spills the first batch there, makes the folder for queries, and stays

/// What `spill` has made: it goes with the process.
nonisolated(unsafe) var spilled: [SpillFile] = []

struct Command {
  var words: [String] = []
  var options: [String: String] = [:]

  init(_ line: String) {
    for part in line.split(separator: "\t").map(String.init) {
      guard let equals = part.firstIndex(of: "="), !part.hasPrefix("/") else {
        words.append(part)
        continue
      }
      options[String(part[..<equals])] = String(part[part.index(after: equals)...])
    }
  }

  func number(_ name: String, _ absent: Int) -> Int { options[name].flatMap { Int($0) } ?? absent }

  func path(_ index: Int) throws(CacheError) -> String {
    guard words.indices.contains(index) else { throw CacheError(.argument, "the command lacks a path") }
    return words[index]
  }

  var reading: IPCReadOptions {
    var result = IPCReadOptions()
    result.threadCount = number("threads", 1)
    let trusts: [String: IPCTrust] = ["sealed": .sealed, "checksums": .checksums, "structure": .structure]
    result.trust = trusts[options["trust"] ?? ""] ?? .automatic
    return result
  }

  var writing: IPCWriteOptions {
    var result = IPCWriteOptions()
    result.compression = options["compression"].flatMap { IPCCompression(rawValue: $0) } ?? .none
    result.level = number("level", 1)
    result.threadCount = number("threads", 1)
    result.isDurable = options["durable"] == "yes"
    result.mergesSlices = options["merges"] != "no"
    result.metadata = [KeyValue(key: [UInt8]("writer".utf8), value: [UInt8]("ipc-tool".utf8))]
    return result
  }

  var columns: [Int]? { options["columns"]?.split(separator: ",").compactMap { Int($0) } }

  func run() throws(CacheError) -> String {
    switch words.first {
    case "copy": return try copy()
    case "read":
      let file = try IPCFile(try path(1), options: reading)
      var rowCount = 0
      if options["prefetch"] == "yes" { for index in 0..<file.batchCount { try file.prefetch(index, columns: columns) } }
      for index in 0..<file.batchCount { rowCount += try file.batch(index, columns: columns).rowCount }
      return "rows=\(rowCount)"
    case "verify":
      try IPCFile(try path(1), options: reading).verify()
      return ""
    case "spill":
      let file = try IPCFile(try path(1))
      let batch = try file.batch(0)
      let folder = try SpillFolder(parent: try path(2))
      spilled.append(try folder.write(batch, pieces: [0..<batch.rowCount], schema: file.schema))
      _ = try folder.queryFolder
      return folder.path ?? ""
    case "persist": return try persist()
    case "store": return try store()
    default: throw CacheError(.argument, "no such command")
    }
  }

  private func copy() throws(CacheError) -> String {
    var slices: [RecordBatchSlice] = []
    var schema: Schema?
    var skip = number("offset", 0)
    var rest = number("count", Int.max)
    for path in words.dropFirst().dropLast() {
      let file = try IPCFile(path, options: reading)
      schema = file.schema.selecting(columns)
      for index in 0..<file.batchCount {
        let batch = try file.batch(index, columns: columns)
        let offset = min(skip, batch.rowCount)
        skip -= offset
        let count = min(rest, batch.rowCount - offset)
        rest -= count
        slices.append(RecordBatchSlice(batch, offset: offset, count: count))
      }
    }
    guard let schema else { throw CacheError(.argument, "copy needs two paths") }
    let start = SystemClock().now()
    let facts = try IPCWriter(options: writing).write(slices, schema: schema, to: try path(words.count - 1))
    let seconds = SystemClock().now() - start
    return "rows=\(facts.rowCount) batches=\(facts.batchCount) bytes=\(facts.byteCount) seconds=\(seconds)"
  }
}

while let line = readLine() {
  do throws(CacheError) {
    print("ok \(try Command(line).run())")
  } catch {
    print("error \(error)")
  }
  fflush(nil)
}
