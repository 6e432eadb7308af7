import CArrow
import Glibc
import Primitives

/// Where an exported stream takes its batches from. Called by one thread at a time.
public protocol BatchSource: AnyObject {
  /// The schema of the batches.
  var schema: Schema { get }
  /// Fills `array` with the next batch; false, and nothing filled, at the end.
  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool
}

/// Fills `target` with a stream of the source's batches, of these of its columns (nil: all). The stream keeps the source.
public func exportStream(_ source: any BatchSource, columns: [Int]? = nil, to target: UnsafeMutablePointer<ArrowArrayStream>) {
  target.initialize(
    to: ArrowArrayStream(
      get_schema: { stream, schema in
        guard let export = StreamExport.of(stream), let schema else { return EINVAL }
        export.source.schema.export(columns: export.columns, to: schema)
        return 0
      },
      get_next: { stream, array in
        guard let export = StreamExport.of(stream), let array else { return EINVAL }
        return export.next(into: array)
      },
      get_last_error: { stream in UnsafePointer(StreamExport.of(stream)?.lastError) },
      release: { stream in
        guard let stream, stream.pointee.release != nil else { return }
        stream.pointee.release = nil
        if let export = stream.pointee.private_data { Unmanaged<StreamExport>.fromOpaque(export).release() }
        stream.pointee.private_data = nil
      },
      private_data: Unmanaged.passRetained(StreamExport(source, columns)).toOpaque()))
}

private final class StreamExport {
  let source: any BatchSource
  let columns: [Int]?
  /// The text that `get_last_error` hands out: stays until the next failure or the end of the stream.
  private(set) var lastError: UnsafeMutablePointer<CChar>?
  /// What has failed once fails again: an end after it would pass for the end of the rows.
  private var failure: CacheError?

  init(_ source: any BatchSource, _ columns: [Int]?) { (self.source, self.columns) = (source, columns) }
  deinit { free(lastError) }

  static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> StreamExport? {
    guard let stream, stream.pointee.release != nil, let export = stream.pointee.private_data else { return nil }
    return Unmanaged<StreamExport>.fromOpaque(export).takeUnretainedValue()
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) -> Int32 {
    do throws(CacheError) {
      array.initialize(to: ArrowArray())
      if let failure { throw failure }
      guard try source.next(into: array), let columns else { return 0 }
      let batch = try RecordBatch(importing: array, schema: source.schema)
      batch.export(columns: columns, offset: 0, count: batch.rowCount, to: array)
      return 0
    } catch {
      failure = error
      free(lastError)
      lastError = strdup(error.description)
      return error.code.errorNumber
    }
  }
}

extension CacheError.Code {
  /// The errno that stands for this code where C wants one.
  var errorNumber: Int32 {
    switch self {
    case .memoryLimit: ENOMEM
    case .interrupted: ECANCELED
    case .timeout: ETIMEDOUT
    case .argument, .type, .configuration: EINVAL
    default: EIO
    }
  }
}
