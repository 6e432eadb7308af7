import CPython

/// The arguments of one call, read in order. Borrowed: whoever called the function holds them until it returns.
struct Arguments {
  private let values: UnsafeBufferPointer<Object?>
  private var position = 0

  init(_ values: UnsafePointer<Object?>?, _ count: Int) { self.values = UnsafeBufferPointer(start: values, count: count) }

  mutating func next() throws(Failure) -> Object {
    defer { position += 1 }
    guard position < values.count, let value = values[position] else { throw .type("argument \(position + 1) is missing") }
    return value
  }

  mutating func optional() throws(Failure) -> Object? {
    let value = try next()
    return isNone(value) ? nil : value
  }

  mutating func text(_ name: String) throws(Failure) -> String { try ArrowCachePython.text(next(), name) }
  mutating func bool(_ name: String) throws(Failure) -> Bool { try ArrowCachePython.bool(next(), name) }
  mutating func integer(_ name: String) throws(Failure) -> Int { try ArrowCachePython.integer(next(), name) }
  mutating func seconds(_ name: String) throws(Failure) -> Double? {
    try optional().map { value throws(Failure) in try double(value, name) }
  }
}

/// The frame around every function of the module: the number of arguments, and errors turned into Python exceptions.
func function(
  _ name: StaticString, _ values: UnsafePointer<Object?>?, _ count: Py_ssize_t, of expected: Int,
  _ body: (inout Arguments) throws(Failure) -> Object
) -> Object? {
  do throws(Failure) {
    guard count == expected else {
      throw Failure.type("\(name)() takes \(expected) arguments by position, got \(count)")
    }
    var arguments = Arguments(values, count)
    return try body(&arguments)
  } catch {
    error.raise()
    return nil
  }
}
