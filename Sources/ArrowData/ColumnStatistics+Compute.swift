import CArrow

extension ColumnStatistics {
  /// One pass over rows `offset ..< offset + count` of a column. Unknown for types whose values DuckDB may order otherwise.
  public init(of batch: RecordBatch, column: Int, offset: Int, count: Int) {
    let offset = min(max(offset, 0), batch.rowCount)
    let count = min(max(count, 0), batch.rowCount - offset)
    guard batch.schema.fields.indices.contains(column) else {
      self = .unknown(rowCount: count)
      return
    }
    let field = batch.schema.fields[column]
    let range = ValueRange(batch.column(column).pointee, layout: field.layout, offset: offset, count: count)
    self.init(rowCount: count, nullCount: range.nullCount(field.layout), bounds: Self.bounds(field, range))
  }

  private static func bounds(_ field: Field, _ range: ValueRange) -> Bounds {
    guard field.dictionary == nil, !field.isExtension else { return .unknown }
    switch field.format {
    case "b": return range.boolBounds()
    case "c": return range.intBounds(Int8.self)
    case "s": return range.intBounds(Int16.self)
    case "i", "tdD", "tts", "ttm": return range.intBounds(Int32.self)
    case "l", "tdm", "ttu", "ttn": return range.intBounds(Int64.self)
    case "C": return range.uintBounds(UInt8.self)
    case "S": return range.uintBounds(UInt16.self)
    case "I": return range.uintBounds(UInt32.self)
    case "L": return range.uintBounds(UInt64.self)
    case "f": return range.floatBounds(Float.self)
    case "g": return range.floatBounds(Double.self)
    case "u": return range.textBounds(Int32.self)
    case "U": return range.textBounds(Int64.self)
    case "vu": return range.viewBounds()
    default: return field.format.utf8.starts(with: "ts".utf8) ? range.intBounds(Int64.self) : .unknown
    }
  }
}

/// Values of one array, from `first`, counted from the start of its buffers.
struct ValueRange {
  let array: ArrowArray
  let first: Int
  let count: Int
  /// nil: no value is null.
  let validity: UnsafeRawPointer?

  init(_ array: ArrowArray, layout: Layout, offset: Int, count: Int) {
    (self.array, first, self.count) = (array, array.start + offset, count)
    validity = layout.hasValidity && array.null_count != 0 ? array.buffer(0) : nil
  }

  /// nil where the values themselves say what is null.
  func nullCount(_ layout: Layout) -> Int? {
    switch layout {
    case .null: return count
    case .union, .runs: return nil
    default: return validity.map { count - countOnes($0, from: first, count: count) } ?? 0
    }
  }

  /// Calls `body` with ranges of up to 64 rows, counted from `first`, and which of them are valid (lowest bit first);
  /// ranges without a valid row are left out.
  @inline(__always)
  func eachWord(_ body: (_ rows: Range<Int>, _ valid: UInt64) -> Void) {
    var row = 0
    while row < count {
      let width = min(64, count - row)
      let every = width == 64 ? UInt64.max : 1 << UInt64(width) - 1
      let valid = validity.map { loadBits($0, from: first + row, count: width) & every } ?? every
      if valid != 0 { body(row..<(row + width), valid) }
      row += width
    }
  }

  func boolBounds() -> ColumnStatistics.Bounds {
    guard count > 0, let bits = array.buffer(1) else { return .noValues }
    var anyTrue = false
    var anyFalse = false
    eachWord { rows, valid in
      let values = loadBits(bits, from: first + rows.lowerBound, count: rows.count)
      anyTrue = anyTrue || values & valid != 0
      anyFalse = anyFalse || ~values & valid != 0
    }
    return anyTrue || anyFalse ? .int(min: anyFalse ? 0 : 1, max: anyTrue ? 1 : 0) : .noValues
  }

  func intBounds<Value: FixedWidthInteger & SignedInteger>(_: Value.Type) -> ColumnStatistics.Bounds {
    guard let (low, high) = extremes(Value.self, low: .max, high: .min), low <= high else { return .noValues }
    return .int(min: Int64(low), max: Int64(high))
  }

  func uintBounds<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) -> ColumnStatistics.Bounds {
    guard let (low, high) = extremes(Value.self, low: .max, high: .min), low <= high else { return .noValues }
    return .uint(min: UInt64(low), max: UInt64(high))
  }

  /// NaN is in neither bound: every comparison with it is false.
  func floatBounds<Value: BinaryFloatingPoint>(_: Value.Type) -> ColumnStatistics.Bounds {
    guard let (low, high) = extremes(Value.self, low: .infinity, high: -.infinity) else { return .noValues }
    let hasNaN = contains(Value.self) { $0 != $0 }
    if low > high, !hasNaN { return .noValues }
    return .double(min: Double(low), max: Double(high), hasNaN: hasNaN)
  }

  /// Smallest and largest valid value; nil where there is no buffer.
  @inline(__always)
  private func extremes<Value: Comparable>(_: Value.Type, low start: Value, high startHigh: Value) -> (Value, Value)? {
    guard count > 0, let buffer = array.buffer(1) else { return nil }
    let values = buffer.assumingMemoryBound(to: Value.self) + first
    var low = start
    var high = startHigh
    if validity == nil {
      for index in 0..<count {
        let value = values[index]
        low = value < low ? value : low
        high = value > high ? value : high
      }
      return (low, high)
    }
    eachWord { rows, valid in
      if valid == .max {
        for index in rows {
          let value = values[index]
          low = value < low ? value : low
          high = value > high ? value : high
        }
      } else {
        var rest = valid
        while rest != 0 {
          let value = values[rows.lowerBound + rest.trailingZeroBitCount]
          low = value < low ? value : low
          high = value > high ? value : high
          rest &= rest - 1
        }
      }
    }
    return (low, high)
  }

  @inline(__always)
  private func contains<Value>(_: Value.Type, _ isWanted: (Value) -> Bool) -> Bool {
    guard count > 0, let buffer = array.buffer(1) else { return false }
    let values = buffer.assumingMemoryBound(to: Value.self) + first
    var found = false
    if validity == nil {
      for index in 0..<count { found = found || isWanted(values[index]) }
      return found
    }
    eachWord { rows, valid in
      var rest = valid
      while rest != 0 {
        found = found || isWanted(values[rows.lowerBound + rest.trailingZeroBitCount])
        rest &= rest - 1
      }
    }
    return found
  }
}
