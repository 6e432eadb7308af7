import CPython

// From Python to Swift. Every function checks what it gets and names it in its error.

private enum TypeFlag: UInt {
  case integer = 0x0100_0000
  case list = 0x0200_0000
  case tuple = 0x0400_0000
  case bytes = 0x0800_0000
  case text = 0x1000_0000
  case exception = 0x4000_0000
  case type = 0x8000_0000
}

private func has(_ object: Object, _ flag: TypeFlag) -> Bool {
  guard let type = object.pointee.ob_type else { return false }
  return PyType_GetFlags(type) & flag.rawValue != 0
}

func isNone(_ object: Object) -> Bool { object == borrowedNone() }
func isText(_ object: Object) -> Bool { has(object, .text) }
func isBool(_ object: Object) -> Bool { object == borrowedTrue() || object == borrowedFalse() }
func isMapping(_ object: Object) -> Bool {
  !has(object, .list) && !has(object, .tuple) && !has(object, .text) && !has(object, .bytes) && PyMapping_Check(object) != 0
}

func isExceptionClass(_ object: Object) -> Bool {
  guard has(object, .type) else { return false }
  return object.withMemoryRebound(to: UInt8.self, capacity: 1) { PyType_GetFlags(OpaquePointer($0)) } & TypeFlag.exception.rawValue != 0
}

/// For messages; leaves the error indicator as it was.
func typeName(_ object: Object) -> String {
  guard let type = object.pointee.ob_type, let name = PyType_GetName(type) else {
    PyErr_Clear()
    return "an unknown type"
  }
  defer { Py_DecRef(name) }
  return (try? text(name, "type name")) ?? "an unknown type"
}

func text(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> String {
  guard has(object, .text) else { throw .type("\(name()) must be a str, not \(typeName(object))") }
  var byteCount: Py_ssize_t = 0
  guard let bytes = PyUnicode_AsUTF8AndSize(object, &byteCount) else {
    PyErr_Clear()
    throw .argument("\(name()) holds half of a character (a lone surrogate, U+D800 to U+DFFF), which is no text: replace it")
  }
  return bytes.withMemoryRebound(to: UInt8.self, capacity: byteCount) {
    String(decoding: UnsafeBufferPointer(start: $0, count: byteCount), as: UTF8.self)
  }
}

func bytes(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> [UInt8] {
  guard has(object, .bytes) else { throw .type("\(name()) must be bytes, not \(typeName(object))") }
  var start: UnsafeMutablePointer<CChar>?
  var byteCount: Py_ssize_t = 0
  guard PyBytes_AsStringAndSize(object, &start, &byteCount) == 0, let start else { throw .raised }
  return Array(UnsafeRawBufferPointer(start: start, count: byteCount))
}

func bool(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> Bool {
  if object == borrowedTrue() { return true }
  guard object == borrowedFalse() else { throw .type("\(name()) must be a bool, not \(typeName(object))") }
  return false
}

/// Any integer that Python takes as an index (numpy's too), within 64 bits.
func integer(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> Int {
  let exact: Owned
  if has(object, .integer) {
    Py_IncRef(object)
    exact = try Owned(object)
  } else {
    guard let index = PyNumber_Index(object) else {
      guard PyErr_ExceptionMatches(PyExc_TypeError) != 0 else { throw .raised }
      PyErr_Clear()
      throw .type("\(name()) must be an int, not \(typeName(object))")
    }
    exact = try Owned(index)
  }
  var overflow: Int32 = 0
  let value = PyLong_AsLongLongAndOverflow(exact.object, &overflow)
  guard overflow == 0 else { throw .argument("\(name()) is beyond 64 bits: it must be within \(Int.min)...\(Int.max)") }
  guard value != -1 || PyErr_Occurred() == nil else { throw .raised }
  return Int(value)
}

func integer<Value: FixedWidthInteger>(
  _ object: Object, as type: Value.Type, _ name: @autoclosure () -> String
) throws(Failure) -> Value {
  let wide = try integer(object, name())
  guard let value = Value(exactly: wide) else {
    throw .argument("\(name()) is \(wide): it must be within \(Value.min)...\(Value.max)")
  }
  return value
}

func double(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> Double {
  let value = PyFloat_AsDouble(object)
  if value == -1, PyErr_Occurred() != nil {
    guard PyErr_ExceptionMatches(PyExc_TypeError) != 0 else { throw .raised }
    PyErr_Clear()
    throw .type("\(name()) must be a number, not \(typeName(object))")
  }
  return value
}

/// Calls `body` with each element of a sequence, of which a copy is held meanwhile: converting an element can run Python code.
func forEach(
  in object: Object, _ name: @autoclosure () -> String, _ body: (Int, Object) throws(Failure) -> Void
) throws(Failure) {
  guard !has(object, .text), !has(object, .bytes) else { throw .type("\(name()) must be a sequence, not \(typeName(object))") }
  guard let elements = PySequence_Tuple(object) else {
    guard PyErr_ExceptionMatches(PyExc_TypeError) != 0 else { throw .raised }
    PyErr_Clear()
    throw .type("\(name()) must be a sequence, not \(typeName(object))")
  }
  let held = try Owned(elements)
  for index in 0..<max(0, PyTuple_Size(held.object)) {
    guard let element = PyTuple_GetItem(held.object, index) else { throw .raised }
    try body(index, element)
  }
}

/// The elements of a tuple of known length, borrowed from it.
func tuple(_ object: Object, of count: Int, _ name: @autoclosure () -> String) throws(Failure) -> [Object] {
  guard has(object, .tuple) else { throw .type("\(name()) must be a tuple, not \(typeName(object))") }
  let size = PyTuple_Size(object)
  guard size == count else { throw .argument("\(name()) must have \(count) elements, not \(size)") }
  var elements: [Object] = []
  for index in 0..<count {
    guard let element = PyTuple_GetItem(object, index) else { throw .raised }
    elements.append(element)
  }
  return elements
}

/// Calls `body` with each item of a mapping whose keys are text.
func forEachItem(
  of object: Object, _ name: @autoclosure () -> String, _ body: (String, Object) throws(Failure) -> Void
) throws(Failure) {
  guard isMapping(object) else { throw .type("\(name()) must be a mapping, not \(typeName(object))") }
  let items = try Owned(PyMapping_Items(object))
  try forEach(in: items.object, name()) { index, item throws(Failure) in
    let pair = try tuple(item, of: 2, "item \(index) of \(name())")
    try body(text(pair[0], "a key of \(name())"), pair[1])
  }
}

func integers(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> [Int] {
  var integers: [Int] = []
  try forEach(in: object, name()) { index, element throws(Failure) in
    integers.append(try integer(element, "\(name())[\(index)]"))
  }
  return integers
}

func texts(_ object: Object, _ name: @autoclosure () -> String) throws(Failure) -> [String] {
  var texts: [String] = []
  try forEach(in: object, name()) { index, element throws(Failure) in
    texts.append(try text(element, "\(name())[\(index)]"))
  }
  return texts
}
