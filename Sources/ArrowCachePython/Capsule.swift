import ArrowCache
import CArrow
import CPython

/// Names of the capsules. Static text: a capsule keeps the pointer.
enum CapsuleName {
  static let cache: StaticString = "arrow_cache.cache"
  static let entry: StaticString = "arrow_cache.entry"
  static let watch: StaticString = "arrow_cache.watch"
  static let result: StaticString = "arrow_cache.result"
  static let stream: StaticString = "arrow_array_stream"
  static let schema: StaticString = "arrow_schema"
}

extension StaticString {
  var cString: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
}

/// One version of one entry, as a capsule holds it.
final class EntryHandle {
  let entry: Entry
  let processID = ProcessIdentity.current

  init(_ entry: Entry) { self.entry = entry }
}

/// A result that a cache has kept, as a capsule holds it.
final class ResultHandle {
  let result: KeptResult
  let processID = ProcessIdentity.current

  init(_ result: KeptResult) { self.result = result }
}

/// What the destructors have in common: a release may be long and may run Python code, so it gets neither the interpreter's lock nor a
/// pending exception, which stays what it was.
///
/// Nothing is released once the interpreter has ended: its other threads have been stopped wherever they were, perhaps with a lock.
func releasing(_ release: () -> Void) {
  guard Py_IsInitialized() != 0 else { return }
  let raised = RaisedException.fetch()
  unlocked(release)
  raised.restore()
}

func capsule(of cache: ArrowCache) throws(Failure) -> Object {
  let handle = Unmanaged.passRetained(cache)
  let capsule = PyCapsule_New(handle.toOpaque(), CapsuleName.cache.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.cache.cString) else { return }
    let handle = Unmanaged<ArrowCache>.fromOpaque(pointer)
    // In a forked child DuckDB's threads are gone and its locks may be held by them: what it inherited is left alone.
    guard handle.takeUnretainedValue().processID == ProcessIdentity.current else { return }
    releasing { handle.release() }
  }
  if capsule == nil { handle.release() }
  return try Owned(capsule).take()
}

func capsule(of entry: Entry) throws(Failure) -> Object {
  let handle = Unmanaged.passRetained(EntryHandle(entry))
  let capsule = PyCapsule_New(handle.toOpaque(), CapsuleName.entry.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.entry.cString) else { return }
    let handle = Unmanaged<EntryHandle>.fromOpaque(pointer)
    guard handle.takeUnretainedValue().processID == ProcessIdentity.current else { return }
    releasing { handle.release() }
  }
  if capsule == nil { handle.release() }
  return try Owned(capsule).take()
}

func capsule(of cancellation: Cancellation) throws(Failure) -> Object {
  let handle = Unmanaged.passRetained(cancellation)
  let capsule = PyCapsule_New(handle.toOpaque(), CapsuleName.watch.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.watch.cString) else { return }
    Unmanaged<Cancellation>.fromOpaque(pointer).release()
  }
  if capsule == nil { handle.release() }
  return try Owned(capsule).take()
}

func capsule(of result: KeptResult) throws(Failure) -> Object {
  let handle = Unmanaged.passRetained(ResultHandle(result))
  let capsule = PyCapsule_New(handle.toOpaque(), CapsuleName.result.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.result.cString) else { return }
    let handle = Unmanaged<ResultHandle>.fromOpaque(pointer)
    guard handle.takeUnretainedValue().processID == ProcessIdentity.current else { return }
    releasing { handle.release() }
  }
  if capsule == nil { handle.release() }
  return try Owned(capsule).take()
}

extension Arguments {
  private mutating func pointer(_ name: String, _ capsule: StaticString) throws(Failure) -> UnsafeMutableRawPointer {
    try pointer(to: next(), name, capsule)
  }

  private func pointer(to object: Object, _ name: String, _ capsule: StaticString) throws(Failure) -> UnsafeMutableRawPointer {
    guard PyCapsule_IsValid(object, capsule.cString) != 0 else {
      throw .type("\(name) must be a capsule \"\(capsule)\", not \(typeName(object))")
    }
    guard let pointer = PyCapsule_GetPointer(object, capsule.cString) else { throw .raised }
    return pointer
  }

  mutating func cache() throws(Failure) -> ArrowCache {
    Unmanaged<ArrowCache>.fromOpaque(try pointer("cache", CapsuleName.cache)).takeUnretainedValue()
  }

  mutating func watch() throws(Failure) -> Cancellation {
    Unmanaged<Cancellation>.fromOpaque(try pointer("watch", CapsuleName.watch)).takeUnretainedValue()
  }

  /// One of its own where None is given.
  mutating func optionalWatch() throws(Failure) -> Cancellation {
    guard let object = try optional() else { return Cancellation() }
    return Unmanaged<Cancellation>.fromOpaque(try pointer(to: object, "watch", CapsuleName.watch)).takeUnretainedValue()
  }

  mutating func entry() throws(Failure) -> Entry {
    let handle = Unmanaged<EntryHandle>.fromOpaque(try pointer("entry", CapsuleName.entry)).takeUnretainedValue()
    guard handle.processID == ProcessIdentity.current else {
      throw .cache(ArrowCache.forkError(processID: handle.processID))
    }
    return handle.entry
  }

  mutating func result() throws(Failure) -> KeptResult {
    let handle = Unmanaged<ResultHandle>.fromOpaque(try pointer("result", CapsuleName.result)).takeUnretainedValue()
    guard handle.processID == ProcessIdentity.current else {
      throw .cache(ArrowCache.forkError(processID: handle.processID))
    }
    return handle.result
  }

  mutating func streamSource(_ name: String) throws(Failure) -> UnsafeMutablePointer<ArrowArrayStream> {
    try pointer(name, CapsuleName.stream).assumingMemoryBound(to: ArrowArrayStream.self)
  }
}

/// Moves a stream out of its capsule, which is left released.
func moved(_ source: UnsafeMutablePointer<ArrowArrayStream>, _ name: String) throws(Failure) -> ArrowArrayStream {
  guard source.pointee.release != nil else {
    throw .cache(CacheError(.stream, "\(name) has been consumed already: make a new stream for each call"))
  }
  defer { source.pointee.release = nil }
  return source.pointee
}
