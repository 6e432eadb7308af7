import CArrow
import Glibc
import Primitives

/// Rows of a batch that are wanted: `count` of them in a row, or those that are picked.
public struct RowSource: @unchecked Sendable {
  public let batch: RecordBatch
  /// The first row, from which picks are counted.
  public let offset: Int
  public let count: Int
  /// Numbers of rows, from which `base` is taken; nil: all. Whoever makes the source keeps the memory.
  let picks: UnsafePointer<UInt32>?
  let base: UInt32

  public init(_ batch: RecordBatch, offset: Int, count: Int, picks: UnsafePointer<UInt32>? = nil, base: UInt32 = 0) {
    (self.batch, self.offset, self.count, self.picks, self.base) = (batch, offset, count, picks, base)
  }

  @inline(__always)
  fileprivate func row(_ index: Int) -> Int { offset &+ (picks.map { Int($0[index] &- base) } ?? index) }
}

extension Field {
  /// Whether rows of the field can be brought together one by one.
  public var isGathered: Bool {
    guard dictionary == nil else { return false }
    return switch layout {
    case .bits, .binary: true
    case .fixed(let width): [1, 2, 4, 8, 16].contains(width)
    default: false
    }
  }
}

extension RecordBatch {
  /// Columns of batches side by side, zero copy: of each batch from a row of its own.
  public convenience init(sideBySide columns: [(batch: RecordBatch, column: Int, offset: Int)], rowCount: Int, schema: Schema) {
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columns.count))
    for (index, (batch, column, offset)) in columns.enumerated() {
      var node = batch.column(column).pointee
      let start = node.start + offset
      node.null_count = node.nullCount(from: start, count: rowCount, layout: schema.fields[index].layout)
      (node.offset, node.length) = (Int64(start), Int64(rowCount))
      (nodes + index).initialize(to: node)
    }
    self.init(schema: schema, rowCount: rowCount, columns: nodes, owners: columns.map { $0.batch.owner($0.column) })
  }

  /// The rows of these sources, one after the other, in memory of their own. Offsets of texts get the width that `schema` says.
  ///
  /// Throws `.memoryLimit` where the system has no memory or texts are longer than the offsets can say.
  public convenience init(gathering sources: [RowSource], schema: Schema) throws(CacheError) {
    let count = sources.reduce(0) { $0 + $1.count }
    let memory = CopyMemory(expectedBytes: schema.fields.reduce(0) { $0 + Self.expectedBytes($1, count) }, wantsHugePages: false)
    var nodes: [ArrowArray] = []
    for (index, field) in schema.fields.enumerated() {
      nodes.append(try ColumnGathering(sources: sources, column: index, count: count, memory: memory).column(field))
    }
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, nodes.count))
    for (index, node) in nodes.enumerated() { (columns + index).initialize(to: node) }
    self.init(schema: schema, rowCount: count, columns: columns, owners: nodes.map { _ in ColumnInShared(memory) })
  }

  /// All but texts themselves, which come in blocks of their own.
  private static func expectedBytes(_ field: Field, _ count: Int) -> Int {
    let width = switch field.layout {
    case .fixed(let width): width
    case .binary(let width): width
    default: 1
    }
    return (count + 1) * width + count / 8 + 4 * CopyMemory.alignment
  }
}

/// Brings the rows of one column together.
private struct ColumnGathering {
  let sources: [RowSource]
  let column: Int
  let count: Int
  let memory: CopyMemory

  func column(_ field: Field) throws(CacheError) -> ArrowArray {
    var node = try memory.node(bufferCount: field.layout.bufferCount, childCount: 0)
    node.length = Int64(count)
    try gatherValidity(into: &node)
    switch field.layout {
    case .bits:
      node.buffers?[1] = try bits { source, node in node.buffer(1).map { ($0, node.start) } }
    case .fixed(1): node.buffers?[1] = try values(UInt8.self)
    case .fixed(2): node.buffers?[1] = try values(UInt16.self)
    case .fixed(4): node.buffers?[1] = try values(UInt32.self)
    case .fixed(8): node.buffers?[1] = try values(UInt64.self)
    case .fixed(16): node.buffers?[1] = try values(UInt128.self)
    case .binary(4): try texts(Int32.self, into: node)
    case .binary(8): try texts(Int64.self, into: node)
    default: throw CacheError(.type, "rows of Arrow format '\(field.format)' are not brought together one by one")
    }
    return node
  }

  private func node(_ source: RowSource) -> ArrowArray { source.batch.column(column).pointee }

  private func gatherValidity(into node: inout ArrowArray) throws(CacheError) {
    guard sources.contains(where: { self.node($0).null_count != 0 && self.node($0).buffer(0) != nil }) else { return }
    let bitmap = try bits { _, node in node.null_count == 0 ? nil : node.buffer(0).map { ($0, node.start) } }
    let nulls = count - countOnes(bitmap, from: 0, count: count)
    node.null_count = Int64(nulls)
    if nulls > 0 { node.buffers?[0] = bitmap }
  }

