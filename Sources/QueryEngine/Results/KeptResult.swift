import ArrowData
import CArrow
import CacheStore
import Primitives

/// The rows of a statement, whole, as whoever asks again gets them: the same memory, which nobody writes to.
public final class KeptResult: @unchecked Sendable {
  public let schema: Schema
  let batches: [RecordBatch]
  let charges: [ResultCharge]
  let tables: [TableVersion]
  /// How often the meaning of SQL had changed.
  let generation: UInt64
  /// How long it took to make.
  let seconds: Double
  private let memos: MemoShelf

  init(_ rows: CountedRows, tables: [TableVersion], generation: UInt64, seconds: Double, memos: MemoShelf) {
    (schema, batches, charges) = (rows.schema, rows.batches, rows.charges)
    (self.tables, self.generation, self.seconds, self.memos) = (tables, generation, seconds, memos)
  }

  public var byteCount: Int { charges.reduce(0) { $0 &+ $1.byteCount } }

  /// Fills `stream` with the rows, zero copy.
  public func export(into stream: UnsafeMutablePointer<ArrowArrayStream>) { exportStream(CountedRows(schema: schema, batches: batches, charges: charges), to: stream) }

  /// What `setMemo` has kept under this name.
  public func memo(_ name: String) -> AnyObject? { memos[name] }

  /// Keeps an object of the caller's beside the result, where there is room for the memory of its own.
  public func setMemo(_ name: String, _ value: AnyObject, byteCount: Int) { _ = memos.keep(value, name, byteCount) }
}

/// Rows of a result that are there, counted in the ledger as long as anybody reads them.
final class CountedRows: BatchSource {
  let schema: Schema
  let batches: [RecordBatch]
  let charges: [ResultCharge]
  private var position = 0

  init(schema: Schema, batches: [RecordBatch], charges: [ResultCharge]) { (self.schema, self.batches, self.charges) = (schema, batches, charges) }

  /// Reads a source to its end.
  init(_ source: any BatchSource, store: Store) throws(CacheError) {
    schema = source.schema
    var (batches, charges): ([RecordBatch], [ResultCharge]) = ([], [])
    var array = ArrowArray()
    while try source.next(into: &array) {
      let counted = store.charged(try RecordBatch(importing: &array, schema: source.schema))
      batches.append(counted.batch)
      charges.append(counted.charge)
    }
    (self.batches, self.charges) = (batches, charges)
  }

  var byteCount: Int { charges.reduce(0) { $0 &+ $1.byteCount } }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard position < batches.count else { return false }
    batches[position].export(offset: 0, count: batches[position].rowCount, to: array)
    position += 1
    return true
  }
}

/// Rows that are made while they are read, each batch counted from when it is made until its last reader is gone.
final class CountedStream: BatchSource {
  private let source: any BatchSource
  private let store: Store
  var schema: Schema { source.schema }

  init(_ source: any BatchSource, store: Store) { (self.source, self.store) = (source, store) }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard try source.next(into: array) else { return false }
    let batch = store.charged(try RecordBatch(importing: array, schema: schema)).batch
    batch.export(offset: 0, count: batch.rowCount, to: array)
    return true
  }
}
