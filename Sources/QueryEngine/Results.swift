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

/// A result whose rows are produced while it is read. Holds its session until the end, an error, or its release.
final class LiveResult: BatchSource {
  let schema: Schema
  private let snapshot: QuerySnapshot
  private let space: TemporarySpace
  private let cancellation: Cancellation?
  private let stopper: QueryStopper
  private var running: (result: any QueryResult, giveBack: (_ isBroken: Bool) -> Void)?

  init(
    _ result: any QueryResult, schema: Schema, snapshot: QuerySnapshot, space: TemporarySpace, cancellation: Cancellation?, stopper: QueryStopper,
    giveBack: @escaping (_ isBroken: Bool) -> Void
  ) {
    (self.schema, self.snapshot, self.space, self.cancellation, self.stopper) = (schema, snapshot, space, cancellation, stopper)
    running = (result, giveBack)
  }

  deinit { finish(isBroken: false) }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard let result = running?.result else { return false }
    do throws(CacheError) {
      let hasRows = try stopper.run(cancellation) { () throws(CacheError) in
        // DuckDB forgets an interrupt that comes between two batches.
        if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
        return try snapshot.run { () throws(CacheError) in try result.next(into: array) }
      }
      if hasRows { return true }
    } catch {
      finish(isBroken: error.code == .duckdb)
      throw space.explained(error)
    }
    finish(isBroken: false)
    return false
  }

  private func finish(isBroken: Bool) {
    guard let giveBack = running?.giveBack else { return }
    running = nil  // the result goes before its session can be used again
    giveBack(isBroken)
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
