/// A test of the rows of one column.
///
/// A type and not a closure: what is generic over it becomes one loop, without a call for each row.
protocol RowTest {
  func passes(_ row: Int) -> Bool
}

/// Whole numbers from `low` to `low + width`.
struct IsWithin<Value: FixedWidthInteger>: RowTest {
  let values: UnsafePointer<Value>
  let low: Value
  let width: Value.Magnitude

  @inline(__always)
  func passes(_ row: Int) -> Bool { Value.Magnitude(truncatingIfNeeded: values[row] &- low) <= width }
}

/// The same of decimals of 128 bits, which may lie on any eight bytes.
struct IsWideWithin: RowTest {
  let values: UnsafeRawPointer
  let low: Int128
  let width: UInt128

  @inline(__always)
  func passes(_ row: Int) -> Bool {
    UInt128(truncatingIfNeeded: values.loadUnaligned(fromByteOffset: row &* 16, as: Int128.self) &- low) <= width
  }
}

/// Decimals whose type fits into half of their 128 bits. What has more digits than its type says passes: DuckDB is to refuse it.
struct IsShortDecimalWithin: RowTest {
  let values: UnsafeRawPointer
  let low: Int64
  let width: UInt64
  /// Whether none is within.
  let isEmpty: Bool

  @inline(__always)
  func passes(_ row: Int) -> Bool {
    let half = values.loadUnaligned(fromByteOffset: row &* 16, as: Int64.self)
    let rest = values.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: Int64.self)
    // Without a branch, which half of the rows would take.
    let isWithin: Int64 = UInt64(bitPattern: half &- low) <= width && !isEmpty ? 1 : 0
    return isWithin | (rest ^ half >> 63) != 0
  }
}

/// One of up to four values.
struct IsOneOfFour<Value: Equatable & BitwiseCopyable>: RowTest {
  private let values: UnsafePointer<Value>
  private let (a, b, c, d): (Value, Value, Value, Value)

  /// nil where there are none, or more.
  init?(_ values: UnsafePointer<Value>, _ wanted: [Value]) {
    guard let first = wanted.first, wanted.count <= 4 else { return nil }
    func value(_ index: Int) -> Value { index < wanted.count ? wanted[index] : first }
    (self.values, a, b, c, d) = (values, first, value(1), value(2), value(3))
  }

  @inline(__always)
  func passes(_ row: Int) -> Bool {
    let value = values[row]
    let first: UInt8 = value == a ? 1 : 0
    let second: UInt8 = value == b ? 1 : 0
    let third: UInt8 = value == c ? 1 : 0
    let fourth: UInt8 = value == d ? 1 : 0
    return first | second | third | fourth != 0
  }
}

/// Whole numbers of up to 64 bits that are marked in a table, which starts at `low` and ends with an entry for all other numbers.
struct IsMarked<Value: FixedWidthInteger>: RowTest {
  let values: UnsafePointer<Value>
  let low: Value
  let table: UnsafeBufferPointer<Bool>

  @inline(__always)
  func passes(_ row: Int) -> Bool {
    let place = UInt(truncatingIfNeeded: Value.Magnitude(truncatingIfNeeded: values[row] &- low))
    return table[Int(bitPattern: min(place, UInt(bitPattern: table.count &- 1)))]
  }
}

/// One of many values.
struct IsAmong<Value: Comparable & BitwiseCopyable>: RowTest {
  let values: UnsafePointer<Value>
  let sorted: UnsafeBufferPointer<Value>

  @inline(__always)
  func passes(_ row: Int) -> Bool { sorted.hasSorted(values[row]) }
}

/// The same of decimals of 128 bits.
struct IsWideAmong: RowTest {
  let values: UnsafeRawPointer
  let sorted: UnsafeBufferPointer<Int128>

  @inline(__always)
  func passes(_ row: Int) -> Bool { sorted.hasSorted(values.loadUnaligned(fromByteOffset: row &* 16, as: Int128.self)) }
}

/// Floating-point numbers from `low` to `high`: never NaN.
struct IsBetween<Value: BinaryFloatingPoint>: RowTest {
  let values: UnsafePointer<Value>
  let low: Value
  let high: Value

  @inline(__always)
  func passes(_ row: Int) -> Bool {
    let value = values[row]
    let isAbove: UInt8 = value >= low ? 1 : 0
    let isBelow: UInt8 = value <= high ? 1 : 0
    return isAbove & isBelow != 0
  }
}

struct IsAtMost<Value: BinaryFloatingPoint>: RowTest {
  let values: UnsafePointer<Value>
  let constant: Value

  @inline(__always)
  func passes(_ row: Int) -> Bool { values[row] <= constant }
}

struct IsBelow<Value: BinaryFloatingPoint>: RowTest {
  let values: UnsafePointer<Value>
  let constant: Value

  @inline(__always)
  func passes(_ row: Int) -> Bool { values[row] < constant }
}

struct IsNaN<Value: BinaryFloatingPoint>: RowTest {
  let values: UnsafePointer<Value>

  @inline(__always)
  func passes(_ row: Int) -> Bool { values[row] != values[row] }
}

extension UnsafeBufferPointer where Element: Comparable {
  @inline(__always)
  fileprivate func hasSorted(_ value: Element) -> Bool {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) >> 1
      if self[middle] < value { low = middle &+ 1 } else { high = middle }
    }
    return low < count && self[low] == value
  }
}
