import ArrowData
import CArrow
import CacheStore
import Glibc
import Primitives
import Testing

@testable import QueryEngine

/// The engines to test: both APIs of the DuckDB under test where it has both.
let engineNames: [String] = {
  guard let store = try? Store(options: StoreOptions()), let probe = try? QueryEngine(store: store) else { return ["v1"] }
  return probe.engineName == "v2" ? ["v1", "v2"] : ["v1"]
}()

/// A store with an engine over it. Tables are made by DuckDB itself and read back through the engine.
final class Fixture {
  let store: Store
  let engine: QueryEngine

  init(
    _ engineName: String, storeOptions: StoreOptions = StoreOptions(), queryOptions: QueryOptions = QueryOptions(), keepsResults: Bool = false,
    tables: (Store) -> [InternalTable] = { _ in [] }
  ) throws {
    store = try Store(options: storeOptions)
    var options = queryOptions
    options.internalTables = tables(store)
    options.usesStableAPI = engineName == "v1"
    options.threadCount = 2
    options.keepsResults = keepsResults
    engine = try QueryEngine(store: store, options: options)
    #expect(engine.engineName == engineName)
  }

  @discardableResult
  func put(_ key: String, _ sql: String) throws -> Entry {
    var stream = ArrowArrayStream()
    try engine.run(sql, into: &stream)
    return try store.put(
      key: key, stream: StreamReader(moving: &stream), kind: "arrow", userMetadata: "{}", ttl: nil, overwrite: true, autoPartition: nil,
      copyColumns: nil, copyAll: false)
  }

  /// The rows, every value as DuckDB's text, NULL as nil.
  func rows(_ sql: String, _ parameters: QueryParameters = .none, streaming: Bool = false) throws -> [[String?]] {
    var stream = ArrowArrayStream()
    try engine.run("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (\(sql))", parameters: parameters, streaming: streaming, into: &stream)
    return try readText(&stream)
  }

  func run(_ sql: String, _ parameters: QueryParameters = .none) throws {
    var stream = ArrowArrayStream()
    try engine.run(sql, parameters: parameters, into: &stream)
    stream.release?(&stream)
  }
}

func readText(_ stream: inout ArrowArrayStream) throws -> [[String?]] {
  let reader = try StreamReader(moving: &stream)
  var rows: [[String?]] = []
  while let batch = try reader.next() {
    for row in 0..<batch.rowCount {
      rows.append((0..<batch.columnCount).map { text(batch.column($0).pointee, row) })
    }
  }
  return rows
}

private func text(_ column: ArrowArray, _ row: Int) -> String? {
  let at = Int(column.offset) + row
  if column.null_count != 0, let validity = column.buffers[0]?.assumingMemoryBound(to: UInt8.self), validity[at >> 3] >> UInt8(at & 7) & 1 == 0 { return nil }
  guard let offsets = column.buffers[1]?.assumingMemoryBound(to: Int32.self) else { return "" }
  let count = Int(offsets[at + 1] - offsets[at])
  guard count > 0, let bytes = column.buffers[2] else { return "" }
  return String(decoding: UnsafeRawBufferPointer(start: bytes + Int(offsets[at]), count: count), as: UTF8.self)
}

/// A folder of the test's own, removed with it.
final class TestFolder {
  let path: String

  init() {
    var name = Array("/tmp/arrow-cache-test-XXXXXX".utf8CString)
    path = mkdtemp(&name).map { String(cString: $0) } ?? ""
  }

  deinit { system("rm -rf '\(path)'") }

  /// Every file below, with its size.
  var files: [String: Int] { TestFolder.files(path) }

  private static func files(_ path: String) -> [String: Int] {
    var found: [String: Int] = [:]
    for name in (try? SystemFiles().list(path)) ?? [] {
      guard let status = try? SystemFiles().status("\(path)/\(name)") else { continue }
      if status.isFolder {
        for (below, size) in files("\(path)/\(name)") { found["\(name)/\(below)"] = size }
      } else {
        found[name] = status.byteCount
      }
    }
    return found
  }
}
