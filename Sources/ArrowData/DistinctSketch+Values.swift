import CArrow

extension DistinctSketch {
  /// Adds the values of rows of a column that are not null; false for types whose values may be equal though their bytes are not.
  public mutating func add(_ slice: RecordBatchSlice, column: Int) -> Bool { slice.eachHash(column) { add(hash: $0) } }
}

extension DistinctCount {
  /// As `DistinctSketch.add`.
  public mutating func add(_ slice: RecordBatchSlice, column: Int) -> Bool { slice.eachHash(column) { add(hash: $0) } }
}

extension RecordBatchSlice {
  /// Calls `body` with the hash of each value of a column that is not null: the same for values that are equal.
  @inline(__always)
  fileprivate func eachHash(_ column: Int, _ body: (UInt64) -> Void) -> Bool {
    guard batch.schema.fields.indices.contains(column), offset >= 0, count >= 0, offset <= batch.rowCount, count <= batch.rowCount - offset
    else { return false }
    let field = batch.schema.fields[column]
    let range = ValueRange(batch.column(column).pointee, layout: field.layout, offset: offset, count: count)
    return range.eachHash(field) { _, hash in body(hash) }
  }
}

extension ValueRange {
  /// Calls `body` with each row that is not null, counted from `first`, and the hash of its value: the same for values that are equal.
  @inline(__always)
  fileprivate func eachHash(_ field: Field, _ body: (_ row: Int, _ hash: UInt64) -> Void) -> Bool {
    guard !field.isExtension else { return false }
    if count == 0 { return true }
    if let values = field.dictionary { return eachEncoded(field.format, values, body) }
    return eachPlain(field, body)
  }

  /// Each value of the dictionary is hashed once, or, where there are more of them than rows, for each row.
  private func eachEncoded(_ format: String, _ values: Field, _ body: (Int, UInt64) -> Void) -> Bool {
    guard !values.isExtension, values.dictionary == nil, let dictionary = array.dictionary?.pointee, let indices = array.buffer(1)
    else { return false }
    let isLarge = dictionary.count > count
    var hashes = [UInt64?](repeating: nil, count: isLarge ? 0 : dictionary.count)
    let all = ValueRange(dictionary, layout: values.layout, offset: 0, count: isLarge ? min(1, dictionary.count) : dictionary.count)
    guard all.eachPlain(values, { if !isLarge { hashes[$0] = $1 } }) else { return false }
    func each<Index: FixedWidthInteger & UnsignedInteger>(_: Index.Type) {
      let indices = indices.assumingMemoryBound(to: Index.self) + first
      eachRow { row in
        guard let index = Int(exactly: indices[row]), index < dictionary.count else { return }
        if isLarge {
          _ = ValueRange(dictionary, layout: values.layout, offset: index, count: 1).eachPlain(values) { body(row, $1) }
        } else if let hash = hashes[index] {
          body(row, hash)
        }
      }
    }
    switch format {
    case "c", "C": each(UInt8.self)
    case "s", "S": each(UInt16.self)
    case "i", "I": each(UInt32.self)
    default: each(UInt64.self)
    }
    return true
  }

  private func eachPlain(_ field: Field, _ body: (Int, UInt64) -> Void) -> Bool {
    if count == 0 { return true }
    guard let buffer = array.buffer(1) else { return false }
    func each<Value: FixedWidthInteger>(_: Value.Type) {
      let values = buffer.assumingMemoryBound(to: Value.self) + first
      eachRow { body($0, ValueHash.of(UInt64(truncatingIfNeeded: values[$0]))) }
    }
    func each(_ texts: some TextValues) { eachRow { row in if let text = texts.value(first + row) { body(row, ValueHash.of(text)) } } }
    switch field.layout {
    case .bits: eachRow { body($0, ValueHash.of(loadBits(buffer, from: first + $0, count: 1) & 1)) }
    case .fixed(let width):
      switch (field.format, width) {
      case ("e", _), ("tiD", _), ("tin", _): return false
      case ("f", _):
        let values = buffer.assumingMemoryBound(to: Float.self) + first
        eachRow { body($0, ValueHash.of(Double(values[$0]))) }
      case ("g", _):
        let values = buffer.assumingMemoryBound(to: Double.self) + first
        eachRow { body($0, ValueHash.of(values[$0])) }
      case (_, 1): each(UInt8.self)
      case (_, 2): each(UInt16.self)
      case (_, 4): each(UInt32.self)
      case (_, 8): each(UInt64.self)
      case (_, 16):
        let words = buffer + first * 16
        eachRow { row in
          let low = words.loadUnaligned(fromByteOffset: row &* 16, as: UInt64.self)
          let high = words.loadUnaligned(fromByteOffset: row &* 16 &+ 8, as: UInt64.self)
          body(row, ValueHash.of(low ^ ValueHash.of(high)))
        }
      default: return false
      }
    case .binary(4): if let texts = OffsetTexts<Int32>(array) { each(texts) }
    case .binary: if let texts = OffsetTexts<Int64>(array) { each(texts) }
    case .view: if let texts = ViewTexts(array) { each(texts) }
    default: return false
    }
    return true
  }

  @inline(__always)
  private func eachRow(_ body: (Int) -> Void) {
    eachWord { rows, valid in
      var rest = valid
      while rest != 0 {
        body(rows.lowerBound &+ rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
  }
}

/// Hashes whose bits all depend on all of the value's.
private enum ValueHash {
  /// The finish of SplitMix64 (Steele et al. 2014).
  @inline(__always)
  static func of(_ value: UInt64) -> UInt64 {
    var hash = value &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }

  /// One for all NaN, and for both zeroes.
  @inline(__always)
  static func of(_ value: Double) -> UInt64 { of((value != value ? .nan : value == 0 ? 0 : value).bitPattern) }

  @inline(__always)
  static func of(_ text: TextValue) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: text.count)
    var position = 0
    while position &+ 8 <= text.count {
      hash = of(hash ^ text.start.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position &+= 8
    }
    var rest: UInt64 = 0
    while position < text.count {
      rest = rest << 8 | UInt64(text.start.load(fromByteOffset: position, as: UInt8.self))
      position &+= 1
    }
    return of(hash ^ rest)
  }
}
