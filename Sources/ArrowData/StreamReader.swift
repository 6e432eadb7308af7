import CArrow
import Primitives

/// Pulls record batches out of a C stream, one thread at a time; releases the stream exactly once, at its end at the latest.
public final class StreamReader {
  public let schema: Schema
  private let stream: StreamHandle

  /// Moves the stream in and reads its schema; on error the stream has been released.
  public init(moving source: UnsafeMutablePointer<ArrowArrayStream>) throws(CacheError) {
    let stream = try StreamHandle(moving: source)
    schema = try stream.readSchema()
    self.stream = stream
  }

  /// The next batch, nil at the end. Throws `.stream` with the producer's own message; after that the stream is at its end.
  public func next() throws(CacheError) -> RecordBatch? {
    do {
      let batch = try stream.readBatch(schema)
      if batch == nil { stream.release() }
      return batch
    } catch {
      stream.release()
      throw error
    }
  }

  /// Releases the stream before its end.
  public func close() { stream.release() }
}

private final class StreamHandle {
  private var stream: ArrowArrayStream

  init(moving source: UnsafeMutablePointer<ArrowArrayStream>) throws(CacheError) {
    guard source.pointee.release != nil else {
      throw CacheError(.stream, "the Arrow stream has been read or released already: produce it anew")
    }
    stream = source.pointee
    source.pointee.release = nil
  }

  deinit { release() }

  func release() {
    stream.release?(&stream)
    stream.release = nil
  }

  func readSchema() throws(CacheError) -> Schema {
    guard let callback = stream.get_schema else { throw CacheError(.stream, "the Arrow stream has no get_schema") }
    guard stream.get_next != nil else { throw CacheError(.stream, "the Arrow stream has no get_next") }
    var schema = ArrowSchema()
    let status = callback(&stream, &schema)
    guard status == 0 else { throw failure("the Arrow stream gave no schema", status) }
    return try Schema(importing: &schema)
  }

  func readBatch(_ schema: Schema) throws(CacheError) -> RecordBatch? {
    guard stream.release != nil, let callback = stream.get_next else { return nil }
    var array = ArrowArray()
    let status = callback(&stream, &array)
    guard status == 0 else { throw failure("the Arrow stream failed while it was read", status) }
    return array.release == nil ? nil : try RecordBatch(importing: &array, schema: schema)
  }

  private func failure(_ what: String, _ status: Int32) -> CacheError {
    let words = stream.get_last_error?(&stream).map { String(cString: $0) }
    return CacheError(.stream, what, cause: words ?? "error \(status)")
  }
}
