import CArrow
import Glibc
import Primitives

/// Rows of batches one after the other, any of which can be taken by its number.
public struct NumberedRows: @unchecked Sendable {
  public let slices: [RecordBatchSlice]
  /// The number of each slice's first row, and in the end of all rows.
  public let starts: [Int]
  /// The slice of the first of so many rows: where to begin to look for one of them.
  private let guesses: [UInt16]
  private static let guessShift = 12

  /// nil: more slices, or rows, than are told apart.
  public init?(_ slices: [RecordBatchSlice]) {
    let slices = slices.filter { $0.count > 0 }
    let starts = slices.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    guard slices.count <= Int(UInt16.max), let total = starts.last, total > 0, total <= Int(UInt32.max) else { return nil }
    var guesses: [UInt16] = []
    for slice in slices.indices {
      while guesses.count << Self.guessShift < starts[slice + 1] { guesses.append(UInt16(slice)) }
    }
    (self.slices, self.starts, self.guesses) = (slices, starts, guesses)
  }

  public var count: Int { starts[starts.count - 1] }

  /// Where a row lies; nil: there is none of this number.
  @inline(__always)
  public func find(_ number: UInt32) -> (slice: Int, row: Int)? {
    let number = Int(number)
    guard number < count else { return nil }
    var slice = Int(guesses[number >> Self.guessShift])
    while number >= starts[slice + 1] { slice += 1 }
    return (slice, number - starts[slice])
  }
}

/// Numbers of rows as a column has them; null: no row.
public struct RowNumbers {
  let values: UnsafePointer<UInt32>
  public let count: Int
  /// Bits of those that are none, and where they begin; nil: all are numbers.
  let validity: (bits: UnsafeRawPointer, start: Int)?

  /// Part of a column of a batch, which the caller keeps; nil: it holds no numbers.
  public init?(_ batch: RecordBatch, column: Int, offset: Int, count: Int) {
    guard batch.schema.fields.indices.contains(column), batch.schema.fields[column].format == "I", offset >= 0, count >= 0, offset + count <= batch.rowCount
    else { return nil }
    let node = batch.column(column).pointee
    guard let data = node.buffer(1) else { return nil }
    let start = node.start + offset
    values = data.assumingMemoryBound(to: UInt32.self) + start
    self.count = count
    validity = node.null_count == 0 ? nil : node.buffer(0).map { ($0, start) }
  }

  public var hasNulls: Bool { validity.map { countOnes($0.bits, from: $0.start, count: count) < count } ?? false }

  @inline(__always)
  public subscript(_ index: Int) -> UInt32 { values[index] }

  @inline(__always)
  func isNull(_ index: Int) -> Bool {
    guard let validity else { return false }
    let bit = validity.start &+ index
    return validity.bits.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: bit & 7) & 1 == 0
  }

  /// How many from `first` on follow each other.
  public func run(from first: Int, to end: Int) -> Int {
    var next = first + 1
    while next < end, values[next] == values[next - 1] &+ 1 { next += 1 }
    return next - first
  }
}
