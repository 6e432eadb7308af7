import ArrowData
import CArrow
import Glibc
import Primitives

/// A stream to be, as a producer may hand it over: right or wrong.
struct StreamSpec {
  var schema: Schema
  var batches: [ArraySpec]
  /// Fails instead of giving batch k, with this message.
  var failure: (batch: Int, message: String?)?
  var schemaFailure: String?
  var lacksGetSchema = false
  var lacksGetNext = false
  var lacksLastError = false
  var isReleased = false
  /// Called before each batch is made.
  var onNext: (@Sendable (Int) -> Void)?

  func export(_ counter: ReleaseCounter, to target: UnsafeMutablePointer<ArrowArrayStream>) {
    let producer = Producer(self, counter)
    target.initialize(
      to: ArrowArrayStream(
        get_schema: lacksGetSchema ? nil : { Producer.of($0)?.giveSchema($1) ?? EINVAL },
        get_next: lacksGetNext ? nil : { Producer.of($0)?.giveNext($1) ?? EINVAL },
        get_last_error: lacksLastError ? nil : { UnsafePointer(Producer.of($0)?.lastError) },
        release: releaseStream, private_data: Unmanaged.passRetained(producer).toOpaque()))
    if isReleased { releaseStream(target) }
  }

  func reader(_ counter: ReleaseCounter) throws(CacheError) -> StreamReader {
    var stream = ArrowArrayStream()
    export(counter, to: &stream)
    return try StreamReader(moving: &stream)
  }
}

private final class Producer {
  let spec: StreamSpec
  let counter: ReleaseCounter
  var lastError: UnsafeMutablePointer<CChar>?
  private var next = 0

  init(_ spec: StreamSpec, _ counter: ReleaseCounter) {
    (self.spec, self.counter) = (spec, counter)
    counter.make()
  }

  deinit {
    free(lastError)
    counter.release()
  }

  static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> Producer? {
    stream?.pointee.private_data.map { Unmanaged<Producer>.fromOpaque($0).takeUnretainedValue() }
  }

  func fail(_ message: String?) -> Int32 {
    free(lastError)
    lastError = message.map { strdup($0) }
    return EIO
  }

  func giveSchema(_ target: UnsafeMutablePointer<ArrowSchema>?) -> Int32 {
    guard let target else { return EINVAL }
    if let message = spec.schemaFailure { return fail(message) }
    spec.schema.export(to: target)
    return 0
  }

  func giveNext(_ target: UnsafeMutablePointer<ArrowArray>?) -> Int32 {
    guard let target else { return EINVAL }
    if let failure = spec.failure, failure.batch == next { return fail(failure.message) }
    target.initialize(to: ArrowArray())
    guard next < spec.batches.count else { return 0 }
    spec.onNext?(next)
    spec.batches[next].export(counter, to: target)
    next += 1
    return 0
  }
}

private func releaseStream(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) {
  guard let stream, stream.pointee.release != nil else { return }
  stream.pointee.release = nil
  if let data = stream.pointee.private_data { Unmanaged<Producer>.fromOpaque(data).release() }
}
