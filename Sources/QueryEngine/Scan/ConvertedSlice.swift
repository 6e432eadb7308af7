import ArrowData
import CArrow
import Primitives

/// Rows of one column as an Arrow array for DuckDB's own conversion.
enum ConvertedSlice {
  /// - Parameter array: receives a struct array of the one column, which holds its memory by itself.
  static func export(
    _ batch: RecordBatch, column: Int, offset: Int, count: Int, to array: UnsafeMutablePointer<ArrowArray>
  ) throws(CacheError) {
    guard batch.schema.fields[column].isDeep else {
      return batch.export(columns: [column], offset: offset, count: count, to: array)
    }
    // DuckDB adds the offset of a struct to its children's, but not to what is below those, nor a list's child's own, nor a sparse
    // union's in 1.5: deep values and unions go without offsets.
    try batch.copied(columns: [column], offset: offset, count: count).export(columns: [column], offset: 0, count: count, to: array)
  }
}

extension Field {
  /// Whether something nested, or a dictionary, lies inside something nested.
  fileprivate var isDeep: Bool {
    format.hasPrefix("+u") || children.contains { !$0.children.isEmpty || $0.dictionary != nil } || dictionary?.isDeep ?? false
  }
}
