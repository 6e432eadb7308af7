import ArrowData
import CArrow
import Primitives

/// A result of texts and 64-bit integers, by columns. A column of another type has nulls alone.
struct ResultRows {
  private(set) var rowCount = 0
  private var batches: [RecordBatch] = []

  init(_ source: any BatchSource) throws(CacheError) {
    var array = ArrowArray()
    while try source.next(into: &array) {
      let batch = try RecordBatch(importing: &array, schema: source.schema)
      rowCount += batch.rowCount
      batches.append(batch)
    }
  }

  func int(_ column: Int) -> [Int?] {
    values(column, "l") { array, row in array.buffers[1].map { Int($0.load(fromByteOffset: row * 8, as: Int64.self)) } }
  }

  func text(_ column: Int) -> [String?] {
    values(column, "u") { array, row in
      guard let offsets = array.buffers[1]?.assumingMemoryBound(to: Int32.self), let bytes = array.buffers[2] else { return nil }
      let text = UnsafeRawBufferPointer(start: bytes + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))
      return String(decoding: text, as: UTF8.self)
    }
  }

  private func values<Value>(_ column: Int, _ format: String, _ value: (ArrowArray, Int) -> Value?) -> [Value?] {
    batches.flatMap { batch -> [Value?] in
      guard column < batch.columnCount, batch.schema.fields[column].format == format else {
        return [Value?](repeating: nil, count: batch.rowCount)
      }
      let array = batch.column(column).pointee
      let validity = array.null_count == 0 ? nil : array.buffers[0]?.assumingMemoryBound(to: UInt8.self)
      return (0..<batch.rowCount).map { row in
        let row = row + Int(array.offset)
        if let validity, validity[row >> 3] >> UInt8(row & 7) & 1 == 0 { return nil }
        return value(array, row)
      }
    }
  }
}
