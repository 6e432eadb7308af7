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
    var collected: [ArrowArray] = []
    do throws(CacheError) {
      var array = ArrowArray()
      while try result.next(into: &array) {
        collected.append(array)
        if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
      }
    } catch {
      for index in collected.indices { collected[index].release?(&collected[index]) }
      throw error
    }
    arrays = collected[...]
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
  private var running: (result: any QueryResult, giveBack: (_ isBroken: Bool) -> Void)?

  init(_ result: any QueryResult, schema: Schema, snapshot: QuerySnapshot, giveBack: @escaping (_ isBroken: Bool) -> Void) {
    (self.schema, self.snapshot) = (schema, snapshot)
    running = (result, giveBack)
  }

  deinit { finish(isBroken: false) }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard let result = running?.result else { return false }
    do throws(CacheError) {
      if try snapshot.run({ () throws(CacheError) in try result.next(into: array) }) { return true }
    } catch {
      finish(isBroken: error.code == .duckdb)
      throw error
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
