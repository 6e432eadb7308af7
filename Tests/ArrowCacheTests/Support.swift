import ArrowCache
import CArrow
import Glibc

/// Reads a stream of rows whose first column is of 64-bit integers, and releases it.
func integers(_ stream: inout ArrowArrayStream) throws -> [Int64] {
  defer { stream.release?(&stream) }
  var values: [Int64] = []
  var array = ArrowArray()
  while true {
    let status = stream.get_next(&stream, &array)
    guard status == 0 else { throw StreamFailure(status: status, message: stream.get_last_error(&stream).map { String(cString: $0) } ?? "") }
    guard let release = array.release else { return values }
    if let child = array.children?[0]?.pointee, let data = child.buffers[1]?.assumingMemoryBound(to: Int64.self) {
      values += (0..<Int(array.length)).map { data[Int(array.offset + child.offset) + $0] }
    }
    release(&array)
  }
}

struct StreamFailure: Error {
  let status: Int32
  let message: String
}

func columnNames(_ stream: inout ArrowArrayStream) -> [String] {
  var schema = ArrowSchema()
  guard stream.get_schema(&stream, &schema) == 0 else { return [] }
  defer { schema.release(&schema) }
  return (0..<Int(schema.n_children)).compactMap { schema.children[$0].map { String(cString: $0.pointee.name) } }
}

/// Rows without end, or so many batches of one row `n`, and how often it has been asked and released.
final class Producer {
  private(set) var released = 0
  private(set) var asked = 0
  var beforeBatch: (Int) -> Int32 = { _ in 0 }
  let batchCount: Int

  init(batchCount: Int) { self.batchCount = batchCount }

  func stream() -> ArrowArrayStream {
    ArrowArrayStream(
      get_schema: { stream, schema in
        guard let schema else { return EINVAL }
        schema.initialize(to: ArrowSchema())
        let child = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
        child.initialize(to: ArrowSchema())
        (child.pointee.format, child.pointee.name) = (UnsafePointer(strdup("l")), UnsafePointer(strdup("n")))
        child.pointee.release = { $0?.pointee.release = nil }
        (schema.pointee.format, schema.pointee.name) = (UnsafePointer(strdup("+s")), UnsafePointer(strdup("")))
        schema.pointee.n_children = 1
        schema.pointee.children = .allocate(capacity: 1)
        schema.pointee.children[0] = child
        schema.pointee.release = { $0?.pointee.release = nil }
        return 0
      },
      get_next: { stream, array in
        guard let stream, let array else { return EINVAL }
        return Unmanaged<Producer>.fromOpaque(stream.pointee.private_data).takeUnretainedValue().next(array)
      },
      get_last_error: { _ in nil },
      release: { stream in
        guard let stream else { return }
        stream.pointee.release = nil
        Unmanaged<Producer>.fromOpaque(stream.pointee.private_data).takeRetainedValue().released += 1
      },
      private_data: Unmanaged.passRetained(self).toOpaque())
  }

  private func next(_ array: UnsafeMutablePointer<ArrowArray>) -> Int32 {
    array.initialize(to: ArrowArray())
    let status = beforeBatch(asked)
    guard status == 0, asked < batchCount else { return status }
    asked += 1
    let buffers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 2)
    let values = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
    values.initialize(to: Int64(asked - 1))
    (buffers[0], buffers[1]) = (nil, UnsafeRawPointer(values))
    let child = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
    child.initialize(to: ArrowArray())
    (child.pointee.length, child.pointee.n_buffers, child.pointee.buffers) = (1, 2, buffers)
    child.pointee.release = { $0?.pointee.release = nil }
    (array.pointee.length, array.pointee.n_buffers, array.pointee.n_children) = (1, 1, 1)
    array.pointee.buffers = .allocate(capacity: 1)
    array.pointee.buffers[0] = nil
    array.pointee.children = .allocate(capacity: 1)
    array.pointee.children[0] = child
    array.pointee.release = { $0?.pointee.release = nil }
    return 0
  }
}

/// Runs `body` in a thread of its own.
final class Background<Value>: @unchecked Sendable {
  private var thread = pthread_t()
  private var value: Value?
  private let body: () -> Value

  init(_ body: @escaping () -> Value) {
    self.body = body
    pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let job = Unmanaged<AnyObject>.fromOpaque(argument).takeRetainedValue() as? any Runnable
        job?.run()
        return nil
      }, Unmanaged.passRetained(self as AnyObject).toOpaque())
  }

  func join() -> Value? {
    pthread_join(thread, nil)
    return value
  }
}

private protocol Runnable { func run() }

extension Background: Runnable {
  fileprivate func run() { value = body() }
}

/// The code of the `CacheError` that `body` throws; nil where it throws none.
func errorCode<Value>(_ body: () throws -> Value) -> CacheError.Code? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? CacheError)?.code
  }
}

extension ArrowCache {
  /// Puts the rows of a query.
  @discardableResult
  func put(_ key: String, query sql: String, options: PutOptions = PutOptions()) throws -> Entry {
    var stream = ArrowArrayStream()
    try query(sql, into: &stream)
    return try put(key, stream: &stream, options: options)
  }

  func integers(_ sql: String, parameters: QueryParameters = .none) throws -> [Int64] {
    var stream = ArrowArrayStream()
    try query(sql, parameters: parameters, into: &stream)
    return try ArrowCacheTests.integers(&stream)
  }
}

let endlessQuery = "SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j)"
