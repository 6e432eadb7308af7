import Primitives

/// Says what is wrong with a statement's parameters before DuckDB does, with both sides of the mismatch.
enum ParameterCheck {
  /// - Parameter names: the parameters the statement has; positional ones are named by their number.
  static func check(_ parameters: QueryParameters, against names: [String]) throws(CacheError) {
    let positional = names.allSatisfy { Int($0) != nil }
    switch parameters {
    case .none:
      guard names.isEmpty else { throw mismatch("the statement has \(described(names, positional)) but none were given") }
    case .positional(let values):
      guard positional else { throw mismatch("the statement names its parameters (\(list(names))) but \(values.count) were given by position: pass a mapping") }
      let needed = names.compactMap { Int($0) }.max() ?? 0
      guard needed == values.count else {
        throw mismatch("the statement has \(needed) parameter\(needed == 1 ? "" : "s") but \(values.count) \(values.count == 1 ? "was" : "were") given")
      }
    case .named(let pairs):
      guard !positional || names.isEmpty else {
        throw mismatch("the statement has \(described(names, positional)), by position: pass a sequence, or write $name in the statement")
      }
      let given = Set(pairs.map { $0.name.lowercased() })
      let wanted = Set(names.map { $0.lowercased() })
      let missing = names.filter { !given.contains($0.lowercased()) }
      guard missing.isEmpty else { throw mismatch("no value for \(list(missing)): the statement names \(list(names))") }
      let extra = pairs.map(\.name).filter { !wanted.contains($0.lowercased()) }
      guard extra.isEmpty else {
        throw mismatch("the statement has no \(list(extra))\(names.isEmpty ? ": it has no parameters" : ": it names \(list(names))")")
      }
    }
  }

  /// - Parameters:
  ///   - names: the parameters of a statement that is not the last of its text.
  ///   - number: its place in the text, from 1.
  static func checkEarlier(_ names: [String], number: Int, of count: Int) throws(CacheError) {
    guard !names.isEmpty else { return }
    let described = described(names, names.allSatisfy { Int($0) != nil })
    throw mismatch(
      "statement \(number) of \(count) has \(described), and parameters go to the last statement of the text: "
        + "run it in a query of its own, or write the value\(names.count == 1 ? "" : "s") into it")
  }

  private static func mismatch(_ message: String) -> CacheError { CacheError(.query, message) }
  private static func list(_ names: [String]) -> String { names.map { "$\($0)" }.joined(separator: ", ") }
  private static func described(_ names: [String], _ positional: Bool) -> String {
    positional ? "\(names.count) parameter\(names.count == 1 ? "" : "s")" : "the parameters \(list(names))"
  }
}
