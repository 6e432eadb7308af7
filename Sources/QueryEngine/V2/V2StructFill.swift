import CArrow
import CDuckDB

/// Fills a vector of structs, column by column.
struct V2StructFill {
  /// Whether the memory goes before the query ends.
  let isTransient: Bool
  /// What the table calls the column.
  let column: String

  /// - Parameter outer: the validity of what the structs lie in; nil: all of it is there.
  func fill(_ vector: OpaquePointer?, _ source: VectorFill, _ kinds: [ColumnKind], within outer: UnsafePointer<UInt64>?) throws(V2Failure) {
    let present = try validity(vector, source, within: outer)
    for (index, kind) in kinds.enumerated() {
      guard index < Int(source.array.n_children), let child = source.array.children?[index] else { continue }
      var target: OpaquePointer?
      try v2Call { v2.pointee.vector_get_child(vector, UInt64(index), &target, $0) }
      try v2Call { v2.pointee.vector_set_size(target, UInt64(source.count), $0) }
      // A struct's own offset counts in its columns too.
      let values = VectorFill(child, row: source.first, count: source.count)
      if case .structure(let inner) = kind {
        try fill(target, values, inner, within: present)
      } else {
        _ = try validity(target, values, within: present)
        try V2Fill.fill(target, values, kind, isTransient: isTransient, column: column)
      }
    }
  }

  /// Writes which rows are there; nil where all are. DuckDB takes a struct's columns without a look at the struct: they have its nulls as well.
  private func validity(
    _ vector: OpaquePointer?, _ source: VectorFill, within outer: UnsafePointer<UInt64>?
  ) throws(V2Failure) -> UnsafePointer<UInt64>? {
    guard source.validity != nil || outer != nil, let words = try V2Fill.validity(of: vector) else { return nil }
    let count = (source.count + 63) / 64
    if let validity = source.validity { source.copyValidity(validity, to: words) } else { words.update(repeating: .max, count: count) }
    if let outer {
      for index in 0..<count { words[index] &= outer[index] }
    }
    return UnsafePointer(words)
  }
}