  /// Bits of the sources; ones where a source has none.
  private func bits(
    _ find: (RowSource, ArrowArray) -> (bits: UnsafeRawPointer, start: Int)?
  ) throws(CacheError) -> UnsafeRawPointer {
    // A word is written at any bit, with what it spills over into the next.
    let byteCount = (count + 7) >> 3 + 16
    let target = try memory.buffer(byteCount: byteCount)
    memset(target, 0, byteCount)
    var position = 0
    for source in sources {
      let found = find(source, node(source))
      var index = 0
      while index < source.count {
        let width = min(64, source.count - index)
        var word = UInt64.max
        if let (bits, start) = found {
          if source.picks == nil {
            word = loadBits(bits, from: start + source.row(index), count: width)
          } else {
            word = 0
            for place in 0..<width {
              let bit = start &+ source.row(index &+ place)
              word |= UInt64(bits.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: bit & 7) & 1) << UInt64(place)
            }
          }
        }
        Self.write(width == 64 ? word : word & (1 << UInt64(width) - 1), at: position, to: target)
        index += width
        position += width
      }
    }
    return UnsafeRawPointer(target)
  }

  private static func write(_ word: UInt64, at bit: Int, to target: UnsafeMutableRawPointer) {
    let place = target + bit >> 3
    let shift = UInt64(bit & 7)
    place.storeBytes(of: place.loadUnaligned(as: UInt64.self) | word << shift, as: UInt64.self)
    if shift > 0 { (place + 8).storeBytes(of: UInt8(truncatingIfNeeded: word >> (64 - shift)), as: UInt8.self) }
  }

  private func values<Value: BitwiseCopyable>(_: Value.Type) throws(CacheError) -> UnsafeRawPointer {
    let width = MemoryLayout<Value>.stride
    let target = try memory.buffer(byteCount: count * width)
    var place = target.assumingMemoryBound(to: Value.self)
    for source in sources where source.count > 0 {
      let node = node(source)
      if let data = node.buffer(1) {
        let values = data + (node.start + source.offset) * width
        if let picks = source.picks {
          for index in 0..<source.count {
            place[index] = values.loadUnaligned(fromByteOffset: Int(picks[index] &- source.base) &* width, as: Value.self)
          }
        } else {
          memcpy(place, values, source.count * width)
        }
      } else {
        memset(place, 0, source.count * width)
      }
      place += source.count
    }
    return UnsafeRawPointer(target)
  }

  private func texts<Target: FixedWidthInteger>(_: Target.Type, into target: ArrowArray) throws(CacheError) {
    let offsets = try memory.buffer(byteCount: (count + 1) * MemoryLayout<Target>.stride).assumingMemoryBound(to: Target.self)
    offsets[0] = 0
    var position = 0
    var total = 0
    for source in sources {
      let width = try offsetWidth(source)
      total = width == 4
        ? measure(Int32.self, source, from: total, to: offsets + position + 1) : measure(Int64.self, source, from: total, to: offsets + position + 1)
      position += source.count
    }
    guard total <= Int(Target.max) else {
      throw CacheError(.memoryLimit, "column '\(sources[0].batch.schema.fields[column].name)' has \(total) bytes of text in \(count) rows: select fewer rows")
    }
    target.buffers?[1] = UnsafeRawPointer(offsets)
    guard total > 0 else {
      target.buffers?[2] = CopyMemory.empty
      return
    }
    let bytes = try memory.buffer(byteCount: total)
    target.buffers?[2] = UnsafeRawPointer(bytes)
    position = 0
    for source in sources {
      if try offsetWidth(source) == 4 {
        copy(Int32.self, source, offsets + position, to: bytes)
      } else {
        copy(Int64.self, source, offsets + position, to: bytes)
      }
      position += source.count
    }
  }

  private func offsetWidth(_ source: RowSource) throws(CacheError) -> Int {
    guard case .binary(let width) = source.batch.schema.fields[column].layout else {
      throw CacheError(.type, "column '\(source.batch.schema.fields[column].name)' is no text")
    }
    return width
  }

  private func measure<Offset: FixedWidthInteger, Target: FixedWidthInteger>(
    _: Offset.Type, _ source: RowSource, from total: Int, to target: UnsafeMutablePointer<Target>
  ) -> Int {
    var total = total
    let node = node(source)
    guard let data = node.buffer(1) else {
      for index in 0..<source.count { target[index] = Target(truncatingIfNeeded: total) }
      return total
    }
    let offsets = data.assumingMemoryBound(to: Offset.self) + node.start
    for index in 0..<source.count {
      let row = source.row(index)
      total &+= Int(offsets[row &+ 1] &- offsets[row])
      // What does not fit is found by the total.
      target[index] = Target(truncatingIfNeeded: total)
    }
    return total
  }

  private func copy<Offset: FixedWidthInteger, Target: FixedWidthInteger>(
    _: Offset.Type, _ source: RowSource, _ places: UnsafePointer<Target>, to target: UnsafeMutableRawPointer
  ) {
    let node = node(source)
    guard let data = node.buffer(1), let bytes = node.buffer(2) else { return }
    let offsets = data.assumingMemoryBound(to: Offset.self) + node.start
    guard source.picks != nil else {
      let (first, last) = (Int(offsets[source.offset]), Int(offsets[source.offset + source.count]))
      memcpy(target + Int(places[0]), bytes + first, last - first)
      return
    }
    for index in 0..<source.count {
      let row = source.row(index)
      let first = Int(offsets[row])
      memcpy(target + Int(places[index]), bytes + first, Int(offsets[row &+ 1]) &- first)
    }
  }
}
