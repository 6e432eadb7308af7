import CArrow
import Primitives

/// Values of the engine's own as a column: what a table is made of that no producer delivers.
public enum ColumnValues: Sendable {
  case int64([Int64?])
  case double([Double?])
  case bool([Bool?])
  case text([String?])
  /// Seconds since 1970, kept as microseconds in UTC. What is not finite or too far away is null.
  case timestamp([Double?])

  public var count: Int {
    switch self {
    case .int64(let values): values.count
    case .double(let values): values.count
    case .bool(let values): values.count
    case .text(let values): values.count
    case .timestamp(let values): values.count
    }
  }

  /// The Arrow format of the column.
  public var format: String {
    switch self {
    case .int64: "l"
    case .double: "g"
    case .bool: "b"
    case .text: "U"
    case .timestamp: "tsu:UTC"
    }
  }
}

extension RecordBatch {
  /// A batch of named columns, all of the same length.
  public convenience init(columns given: [(name: String, values: ColumnValues)]) throws(CacheError) {
    let rowCount = given.first?.values.count ?? 0
    guard given.allSatisfy({ $0.values.count == rowCount }) else {
      throw CacheError(.argument, "the columns have \(given.map { "\($0.values.count)" }.joined(separator: ", ")) values: all need as many")
    }
    let schema = Schema(fields: try given.map { (column) throws(CacheError) in try Field(name: column.name, format: column.values.format) })
    let memory = CopyMemory(expectedBytes: 0)
    let nodes = try given.map { (column) throws(CacheError) in try column.values.node(memory) }
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, nodes.count))
    for (index, node) in nodes.enumerated() { (columns + index).initialize(to: node) }
    self.init(schema: schema, rowCount: rowCount, columns: columns, owners: nodes.map { _ in memory })
  }
}

extension ColumnValues {
  fileprivate func node(_ memory: CopyMemory) throws(CacheError) -> ArrowArray {
    switch self {
    case .int64(let values): try fixed(values, memory)
    case .double(let values): try fixed(values, memory)
    case .timestamp(let values): try fixed(values.map { $0.flatMap { Int64(exactly: ($0 * 1e6).rounded()) } }, memory)
    case .bool(let values): try assemble(values.map { $0 != nil }, [try bitmap(values.map { $0 ?? false }, memory)], memory)
    case .text(let values): try text(values, memory)
    }
  }

  private func fixed<Value: Numeric & BitwiseCopyable>(_ values: [Value?], _ memory: CopyMemory) throws(CacheError) -> ArrowArray {
    let buffer = try memory.buffer(byteCount: values.count * MemoryLayout<Value>.stride)
    for (row, value) in values.enumerated() {
      buffer.storeBytes(of: value ?? .zero, toByteOffset: row * MemoryLayout<Value>.stride, as: Value.self)
    }
    return try assemble(values.map { $0 != nil }, [UnsafeRawPointer(buffer)], memory)
  }

  private func text(_ values: [String?], _ memory: CopyMemory) throws(CacheError) -> ArrowArray {
    let offsets = try memory.buffer(byteCount: (values.count + 1) * 8)
    let bytes = try memory.buffer(byteCount: values.reduce(0) { $0 + ($1?.utf8.count ?? 0) })
    var end = 0
    offsets.storeBytes(of: 0, as: Int64.self)
    for (row, value) in values.enumerated() {
      if var value {
        value.withUTF8 { text in
          if let start = text.baseAddress { (bytes + end).copyMemory(from: start, byteCount: text.count) }
          end += text.count
        }
      }
      offsets.storeBytes(of: Int64(end), toByteOffset: (row + 1) * 8, as: Int64.self)
    }
    return try assemble(values.map { $0 != nil }, [UnsafeRawPointer(offsets), UnsafeRawPointer(bytes)], memory)
  }

  private func bitmap(_ bits: [Bool], _ memory: CopyMemory) throws(CacheError) -> UnsafeRawPointer {
    let bytes = try memory.zeroed(UInt8.self, count: (bits.count + 7) / 8)
    for (row, bit) in bits.enumerated() where bit { bytes[row >> 3] |= 1 << UInt8(row & 7) }
    return UnsafeRawPointer(bytes)
  }

  private func assemble(_ validity: [Bool], _ values: [UnsafeRawPointer], _ memory: CopyMemory) throws(CacheError) -> ArrowArray {
    let nullCount = validity.count { !$0 }
    let buffers = try memory.zeroed(UnsafeRawPointer?.self, count: 1 + values.count)
    buffers[0] = nullCount == 0 ? nil : try bitmap(validity, memory)
    for (index, buffer) in values.enumerated() { buffers[1 + index] = buffer }
    return ArrowArray(
      length: Int64(validity.count), null_count: Int64(nullCount), offset: 0, n_buffers: Int64(1 + values.count), n_children: 0,
      buffers: buffers, children: nil, dictionary: nil, release: nil, private_data: nil)
  }
}
