import ArrowData
import CArrow
import Primitives

extension ArraySpec {
  /// Moves what this makes into a batch.
  func batch(_ schema: Schema, _ counter: ReleaseCounter) throws(CacheError) -> RecordBatch {
    var array = ArrowArray()
    export(counter, to: &array)
    return try RecordBatch(importing: &array, schema: schema)
  }
}

extension RecordBatch {
  /// The rows of a column, read through the batch.
  func values(_ index: Int) -> [Value] { Value.all(schema.fields[index], column(index)) }
}

/// Exports rows, reads every value of them, and releases them.
func exported(_ batch: RecordBatch, columns: [Int]? = nil, offset: Int, count: Int) -> [[Value]] {
  var array = ArrowArray()
  batch.export(columns: columns, offset: offset, count: count, to: &array)
  defer { array.release(&array) }
  let fields = batch.schema.selecting(columns).fields
  return (0..<Int(array.n_children)).map { index in array.children[index].map { Value.all(fields[index], $0) } ?? [] }
}

func schema(_ formats: String...) throws(CacheError) -> Schema {
  var fields: [Field] = []
  for (index, format) in formats.enumerated() { fields.append(try Field(name: "c\(index)", format: format)) }
  return Schema(fields: fields)
}
