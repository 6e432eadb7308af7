import CPython
import Primitives

/// Why a function of the module returns no object.
enum Failure: Error {
  /// Python's error indicator is set already.
  case raised
  /// A TypeError with this message.
  case type(String)
  case cache(CacheError)
  case keyboardInterrupt

  static func argument(_ message: String) -> Failure { .cache(CacheError(.argument, message)) }

  /// Sets Python's error indicator.
  func raise() {
    switch self {
    case .raised: break
    case .type(let message): set(PyExc_TypeError, message)
    case .cache(let error): set(ErrorClasses.type(of: error.code), error.description)
    case .keyboardInterrupt: PyErr_SetNone(PyExc_KeyboardInterrupt)
    }
  }

  private func set(_ type: Object, _ message: String) {
    guard let text = string(message) else { return }
    PyErr_SetObject(type, text)
    Py_DecRef(text)
  }
}

/// Which exception class stands for which error code, as the Python side has registered them.
enum ErrorClasses {
  // Guarded by the interpreter's lock: read and written with it held alone.
  nonisolated(unsafe) private static var types: [CacheError.Code: Object] = [:]

  /// Borrowed. The nearest builtin as long as none is registered.
  static func type(of code: CacheError.Code) -> Object {
    if let type = types[code] { return type }
    switch code {
    case .argument, .configuration: return PyExc_ValueError
    case .type: return PyExc_TypeError
    default: return PyExc_RuntimeError
    }
  }

  static func register(_ type: Object, for code: CacheError.Code) {
    Py_IncRef(type)
    if let old = types.updateValue(type, forKey: code) { Py_DecRef(old) }
  }
}

let registerErrors: PyCFunctionFast = { _, values, count in
  function("register_errors", values, count, of: 1) { arguments throws(Failure) in
    try forEachItem(of: arguments.next(), "types") { name, type throws(Failure) in
      guard let code = CacheError.Code(rawValue: name) else {
        let known = CacheError.Code.allCases.map(\.rawValue).joined(separator: ", ")
        throw .argument("types has the unknown error code \"\(name)\"; the engine's are \(known)")
      }
      guard isExceptionClass(type) else {
        throw .type("types[\"\(name)\"] must be an exception class, not \(typeName(type))")
      }
      ErrorClasses.register(type, for: code)
    }
    return none()
  }
}
