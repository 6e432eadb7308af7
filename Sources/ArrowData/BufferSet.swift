import CArrow

/// One buffer behind an array: where it starts and how many of its bytes the array can reach.
public struct BufferSpan: Hashable, Sendable {
  public let address: UInt
  public let byteCount: Int

  public init(address: UInt, byteCount: Int) { (self.address, self.byteCount) = (address, byteCount) }
}

/// Distinct buffers by address, each with the most of its bytes that anything in the set can reach.
public struct BufferSet: Sendable {
  private var byteCounts: [UInt: Int] = [:]
  /// The bytes of all of them.
  public private(set) var totalBytes = 0

  public init() {}

  public var spans: [BufferSpan] { byteCounts.map { BufferSpan(address: $0.key, byteCount: $0.value) } }
  public var count: Int { byteCounts.count }

  public mutating func insert(_ span: BufferSpan) {
    guard span.byteCount > 0 else { return }
    let known = byteCounts[span.address] ?? 0
    guard span.byteCount > known else { return }
    byteCounts[span.address] = span.byteCount
    totalBytes = totalBytes.addingSaturated(span.byteCount - known)
  }

  /// Adds every buffer behind a batch, those of children and dictionaries included.
  public mutating func insert(_ batch: RecordBatch) {
    byteCounts.reserveCapacity(byteCounts.count + 2 * batch.columnCount)
    for (index, field) in batch.schema.fields.enumerated() { insert(field, batch.column(index).pointee) }
  }

  fileprivate mutating func insertDictionaries(_ field: Field, _ node: ArrowArray) {
    if let values = field.dictionary, let dictionary = node.dictionary { insert(values, dictionary.pointee) }
    for (index, field) in field.children.enumerated() { if let child = node.child(index) { insertDictionaries(field, child.pointee) } }
  }

  private mutating func insert(_ pointer: UnsafeRawPointer?, _ byteCount: Int) {
    if let pointer { insert(BufferSpan(address: UInt(bitPattern: pointer), byteCount: byteCount)) }
  }

  /// Adds the buffers of an array that has passed validation, up to its last value.
  private mutating func insert(_ field: Field, _ node: ArrowArray) {
    if node.count > 0 {
      let end = node.start + node.count
      let bitBytes = (end + 7) >> 3
      if field.layout.hasValidity { insert(node.buffer(0), bitBytes) }
      switch field.layout {
      case .null, .runs, .structure, .fixedList: break
      case .bits: insert(node.buffer(1), bitBytes)
      case .fixed(let width): insert(node.buffer(1), end * width)
      case .binary(let width):
        insert(node.buffer(1), (end + 1) * width)
        insert(node.buffer(2), node.valueOffset(end, width: width))
      case .view:
        insert(node.buffer(1), end * 16)
        for index in 0..<node.variadicCount { insert(node.buffer(2 + index), node.variadicSize(index)) }
        insert(node.buffer(node.bufferCount - 1), node.variadicCount * 8)
      case .list(let width): insert(node.buffer(1), (end + 1) * width)
      case .listView(let width):
        insert(node.buffer(1), end * width)
        insert(node.buffer(2), end * width)
      case .union(let isDense, _):
        insert(node.buffer(0), end)
        if isDense { insert(node.buffer(1), end * 4) }
      }
    }
    for (index, field) in field.children.enumerated() { if let child = node.child(index) { insert(field, child.pointee) } }
    if let values = field.dictionary, let dictionary = node.dictionary { insert(values, dictionary.pointee) }
  }
}

extension RecordBatch {
  /// The bytes of the distinct buffers of dictionaries, which rows share.
  public var dictionaryByteCount: Int {
    var set = BufferSet()
    for (index, field) in schema.fields.enumerated() { set.insertDictionaries(field, column(index).pointee) }
    return set.totalBytes
  }

  /// Every distinct buffer behind the batch. Costs a few steps a buffer, each time.
  public var buffers: [BufferSpan] {
    var set = BufferSet()
    set.insert(self)
    return set.spans
  }
}

extension Int {
  /// The sum, or the largest number where it does not fit.
  func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
