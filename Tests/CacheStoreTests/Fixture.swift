import ArrowData
import CArrow
import Glibc
import Primitives
import Synchronization
import Testing

@testable import CacheStore

/// A store without a disk and a background, with a clock that stands still, and the count of what its producers have not had back.
struct Fixture {
  let store: Store
  let clock = ManualClock()
  let counter = ReleaseCounter()

  init(_ change: (inout StoreOptions) -> Void = { _ in }) throws(CacheError) {
    var options = StoreOptions()
    (options.spillsToDisk, options.hasBackground) = (false, false)
    change(&options)
    store = try Store(options: options, clock: clock)
  }

  /// Puts one column of 64-bit numbers, a batch each.
  @discardableResult
  func put(
    _ key: String, _ batches: [[Int64?]] = [[1, 2, 3]], ttl: Double? = nil, overwrite: Bool = true, autoPartition: Bool? = nil,
    copyAll: Bool = false
  ) throws(CacheError) -> Entry {
    try put(key, numbers(batches), ttl: ttl, overwrite: overwrite, autoPartition: autoPartition, copyAll: copyAll)
  }

  @discardableResult
  func put(
    _ key: String, _ spec: StreamSpec, ttl: Double? = nil, overwrite: Bool = true, autoPartition: Bool? = nil, copyColumns: Set<Int>? = nil,
    copyAll: Bool = false
  ) throws(CacheError) -> Entry {
    try store.put(
      key: key, stream: try spec.reader(counter), kind: "test", userMetadata: "{}", ttl: ttl, overwrite: overwrite, autoPartition: autoPartition,
      copyColumns: copyColumns, copyAll: copyAll)
  }

  /// Puts a table of so many bytes.
  @discardableResult
  func put(_ key: String, bytes: Int, ttl: Double? = nil) throws(CacheError) -> Entry {
    try put(key, [(0..<Int64(bytes / 8)).map { $0 }], ttl: ttl)
  }

  func numbers(_ batches: [[Int64?]]) throws(CacheError) -> StreamSpec {
    StreamSpec(
      schema: Schema(fields: [try Field(name: "v", format: "l")]), batches: batches.map { .table([column($0)], length: $0.count) })
  }

  /// Recounts everything from scratch and compares it with what the store keeps running. Nothing is being put or moved meanwhile.
  func audit(_ outside: HeldOutside? = nil, _ place: SourceLocation = #_sourceLocation) {
    let findings = store.findings(outside)
    #expect(findings == [], sourceLocation: place)
  }
}

extension Entry {
  /// All rows, segment by segment.
  func batches() throws(CacheError) -> [RecordBatch] {
    var found: [RecordBatch] = []
    for segment in segments { found += try segment.read(offset: 0, count: segment.rowCount).map(\.batch) }
    return found
  }
}

extension Entry {
  func numbers(offset: Int = 0, limit: Int? = nil) throws -> [Int64?] {
    var stream = ArrowArrayStream()
    exportStream(reader(offset: offset, limit: limit), columns: nil, to: &stream)
    let reader = try StreamReader(moving: &stream)
    var result: [Int64?] = []
    while let batch = try reader.next() { result += numbersOf(batch) }
    return result
  }
}

func numbersOf(_ batch: RecordBatch) -> [Int64?] {
  batch.values(0).map { value in
    guard case .bytes(let bytes) = value else { return nil }
    return Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
  }
}

/// Runs `body` on so many threads at once and waits for them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let threads = (0..<count).map { index in EngineThread { body(index) } }
  precondition(threads.allSatisfy { $0 != nil })
  for thread in threads { thread?.join() }
}
