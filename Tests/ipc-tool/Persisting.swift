import ArrowData
import CacheStore
import CArrow
import Glibc
import Primitives

/// The batches of an Arrow file as a stream.
private final class FileSource: BatchSource {
  let schema: Schema
  private let file: IPCFile
  private var next = 0
  private var remaining: Int

  init(_ file: IPCFile, rowCount: Int = .max) { (self.file, schema, remaining) = (file, file.schema, rowCount) }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard next < file.batchCount, remaining > 0 else { return false }
    let batch = try file.batch(next)
    next += 1
    batch.export(offset: 0, count: min(remaining, batch.rowCount), to: array)
    remaining -= batch.rowCount
    return true
  }
}

extension Command {
  /// Puts the rows of a file under a key and persists them, in partitions of `partition` rows; the process is killed at the file call with the number
  /// `kill`. Answers with how many calls there were.
  func persist() throws(CacheError) -> String {
    let killed = options["kill"].flatMap { Int($0) }
    let files = FaultyFiles { _, _, before in if before == killed { kill(getpid(), SIGKILL) } }
    var storeOptions = StoreOptions()
    (storeOptions.spillsToDisk, storeOptions.hasBackground, storeOptions.files) = (false, false, files)
    storeOptions.partitionSizeRows = number("partition", 100)
    storeOptions.threadCount = number("threads", 2)
    storeOptions.compression = options["compression"].flatMap { IPCCompression(rawValue: $0) } ?? .none
    let store = try Store(options: storeOptions)
    let key = options["key"] ?? "k"
    var stream = ArrowArrayStream()
    exportStream(FileSource(try IPCFile(try path(1))), to: &stream)
    _ = try store.put(
      key: key, stream: try StreamReader(moving: &stream), kind: "test", userMetadata: "{}", ttl: nil, overwrite: true, autoPartition: nil,
      copyColumns: nil, copyAll: false)
    guard try store.persist(key, in: try path(2)) else { throw CacheError(.storage, "nothing was persisted") }
    return "\(files.total)"
  }

  /// Opens a store with a storage and does what the words say, with a line for each that is done; the process is killed at the file call with the
  /// number `kill`.
  func store() throws(CacheError) -> String {
    let killed = options["kill"].flatMap { Int($0) }
    let files = FaultyFiles { _, _, before in if before == killed { kill(getpid(), SIGKILL) } }
    var storeOptions = StoreOptions()
    (storeOptions.spillsToDisk, storeOptions.hasBackground, storeOptions.files) = (false, false, files)
    (storeOptions.partitionSizeRows, storeOptions.storagePath, storeOptions.deletesFilesOnClose) = (100, try path(2), false)
    if let limit = options["limit"].flatMap({ Int($0) }) { storeOptions.memoryLimitBytes = limit }
    let store = try Store(options: storeOptions)
    for (index, word) in words.dropFirst(3).enumerated() {
      let parts = word.split(separator: "-").map(String.init)
      switch parts[0] {
      case "put":
        var stream = ArrowArrayStream()
        exportStream(FileSource(try IPCFile(try path(1)), rowCount: Int(parts[2]) ?? 0), to: &stream)
        _ = try store.put(
          key: parts[1], stream: try StreamReader(moving: &stream), kind: "test", userMetadata: "{}", ttl: nil, overwrite: true,
          autoPartition: nil, copyColumns: nil, copyAll: false)
      case "ttl": _ = try store.updateTTLDurably(parts[1], ttl: Double(parts[2]))
      case "remove": _ = try store.removeDurably(parts[1])
      case "clear": _ = try store.clearDurably()
      default: store.close()
      }
      print(index)
      fflush(nil)
    }
    return "\(files.total)"
  }
}
