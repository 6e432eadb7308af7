import Primitives

/// What the metadata of a record batch says: its nodes, and where in its body its buffers are.
struct IPCBatchHeader {
  let rowCount: Int
  let compression: IPCCompression
  private let nodes: FlatVector
  private let buffers: FlatVector
  private let variadicCounts: FlatVector
  private let body: UnsafeRawBufferPointer
  private let checksums: ArraySlice<UInt32>?

  var bufferCount: Int { buffers.count }

  init(_ table: FlatTable, _ body: UnsafeRawBufferPointer, checksums: ArraySlice<UInt32>?) throws(CacheError) {
    (self.body, self.checksums) = (body, checksums)
    rowCount = try table.int(0, Int64.self)
    guard (0...Self.maximumLength).contains(rowCount) else { throw damaged("it has a batch of \(rowCount) rows") }
    nodes = try table.vector(1, stride: 16)
    buffers = try table.vector(2, stride: 16)
    variadicCounts = try table.vector(4, stride: 8)
    if let codec = try table.table(3) {
      guard try codec.int(1, UInt8.self) == 0, let known = IPCCompression(flatNumber: try codec.int(0, UInt8.self)) else {
        throw CacheError(.type, "it is compressed in a way that is not known: write it with LZ4 or ZSTD")
      }
      compression = known
    } else {
      compression = .none
    }
    if let checksums, checksums.count != buffers.count {
      throw damaged("it has \(checksums.count) checksums for \(buffers.count) buffers")
    }
  }

  /// Lengths beyond this are taken for damage; products with a value's width then cannot overflow for any real width.
  private static let maximumLength = 1 << 48

  func node(_ index: Int) throws(CacheError) -> (length: Int, nullCount: Int) {
    let length = try nodes.int(index, Int64.self)
    let nullCount = try nodes.int(index, offset: 8, Int64.self)
    guard (0...Self.maximumLength).contains(length), (0...length).contains(nullCount) else {
      throw damaged("it has an array of \(length) values with \(nullCount) nulls")
    }
    return (length, nullCount)
  }

  /// A buffer as it is stored.
  func buffer(_ index: Int) throws(CacheError) -> UnsafeRawBufferPointer {
    let offset = try buffers.int(index, Int64.self)
    let byteCount = try buffers.int(index, offset: 8, Int64.self)
    guard offset >= 0, byteCount >= 0, offset <= body.count, byteCount <= body.count - offset else {
      throw damaged("its buffer \(index) of \(byteCount) bytes at \(offset) lies beyond its body of \(body.count)")
    }
    return UnsafeRawBufferPointer(rebasing: body[offset..<(offset + byteCount)])
  }

  func variadicCount(_ view: Int) throws(CacheError) -> Int {
    let count = try variadicCounts.int(view, Int64.self)
    guard (0...buffers.count).contains(count) else { throw damaged("it has views with \(count) data buffers of \(buffers.count)") }
    return count
  }

  /// What comes before each column, and at the end what all of them take.
  func extents(_ fields: [NumberedField]) throws(CacheError) -> [IPCExtent] {
    var extents = [IPCExtent()]
    extents.reserveCapacity(fields.count + 1)
    var total = IPCExtent()
    for field in fields {
      for view in total.views..<(total.views + field.extent.views) { total.buffers += try variadicCount(view) }
      total += field.extent
      extents.append(total)
    }
    guard total.nodes <= nodes.count, total.buffers <= buffers.count else {
      throw damaged("it has a batch of \(nodes.count) nodes and \(buffers.count) buffers, its schema needs \(total.nodes) and \(total.buffers)")
    }
    return extents
  }

  /// The size of a stored buffer once it is decompressed; nil where it can be used as it is.
  func decompressedBytes(_ stored: UnsafeRawBufferPointer) throws(CacheError) -> Int? {
    guard compression != .none, stored.count > 0 else { return nil }
    let length = Int(try load(stored, 0, as: Int64.self))
    if length == -1 { return nil }
    guard length >= 0, length <= Decompressor.limitBytes(stored.count - 8, compression) else {
      throw damaged("it has a buffer of \(stored.count) bytes that says it holds \(length)")
    }
    return length
  }

  /// The bytes of a stored buffer that are values, or the frame that holds them.
  func content(_ stored: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    compression == .none || stored.count < 8 ? stored : UnsafeRawBufferPointer(rebasing: stored[8...])
  }

  /// Compares these buffers (nil: all) with their checksums, where there are some.
  func verify(_ chosen: [Int]? = nil, threads: Int) throws(CacheError) {
    guard let checksums else { return }
    try parallel(count: chosen?.count ?? bufferCount, threads: threads) { _, position throws(CacheError) in
      let index = chosen?[position] ?? position
      guard CRC32C(try buffer(index)).value == checksums[checksums.startIndex + index] else {
        throw damaged("its buffer \(index) has another checksum than its footer says")
      }
    }
  }
}
