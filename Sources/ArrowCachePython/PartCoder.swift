import ArrowCache
import CPython

/// A Python function that turns rows into the bytes of a file, or these into rows. Called by the thread that persists or loads, without the
/// interpreter's lock, which it takes. Borrowed: whoever called holds the function until the call ends.
final class PartCoder {
  private let function: Object
  /// What it raised.
  private var raised: RaisedException?

  init(_ function: Object) { self.function = function }

  /// Runs `body`; what the function raised comes in place of what `body` throws.
  static func raising<Result>(_ coder: PartCoder?, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    do { return try body() } catch {
      guard let raised = coder?.raised.take() else { throw error }
      if case .raised = error { PyErr_Clear() }
      raised.restore()
      throw .raised
    }
  }

  func encode(_ rows: UnsafeMutablePointer<ArrowArrayStream>) throws(CacheError) -> [UInt8] {
    try calling { () throws(Failure) in
      let capsule = try streamCapsule { stream throws(Failure) in
        stream.pointee = rows.pointee
        rows.pointee.release = nil
      }
      let answer = try call([capsule])
      return try bytes(answer.object, "what the encoder returns")
    }
  }

  func decode(_ bytes: [UInt8], _ schema: Schema) throws(CacheError) -> ArrowArrayStream {
    try calling { () throws(Failure) in
      let data = try Owned(
        bytes.withUnsafeBytes { PyBytes_FromStringAndSize($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
      ).take()
      let capsule: Object
      do throws(Failure) { capsule = try schemaCapsule { schema.export(to: $0) } } catch {
        Py_DecRef(data)
        throw error
      }
      let answer = try call([data, capsule])
      guard PyCapsule_IsValid(answer.object, CapsuleName.stream.cString) != 0,
        let pointer = PyCapsule_GetPointer(answer.object, CapsuleName.stream.cString)
      else { throw .type("the decoder must return a capsule \"arrow_array_stream\", not \(typeName(answer.object))") }
      return try moved(pointer.assumingMemoryBound(to: ArrowArrayStream.self), "what the decoder returns")
    }
  }

  /// The references of `arguments` go to the call.
  private func call(_ arguments: [Object]) throws(Failure) -> Owned {
    let list = try Owned(PyList_New(arguments.count))
    for (index, argument) in arguments.enumerated() where PyList_SetItem(list.object, index, argument) != 0 { throw .raised }
    let tuple = try Owned(PySequence_Tuple(list.object))
    return try Owned(PyObject_CallObject(function, tuple.object))
  }

  private func calling<Result>(_ body: () throws(Failure) -> Result) throws(CacheError) -> Result {
    let state = PyGILState_Ensure()
    defer { PyGILState_Release(state) }
    do { return try body() } catch {
      error.raise()
      raised = .fetch()
      throw CacheError(.interrupted, "the function that reads or writes parts has raised")
    }
  }
}
