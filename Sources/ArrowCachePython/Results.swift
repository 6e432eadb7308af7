import CPython

// From Swift to Python. What is returned is a new reference; nil: Python's error indicator is set.

/// A plain value on its way to Python.
enum PythonValue {
  case none
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case text(String)
  case mapping([(key: String, value: PythonValue)])
  case sequence([PythonValue])

  func object() -> Object? {
    switch self {
    case .none: ArrowCachePython.none()
    case .bool(let value): boolean(value)
    case .integer(let value): PyLong_FromLongLong(Int64(value))
    case .double(let value): PyFloat_FromDouble(value)
    case .text(let value): string(value)
    case .mapping(let items): attempt { () throws(Failure) in try dictionary(items) }
    case .sequence(let values): attempt { () throws(Failure) in try list(values) }
    }
  }

  private func attempt(_ make: () throws(Failure) -> Object) -> Object? {
    do throws(Failure) { return try make() } catch {
      error.raise()
      return nil
    }
  }
}

extension PythonValue {
  init(_ value: Double?) { self = value.map(PythonValue.double) ?? .none }
  init(_ value: String?) { self = value.map(PythonValue.text) ?? .none }
  init(_ value: Int?) { self = value.map(PythonValue.integer) ?? .none }
}

func none() -> Object { retained(borrowedNone()) }

func retained(_ object: Object) -> Object {
  Py_IncRef(object)
  return object
}

func boolean(_ value: Bool) -> Object { retained(value ? borrowedTrue() : borrowedFalse()) }

func string(_ text: String) -> Object? {
  var text = text
  return text.withUTF8 { bytes in
    bytes.withMemoryRebound(to: CChar.self) { PyUnicode_DecodeUTF8($0.baseAddress, $0.count, "replace") }
  }
}

func object(_ value: PythonValue) throws(Failure) -> Object { try Owned(value.object()).take() }

func dictionary(_ items: [(key: String, value: PythonValue)]) throws(Failure) -> Object {
  let dictionary = try Owned(PyDict_New())
  for (key, value) in items {
    let key = try Owned(string(key))
    let value = try Owned(value.object())
    guard PyDict_SetItem(dictionary.object, key.object, value.object) == 0 else { throw .raised }
  }
  return dictionary.take()
}

func list(_ texts: [String]) throws(Failure) -> Object { try list(texts.map(PythonValue.text)) }

func list(_ values: [PythonValue]) throws(Failure) -> Object {
  let list = try Owned(PyList_New(values.count))
  for (index, value) in values.enumerated() {
    // PyList_SetItem takes the reference, also when it fails.
    guard PyList_SetItem(list.object, index, try Owned(value.object()).take()) == 0 else { throw .raised }
  }
  return list.take()
}
