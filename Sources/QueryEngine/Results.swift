import ArrowData
import CArrow
import Primitives

/// A result that has been produced completely.
final class CollectedResult: BatchSource {
  let schema: Schema
  private var arrays: ArraySlice<ArrowArray>

  /// Reads `result` to its end.
  init(_ result: any QueryResult, cancellation: Cancellation?) throws(CacheError) {
    schema = try importSchema(of: result)
    arrays = try Self.collect(cancellation) { (array) throws(CacheError) in try result.next(into: &array) }[...]
  }

  /// Reads `source` to its end, whose arrays are of this schema.
  init(of source: any BatchSource, schema: Schema, cancellation: Cancellation?) throws(CacheError) {
    self.schema = schema
    arrays = try Self.collect(cancellation) { (array) throws(CacheError) in try source.next(into: &array) }[...]
  }

  private static func collect(
    _ cancellation: Cancellation?, _ next: (inout ArrowArray) throws(CacheError) -> Bool
  ) throws(CacheError) -> [ArrowArray] {
    var collected: [ArrowArray] = []
    do throws(CacheError) {
      var array = ArrowArray()
      while try next(&array) {
        collected.append(array)
        if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
      }
    } catch {
      for index in collected.indices { collected[index].release?(&collected[index]) }
      throw error
    }
    return collected
  }

  deinit {
    for index in arrays.indices { arrays[index].release?(&arrays[index]) }
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard let first = arrays.popFirst() else { return false }
    array.pointee = first
    return true
  }
}

func importSchema(of result: any QueryResult) throws(CacheError) -> Schema {
  var schema = ArrowSchema()
  try result.schema(into: &schema)
  return try Schema(importing: &schema)
}

/// The one number of a result of one row; nil where it is null.
func readInt64(_ source: any BatchSource) throws(CacheError) -> Int? {
  var array = ArrowArray()
  guard try source.next(into: &array) else { return nil }
  let batch = try RecordBatch(importing: &array, schema: source.schema)
  guard batch.rowCount == 1, batch.columnCount == 1, source.schema.fields[0].format == "l" else { return nil }
  let column = batch.column(0).pointee
  guard column.null_count == 0 else { return nil }
  return column.buffers[1].map { Int($0.load(fromByteOffset: Int(column.offset) * 8, as: Int64.self)) }
}
