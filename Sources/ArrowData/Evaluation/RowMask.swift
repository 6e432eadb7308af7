/// Which of a number of rows are wanted, a bit each.
public struct RowMask: ~Copyable {
  public let count: Int
  /// Bits beyond the rows are zero.
  let words: UnsafeMutablePointer<UInt64>
  let wordCount: Int

  /// All of `count` rows, or none of them.
  public init(count: Int, isFull: Bool) {
    self.count = max(0, count)
    wordCount = (self.count + 63) >> 6
    words = .allocate(capacity: max(1, wordCount))
    words.initialize(repeating: isFull ? .max : 0, count: max(1, wordCount))
    if isFull, self.count & 63 != 0 { words[wordCount - 1] = 1 << UInt64(self.count & 63) - 1 }
    if self.count == 0 { words[0] = 0 }
  }

  deinit { words.deallocate() }

  public func copy() -> RowMask {
    let copy = RowMask(count: count, isFull: false)
    copy.words.update(from: words, count: wordCount)
    return copy
  }

  public var isEmpty: Bool {
    for index in 0..<wordCount where words[index] != 0 { return false }
    return true
  }

  /// How many rows are wanted.
  public var population: Int {
    var sum = 0
    for index in 0..<wordCount { sum += words[index].nonzeroBitCount }
    return sum
  }

  public subscript(row: Int) -> Bool { row >= 0 && row < count && words[row >> 6] >> UInt64(row & 63) & 1 == 1 }

  public mutating func formUnion(_ other: borrowing RowMask) {
    for index in 0..<min(wordCount, other.wordCount) { words[index] |= other.words[index] }
  }

  public mutating func formIntersection(_ other: borrowing RowMask) {
    for index in 0..<min(wordCount, other.wordCount) { words[index] &= other.words[index] }
  }

  /// Marks a range of rows.
  public mutating func insert(_ rows: Range<Int>) {
    let rows = rows.clamped(to: 0..<count)
    var row = rows.lowerBound
    while row < rows.upperBound {
      let width = min(64 - row & 63, rows.upperBound - row)
      words[row >> 6] |= (width == 64 ? .max : 1 << UInt64(width) - 1) << UInt64(row & 63)
      row += width
    }
  }

  /// Marks the rows of another mask, the first of which is row `first` here.
  public mutating func insert(_ other: borrowing RowMask, at first: Int) {
    guard first >= 0, other.count <= count - first else { return }
    if first & 63 == 0 {
      for index in 0..<other.wordCount { words[first >> 6 + index] |= other.words[index] }
    } else {
      for row in other.rows() { insert(first + Int(row)..<first + Int(row) + 1) }
    }
  }

  /// Marks the rows whose bits `bits()` has given.
  public mutating func insert(bits: [UInt64]) {
    for index in 0..<min(wordCount, bits.count) { words[index] |= bits[index] }
  }

  /// A bit for each row, the lowest first.
  public func bits() -> [UInt64] { Array(UnsafeBufferPointer(start: words, count: wordCount)) }

  /// The first row and the end of each stretch of neighbours, one after the other.
  public func runs() -> [UInt32] {
    var runs: [UInt32] = []
    runs.reserveCapacity(2 * runCount)
    var carry: UInt64 = 0
    for index in 0..<wordCount {
      // Ones where a row differs from the one before.
      var edges = words[index] ^ (words[index] << 1 | carry)
      carry = words[index] >> 63
      while edges != 0 {
        runs.append(UInt32(truncatingIfNeeded: index << 6 + edges.trailingZeroBitCount))
        edges &= edges - 1
      }
    }
    if runs.count & 1 == 1 { runs.append(UInt32(truncatingIfNeeded: count)) }
    return runs
  }

  /// The wanted rows in order.
  public func rows() -> [UInt32] {
    let population = population
    return [UInt32](unsafeUninitializedCapacity: population) { buffer, written in
      guard let target = buffer.baseAddress else { return }
      var at = 0
      for index in 0..<wordCount {
        var word = words[index]
        while word != 0 {
          target[at] = UInt32(truncatingIfNeeded: index << 6 + word.trailingZeroBitCount)
          at += 1
          word &= word - 1
        }
      }
      written = at
    }
  }

  /// How many stretches of neighbours the wanted rows make.
  public var runCount: Int {
    var runs = 0
    var carry: UInt64 = 0
    for index in 0..<wordCount {
      let word = words[index]
      runs += (word & ~(word << 1 | carry)).nonzeroBitCount
      carry = word >> 63
    }
    return runs
  }

  // MARK: narrowing

  /// Rows whose tests are made at once.
  static let stretch = 2048

  /// Keeps of the wanted rows those that pass; `test` must be cheap and may be asked of every row. `isNegated` keeps the others.
  ///
  /// - Parameter share: where fewer than one of so many rows are wanted, the others are not looked at.
  mutating func narrow<Test: RowTest>(_ test: Test, isNegated: Bool = false, share: Int = 8) {
    let flip: UInt64 = isNegated ? .max : 0
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.stretch)
    defer { bytes.deallocate() }
    var start = 0
    while start < count {
      let length = min(Self.stretch, count &- start)
      defer { start &+= length }
      let first = start >> 6
      let wordCount = (length &+ 63) >> 6
      var wanted = 0
      for index in 0..<wordCount { wanted &+= words[first &+ index].nonzeroBitCount }
      if wanted == 0 { continue }
      if wanted &* share < length {
        narrowOneByOne(first..<(first &+ wordCount), flip, test)
        continue
      }
      for row in 0..<length { bytes[row] = test.passes(start &+ row) ? 1 : 0 }
      if length & 63 != 0 { for row in length..<(wordCount &* 64) { bytes[row] = 0 } }
      let groups = UnsafeRawPointer(bytes)
      for index in 0..<wordCount {
        var word: UInt64 = 0
        for byte in 0..<8 {
          // Eight bytes of 0 or 1 become eight bits.
          let eight = groups.loadUnaligned(fromByteOffset: index &* 64 &+ byte &* 8, as: UInt64.self)
          word |= ((eight &* 0x0102_0408_1020_4080) >> 56) << UInt64(truncatingIfNeeded: byte &* 8)
        }
        words[first &+ index] &= word ^ flip
      }
    }
  }

  /// The same for tests that cost more, which are made of wanted rows only.
  mutating func narrowOneByOne<Test: RowTest>(_ test: Test) { narrowOneByOne(0..<wordCount, 0, test) }

  @inline(__always)
  private mutating func narrowOneByOne<Test: RowTest>(_ range: Range<Int>, _ flip: UInt64, _ test: Test) {
    for index in range {
      var rest = words[index]
      var kept: UInt64 = 0
      while rest != 0 {
        let bit = rest & (0 &- rest)
        kept |= test.passes(index &* 64 &+ rest.trailingZeroBitCount) ? bit : 0
        rest &= rest &- 1
      }
      words[index] &= kept ^ flip
    }
  }

  /// Keeps the rows whose bit is set in a bitmap, from bit `first` on; or those whose bit is not.
  mutating func narrow(bits: UnsafeRawPointer, first: Int, isNegated: Bool = false) {
    let flip: UInt64 = isNegated ? .max : 0
    for index in 0..<wordCount where words[index] != 0 {
      words[index] &= loadBits(bits, from: first + index << 6, count: min(64, count - index << 6)) ^ flip
    }
  }

  mutating func removeAll() { words.update(repeating: 0, count: max(1, wordCount)) }
}
