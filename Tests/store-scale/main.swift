import ArrowData
import CArrow
import CacheStore
import Glibc
import Primitives

// What one operation on a store costs, for stores of different sizes side by side, for benchmarks/bench_scale.py. One command:
//
//   store-scale FOLDER POLICY SPILL ROUNDS COUNT...
//
// fills a store for each count with tables of one number, with SPILL "on" or "off", and does the same operations on each in turn, so many
// rounds. Answers with a line of JSON for each count and operation: the nanoseconds of processor time of one operation, by round.

func fail(_ message: String) -> Never {
  let line = Array("store-scale: \(message)\n".utf8)
  _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
  exit(2)
}

/// Processor time of this thread.
func nanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// One batch, as often as it is asked for.
final class OneBatch: BatchSource {
  let batch: RecordBatch
  private var isGiven = false
  init(_ batch: RecordBatch) { self.batch = batch }
  var schema: Schema { batch.schema }
  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard !isGiven else { return false }
    isGiven = true
    batch.export(offset: 0, count: batch.rowCount, to: array)
    return true
  }
}

/// A table of one number.
func oneNumber() throws(CacheError) -> RecordBatch {
  let schema = Schema(fields: [try Field(name: "v", format: "l")])
  let value = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
  value.initialize(to: 7)
  let buffers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 2)
  buffers.initialize(to: nil)
  (buffers + 1).initialize(to: UnsafeRawPointer(value))
  let child = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
  child.initialize(to: ArrowArray())
  (child.pointee.length, child.pointee.n_buffers, child.pointee.buffers) = (1, 2, buffers)
  child.pointee.release = { $0?.pointee.release = nil }
  let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>.allocate(capacity: 1)
  children.initialize(to: child)
  let none = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 1)
  none.initialize(to: nil)
  var table = ArrowArray()
  (table.length, table.n_children, table.children, table.n_buffers, table.buffers) = (1, 1, children, 1, none)
  table.release = { $0?.pointee.release = nil }
  return try RecordBatch(importing: &table, schema: schema)
}

final class Subject {
  static let bytes = 8
  let store: Store
  let count: Int
  private let batch: RecordBatch
  private var next = 0
  private var random: UInt64 = 1
  /// Nanoseconds of one operation.
  var times: [String: [Double]] = [:]

  init(_ folder: String, _ policy: String, _ spills: Bool, _ count: Int) throws(CacheError) {
    self.count = count
    batch = try oneNumber()
    var options = StoreOptions()
    (options.evictionPolicy, options.spillsToDisk, options.spillDirectory) = (policy, spills, folder)
    (options.hasBackground, options.spillThreshold, options.memoryLimitBytes) = (false, 1, count * Self.bytes)
    store = try Store(options: options)
    for _ in 0..<count { try putNew() }
  }

  private func key(_ number: Int) -> String { "table_\(number)" }

  private func put(_ key: String) throws(CacheError) {
    var stream = ArrowArrayStream()
    exportStream(OneBatch(batch), to: &stream)
    _ = try store.put(
      key: key, stream: try StreamReader(moving: &stream), kind: "arrow", userMetadata: "{}", ttl: nil, overwrite: true, autoPartition: nil,
      copyColumns: nil, copyAll: true)
  }

  func putNew() throws(CacheError) {
    try put(key(next))
    next += 1
  }

  /// One of those in memory.
  private func some(_ keys: [String]) -> String {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return keys[Int((random >> 33) % UInt64(keys.count))]
  }

  func measure(_ name: String, _ repeats: Int, _ body: (String) throws -> Void) rethrows {
    let there = store.contents().compactMap { $0.memoryBytes > 0 ? $0.entry.key : nil }
    // Texts of their own, as callers' are.
    let keys = (0..<repeats).map { _ in String(decoding: Array(some(there).utf8), as: UTF8.self) }
    let start = nanoseconds()
    for key in keys { try body(key) }
    times[name, default: []].append(Double(nanoseconds() - start) / Double(repeats))
  }

  func round(_ repeats: Int) throws {
    measure("lookup", 4 * repeats) { _ = store.lookup($0) }
    try measure("get", repeats) { key in
      guard let entry = store.lookup(key) else { return }
      let reader = entry.reader()
      var array = ArrowArray()
      while try reader.next(into: &array) { array.release?(&array) }
    }
    try measure("put over", repeats) { try put($0) }
    let evicted = store.status().evictedCount + store.status().tiers.spilled.count
    let few = store.options.spillsToDisk ? repeats / 10 : repeats
    try measure(store.options.spillsToDisk ? "put and spill another" : "put and evict another", few) { _ in try putNew() }
    guard store.status().evictedCount + store.status().tiers.spilled.count - evicted >= few * 9 / 10 else { fail("nothing had to go") }
  }
}

let words = CommandLine.arguments.dropFirst().map { $0 }
guard words.count >= 5, let rounds = Int(words[3]), rounds > 0, ["on", "off"].contains(words[2]) else {
  fail("usage: store-scale FOLDER POLICY SPILL ROUNDS COUNT...")
}
do {
  let subjects = try words[4...].map { word in
    guard let count = Int(word), count > 0 else { fail("\(word) is no count") }
    return try Subject(words[0], words[1], words[2] == "on", count)
  }
  for _ in 0..<rounds { for subject in subjects { try subject.round(1000) } }
  for subject in subjects {
    for (operation, times) in subject.times.sorted(by: { $0.key < $1.key }) {
      print(
        """
        {"policy": "\(words[1])", "spill": "\(words[2])", "entries": \(subject.count), "operation": "\(operation)", "ns": \(times)}
        """)
    }
    subject.store.close()
  }
} catch {
  fail("\(error)")
}
