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
    self.init(of: batch.column(column).pointee, field: field, order: ValueOrder(field), offset: offset, count: count)
  }

  /// The same of an array that has these rows.
  init(of array: ArrowArray, field: Field, order: ValueOrder, offset: Int, count: Int) {
    let range = ValueRange(array, layout: field.layout, offset: offset, count: count)
    // A dictionary may have nulls of its own.
    let isKnown = array.dictionary.map { $0.pointee.null_count == 0 || $0.pointee.buffer(0) == nil } ?? true
    self.init(rowCount: count, nullCount: isKnown ? range.nullCount(field.layout) : nil, bounds: Self.bounds(order, field, range))
  }

  private static func bounds(_ order: ValueOrder, _ field: Field, _ range: ValueRange) -> Bounds {
    switch order {
    case .unknown: .unknown
    case .bool: range.boolBounds()
    case .int8: range.intBounds(Int8.self)
    case .int16: range.intBounds(Int16.self)
    case .int32: range.intBounds(Int32.self)
    case .int64: range.intBounds(Int64.self)
    case .int128: range.wideBounds()
    case .uint8: range.uintBounds(UInt8.self)
    case .uint16: range.uintBounds(UInt16.self)
    case .uint32: range.uintBounds(UInt32.self)
    case .uint64: range.uintBounds(UInt64.self)
    case .float: range.floatBounds(Float.self)
    case .double: range.floatBounds(Double.self)
    case .text32: range.textBounds(Int32.self)
    case .text64: range.textBounds(Int64.self)
    case .textView: range.viewBounds()
    case .encodedText: range.encodedTextBounds(field.format)
    case .geometry: range.geometryBounds(field.format)
    }
  }
}

/// What the values of a type are compared as: in DuckDB's order, or not at all.
enum ValueOrder {
  case unknown, bool, int8, int16, int32, int64, int128, uint8, uint16, uint32, uint64, float, double, text32, text64, textView, encodedText, geometry

  init(_ field: Field) {
    if field.isWellKnownBinary {
      self = .geometry
    } else if let format = field.encodedFormat {
      self = format == "u" || format == "U" || format == "vu" ? .encodedText : .unknown
    } else if field.dictionary != nil || field.isExtension {
      self = .unknown
    } else {
      self = Self.plain(field.format)
    }
  }

  private static func plain(_ format: String) -> ValueOrder {
    switch format {
    case "b": .bool
    case "c": .int8
    case "s": .int16
    case "i", "tdD", "tts", "ttm": .int32
    case "l", "tdm", "ttu", "ttn": .int64
    case "C": .uint8
    case "S": .uint16
    case "I": .uint32
    case "L": .uint64
    case "f": .float
    case "g": .double
    case "u": .text32
    case "U": .text64
    case "vu": .textView
    default:
      if format.utf8.starts(with: "ts".utf8) { .int64 } else if format.utf8.starts(with: "d:".utf8) { decimal(format) } else { .unknown }
    }
  }

  /// Decimals are compared in units of their last digit.
  private static func decimal(_ format: String) -> ValueOrder {
    let parts = format.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false)
    switch parts.count == 3 ? String(parts[2]) : "128" {
    case "32": return .int32
    case "64": return .int64
    case "128": return .int128
    default: return .unknown
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

  /// Of decimals of 128 bits; unknown where one of them is beyond 64.
  func wideBounds() -> ColumnStatistics.Bounds {
    guard count > 0, let buffer = array.buffer(1) else { return .noValues }
    let words = buffer + first * 16
    var (low, high, hasValue) = (Int64.max, Int64.min, false)
    // Not zero where the upper half of some value is not the sign of the lower.
    var beyond: Int64 = 0
    func add(_ row: Int) {
      let value = words.loadUnaligned(fromByteOffset: row &* 16, as: Int64.self)
      beyond |= words.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: Int64.self) ^ value >> 63
      (low, high) = (min(low, value), max(high, value))
    }
    eachWord { rows, valid in
      hasValue = true
      if valid == .max {
        for row in rows { add(row) }
      } else {
        var rest = valid
        while rest != 0 {
          add(rows.lowerBound &+ rest.trailingZeroBitCount)
          rest &= rest &- 1
        }
      }
    }
    if beyond != 0 { return .unknown }
    return hasValue ? .int(min: low, max: high) : .noValues
  }

  /// NaN is in neither bound: every comparison with it is false.
  func floatBounds<Value: BinaryFloatingPoint>(_: Value.Type) -> ColumnStatistics.Bounds {
    guard count > 0, let buffer = array.buffer(1) else { return .noValues }
    let values = buffer.assumingMemoryBound(to: Value.self) + first
    var found = FloatExtremes<Value>()
    if validity == nil {
      found.add(values, count: count)
    } else {
      eachWord { rows, valid in
        if valid == .max {
          found.add(values + rows.lowerBound, count: 64)
        } else {
          found.add(values + rows.lowerBound, valid: valid)
        }
      }
    }
    if found.low > found.high, !found.hasNaN { return .noValues }
    return .double(min: Double(found.low), max: Double(found.high), hasNaN: found.hasNaN)
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
}

/// Bounds of floating-point values, in four lanes: the compiler may not reorder such comparisons by itself.
private struct FloatExtremes<Value: BinaryFloatingPoint> {
  private var lows = (Value.infinity, Value.infinity, Value.infinity, Value.infinity)
  private var highs = (-Value.infinity, -Value.infinity, -Value.infinity, -Value.infinity)
  private(set) var hasNaN = false

  var low: Value { min(min(lows.0, lows.1), min(lows.2, lows.3)) }
  var high: Value { max(max(highs.0, highs.1), max(highs.2, highs.3)) }

  /// Adds the values that `valid` has a bit for.
  @inline(__always)
  mutating func add(_ values: UnsafePointer<Value>, valid: UInt64) {
    var (low, high, anyNaN) = (lows.0, highs.0, hasNaN)
    var rest = valid
    while rest != 0 {
      let value = values[rest.trailingZeroBitCount]
      low = value < low ? value : low
      high = value > high ? value : high
      anyNaN = anyNaN || value != value
      rest &= rest - 1
    }
    (lows.0, highs.0, hasNaN) = (low, high, anyNaN)
  }

  @inline(__always)
  mutating func add(_ values: UnsafePointer<Value>, count: Int) {
    var (low, high, anyNaN) = (lows, highs, hasNaN)
    var index = 0
    while index + 4 <= count {
      let (a, b, c, d) = (values[index], values[index + 1], values[index + 2], values[index + 3])
      low = (a < low.0 ? a : low.0, b < low.1 ? b : low.1, c < low.2 ? c : low.2, d < low.3 ? d : low.3)
      high = (a > high.0 ? a : high.0, b > high.1 ? b : high.1, c > high.2 ? c : high.2, d > high.3 ? d : high.3)
      anyNaN = anyNaN || a != a || b != b || c != c || d != d
      index += 4
    }
    (lows, highs, hasNaN) = (low, high, anyNaN)
    if index < count { add(values + index, valid: 1 << UInt64(count - index) - 1) }
  }
}
