import CArrow
import Glibc
import Primitives

/// A stream around a stream, for those who must have a hand in how it is read. In a forked child it leaves alone what is behind it.
public final class StreamRelay {
  /// Calls `next`, which reads a batch and returns 0 or an errno, in a way of its own, and returns what it returned.
  public typealias Pull = (_ next: @escaping () -> Int32) -> Int32

  private let inner: UnsafeMutablePointer<ArrowArrayStream>
  private let checkpoint: (() throws(CacheError) -> Void)?
  private let pull: Pull
  private let processID = ProcessIdentity.current
  /// What the checkpoint threw; the stream is at its end then.
  private(set) var failure: CacheError?
  private var failureText: UnsafeMutablePointer<CChar>?

  /// Takes over what `stream` holds, which is a stream around it afterwards.
  ///
  /// - Parameters:
  ///   - checkpoint: called before each batch; what it throws ends the stream.
  ///   - pull: how a batch is read. Default: by the thread that asks for it.
  @discardableResult
  public init(
    around stream: UnsafeMutablePointer<ArrowArrayStream>, checkpoint: (() throws(CacheError) -> Void)? = nil,
    pull: @escaping Pull = { next in next() }
  ) {
    inner = .allocate(capacity: 1)
    inner.initialize(to: stream.pointee)
    (self.checkpoint, self.pull) = (checkpoint, pull)
    stream.pointee = ArrowArrayStream(
      get_schema: { stream, schema in StreamRelay.of(stream)?.schema(into: schema) ?? EINVAL },
      get_next: { stream, array in StreamRelay.of(stream)?.next(into: array) ?? EINVAL },
      get_last_error: { stream in StreamRelay.of(stream)?.lastError },
      release: { stream in
        guard let stream, let relay = stream.pointee.private_data else { return }
        stream.pointee.release = nil
        stream.pointee.private_data = nil
        Unmanaged<StreamRelay>.fromOpaque(relay).takeRetainedValue().release()
      },
      private_data: Unmanaged.passRetained(self).toOpaque())
  }

  deinit {
    free(failureText)
    inner.deallocate()
  }

  private func release() {
    // In a forked child the threads behind the stream are gone and its locks may be held by them: it is left as it is.
    guard processID == ProcessIdentity.current else { return }
    inner.pointee.release?(inner)
  }

  private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> StreamRelay? {
    guard let stream, stream.pointee.release != nil, let relay = stream.pointee.private_data else { return nil }
    return Unmanaged<StreamRelay>.fromOpaque(relay).takeUnretainedValue()
  }

  private func schema(into schema: UnsafeMutablePointer<ArrowSchema>?) -> Int32 {
    guard isUsable() else { return ECANCELED }
    return inner.pointee.get_schema?(inner, schema) ?? EINVAL
  }

  private func next(into array: UnsafeMutablePointer<ArrowArray>?) -> Int32 {
    guard isUsable() else { return ECANCELED }
    do throws(CacheError) { try checkpoint?() } catch {
      fail(error)
      return ECANCELED
    }
    return pull { [inner] in inner.pointee.get_next?(inner, array) ?? EINVAL }
  }

  private var lastError: UnsafePointer<CChar>? {
    failure == nil ? inner.pointee.get_last_error?(inner) : UnsafePointer(failureText)
  }

  private func isUsable() -> Bool {
    if failure == nil, processID != ProcessIdentity.current { fail(ArrowCache.forkError(processID: processID)) }
    return failure == nil
  }

  private func fail(_ error: CacheError) {
    failure = error
    failureText = strdup(error.description)
  }
}
