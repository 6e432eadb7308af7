import CArrow
import CPython

// Arrow's PyCapsule interface: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html

/// A capsule around an `ArrowArrayStream` that `fill` sets up. Whoever takes the stream out clears its `release`.
func streamCapsule(
  _ fill: (UnsafeMutablePointer<ArrowArrayStream>) throws(Failure) -> Void
) throws(Failure) -> Object {
  let stream = UnsafeMutablePointer<ArrowArrayStream>.allocate(capacity: 1)
  stream.initialize(to: ArrowArrayStream())
  do { try fill(stream) } catch {
    stream.deallocate()
    throw error
  }
  let capsule = PyCapsule_New(stream, CapsuleName.stream.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.stream.cString) else { return }
    discard(pointer.assumingMemoryBound(to: ArrowArrayStream.self))
  }
  if capsule == nil { discard(stream) }
  return try Owned(capsule).take()
}

/// A capsule around an `ArrowSchema` that `fill` sets up.
func schemaCapsule(_ fill: (UnsafeMutablePointer<ArrowSchema>) -> Void) throws(Failure) -> Object {
  let schema = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
  schema.initialize(to: ArrowSchema())
  fill(schema)
  let capsule = PyCapsule_New(schema, CapsuleName.schema.cString) { capsule in
    guard let capsule, let pointer = PyCapsule_GetPointer(capsule, CapsuleName.schema.cString) else { return }
    discard(pointer.assumingMemoryBound(to: ArrowSchema.self))
  }
  if capsule == nil { discard(schema) }
  return try Owned(capsule).take()
}

private func discard(_ stream: UnsafeMutablePointer<ArrowArrayStream>) {
  if let release = stream.pointee.release { releasing { release(stream) } }
  stream.deallocate()
}

private func discard(_ schema: UnsafeMutablePointer<ArrowSchema>) {
  schema.pointee.release?(schema)
  schema.deallocate()
}
