import ArrowData
import CArrow
import Glibc

/// DuckDB's string headers of the values of a dictionary, kept by one thread while it scans rows that share it: a row then costs a load
/// and a store of 16 bytes, however long its value.
final class DictionaryHeaders {
  private let headers: UnsafeMutableRawPointer
  private let count: Int
  /// The values that are null are not valid, whatever the indices say.
  private let isNull: [Bool]
  /// What keeps the dictionary where it is.
  private let batch: RecordBatch
  private let identity: DictionaryIdentity

  /// Making headers pays where the batch has rows for them.
  static func areWorthwhile(_ array: ArrowArray, batch: RecordBatch) -> Bool {
    array.dictionary.map { $0.pointee.length <= Int64(2 * batch.rowCount) } ?? false
  }

  /// The headers that the thread has, or new ones where the column's dictionary is another.
  static func known(_ known: DictionaryHeaders?, _ batch: RecordBatch, column: Int, offsetBytes: Int) -> DictionaryHeaders? {
    guard let dictionary = batch.column(column).pointee.dictionary else { return nil }
    if let known, known.identity.isOf(dictionary.pointee) { return known }
    return DictionaryHeaders(batch, column: column, UnsafePointer(dictionary), offsetBytes: offsetBytes)
  }

  private init?(_ batch: RecordBatch, column: Int, _ dictionary: UnsafePointer<ArrowArray>, offsetBytes: Int) {
    let array = dictionary.pointee
    guard let identity = DictionaryIdentity(array) else { return nil }
    (self.batch, self.identity) = (batch.selecting([column]), identity)
    let count = Int(array.length)
    self.count = count
    headers = .allocate(byteCount: max(1, count) * 16, alignment: 16)
    let source = VectorFill(dictionary, row: 0, count: count)
    source.fillText(offsetBytes: offsetBytes, to: headers, heap: StringHeap<Never>?.none)
    let first = source.first
    isNull = source.validity.map { bits in (first..<(first + count)).map { bits[$0 >> 3] >> UInt8($0 & 7) & 1 == 0 } } ?? []
  }

  deinit { headers.deallocate() }

  /// Writes the headers of the rows. `markNull` is called for those whose value is null or outside of the dictionary; null indices are in the
  /// column's own validity.
  func fill(_ rows: VectorFill, indexBytes: Int, to target: UnsafeMutableRawPointer, markNull: (Int) -> Void) {
    switch indexBytes {
    case 1: fill(rows, UInt8.self, to: target, markNull)
    case 2: fill(rows, UInt16.self, to: target, markNull)
    case 4: fill(rows, UInt32.self, to: target, markNull)
    default: fill(rows, UInt64.self, to: target, markNull)
    }
  }

  @inline(__always)
  private func fill<Index: FixedWidthInteger & UnsignedInteger>(
    _ rows: VectorFill, _ type: Index.Type, to target: UnsafeMutableRawPointer, _ markNull: (Int) -> Void
  ) {
    typealias Header = SIMD2<UInt64>
    guard let values = rows.values() else { return }
    let indices = values.assumingMemoryBound(to: Index.self) + rows.first
    let known = headers.assumingMemoryBound(to: Header.self)
    let written = target.assumingMemoryBound(to: Header.self)
    let limit = UInt64(count)
    for row in 0..<rows.count {
      let index = UInt64(truncatingIfNeeded: indices[row])
      if index < limit {
        written[row] = known[Int(truncatingIfNeeded: index)]
      } else {
        written[row] = Header()
        markNull(row)
      }
    }
    guard !isNull.isEmpty else { return }
    for row in 0..<rows.count {
      let index = UInt64(truncatingIfNeeded: indices[row])
      if index < limit, isNull[Int(truncatingIfNeeded: index)] { markNull(row) }
    }
  }
}

/// Tells one dictionary of texts from another while the memory of both is kept.
struct DictionaryIdentity {
  private let offsets: UnsafeRawPointer
  private let bytes: UnsafeRawPointer?
  private let offset: Int64
  private let length: Int64

  /// nil where the dictionary has no offsets.
  init?(_ dictionary: ArrowArray) {
    guard let buffers = dictionary.buffers, let offsets = buffers[1] else { return nil }
    (self.offsets, bytes, offset, length) = (offsets, buffers[2], dictionary.offset, dictionary.length)
  }

  func isOf(_ dictionary: ArrowArray) -> Bool {
    dictionary.length == length && dictionary.offset == offset && dictionary.buffers?[1] == offsets && dictionary.buffers?[2] == bytes
  }
}

extension ScanWorker {
  /// The headers of the dictionary of a column; nil where making them would not pay.
  func headers(of column: Int, in batch: RecordBatch, offsetBytes: Int) -> DictionaryHeaders? {
    guard DictionaryHeaders.areWorthwhile(batch.column(column).pointee, batch: batch) else { return nil }
    let headers = DictionaryHeaders.known(headers[column], batch, column: column, offsetBytes: offsetBytes)
    self.headers[column] = headers
    return headers
  }
}
