import CArrow
import Glibc
import Primitives

extension RecordBatch {
  /// The rows of these numbers, in memory of their own; where there is no number, a row of nulls. Offsets of texts get the width that `schema` says.
  ///
  /// Throws `.memoryLimit` where the system has no memory or texts are longer than the offsets can say, `.query` where there is no such row.
  public convenience init(taking numbers: RowNumbers, of rows: NumberedRows, schema: Schema, in room: TakingRoom) throws(CacheError) {
    let places = try RowPlaces(numbers, rows, room)
    let sizes = schema.fields.enumerated().map { index, field in Self.takenBytes(rows, column: index, field, numbers.count) }
    let memory = CopyMemory(expectedBytes: sizes.reduce(0, +), wantsHugePages: false)
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, schema.fields.count))
    do throws(CacheError) {
      for (index, field) in schema.fields.enumerated() {
        (columns + index).initialize(to: try ColumnTaking(places: places, rows: rows, column: index, memory: memory).column(field))
      }
    } catch {
      columns.deallocate()
      throw error
    }
    self.init(schema: schema, rowCount: numbers.count, columns: columns, owners: schema.fields.map { _ in ColumnInShared(memory) })
  }

  /// What a column of the result takes, where texts are as long as they are on average.
  private static func takenBytes(_ rows: NumberedRows, column: Int, _ field: Field, _ count: Int) -> Int {
    let width: Int
    switch field.layout {
    case .fixed(let bytes): width = bytes
    case .binary(let bytes):
      let total = rows.slices.reduce(0) { $0 + ($1.batch.textEnd(column) ?? 0) - ($1.batch.textStart(column) ?? 0) }
      let batchRows = rows.slices.reduce(1) { $0 + $1.batch.rowCount }
      width = bytes + 1 + total / batchRows
    default: width = 1
    }
    return (count + 1) * width + count / 8 + 6 * CopyMemory.alignment
  }

  /// Where the bytes of the column's texts begin and end in their buffer.
  fileprivate func textStart(_ column: Int) -> Int? { textOffset(column, 0) }
  fileprivate func textEnd(_ column: Int) -> Int? { textOffset(column, rowCount) }

  private func textOffset(_ column: Int, _ row: Int) -> Int? {
    let node = self.column(column).pointee
    guard case .binary(let width) = schema.fields[column].layout, let data = node.buffer(1) else { return nil }
    let place = data + (node.start + row) * width
    return width == 4 ? Int(place.loadUnaligned(as: Int32.self)) : Int(place.loadUnaligned(as: Int64.self))
  }
}

/// Memory that is needed while rows are taken, for one thread: allocated once, since the system gives large pieces anew each time.
public final class TakingRoom {
  fileprivate let slices: UnsafeMutablePointer<UInt16>
  fileprivate let rows: UnsafeMutablePointer<UInt32>
  fileprivate let texts: UnsafeMutablePointer<UnsafeRawPointer>
  fileprivate let count: Int

  /// For up to so many rows at once.
  public init(rowCount: Int) {
    count = max(1, rowCount)
    (slices, rows, texts) = (.allocate(capacity: count), .allocate(capacity: count), .allocate(capacity: count))
  }

  deinit {
    slices.deallocate()
    rows.deallocate()
    texts.deallocate()
  }
}

/// Where rows lie: for each the slice and the row of it.
private struct RowPlaces {
  let count: Int
  let numbers: RowNumbers
  let hasNulls: Bool
  let room: TakingRoom

  var slices: UnsafeMutablePointer<UInt16> { room.slices }
  var rows: UnsafeMutablePointer<UInt32> { room.rows }

  init(_ numbers: RowNumbers, _ table: NumberedRows, _ room: TakingRoom) throws(CacheError) {
    guard numbers.count <= room.count else { throw CacheError(.argument, "room for \(room.count) rows, not for \(numbers.count)") }
    (self.numbers, count, hasNulls, self.room) = (numbers, numbers.count, numbers.hasNulls, room)
    for index in 0..<count {
      if hasNulls, numbers.isNull(index) {
        (slices[index], rows[index]) = (0, 0)
        continue
      }
      guard let (slice, row) = table.find(numbers[index]) else {
        throw CacheError(.query, "row \(numbers[index]) is none of the \(table.count) rows")
      }
      (slices[index], rows[index]) = (UInt16(truncatingIfNeeded: slice), UInt32(truncatingIfNeeded: row))
    }
  }
}

/// Takes the rows of one column.
private struct ColumnTaking {
  let places: RowPlaces
  let rows: NumberedRows
  let column: Int
  let memory: CopyMemory

  private var count: Int { places.count }

  func column(_ field: Field) throws(CacheError) -> ArrowArray {
    var node = try memory.node(bufferCount: field.layout.bufferCount, childCount: 0)
    node.length = Int64(count)
    try takeValidity(into: &node)
    switch field.layout {
    case .bits: node.buffers?[1] = try bits(sources(1))
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

  /// A buffer of each slice, with the element in it that is the slice's first row.
  private func sources(_ buffer: Int) -> [(data: UnsafeRawPointer, start: Int)?] {
    rows.slices.map { slice in
      let node = slice.batch.column(column).pointee
      if buffer == 0, node.null_count == 0 { return nil }
      return node.buffer(buffer).map { ($0, node.start + slice.offset) }
    }
  }

  private func takeValidity(into node: inout ArrowArray) throws(CacheError) {
    let sources = sources(0)
    guard places.hasNulls || sources.contains(where: { $0 != nil }) else { return }
    let bitmap = try bits(sources)
    let nulls = count - countOnes(bitmap, from: 0, count: count)
    node.null_count = Int64(nulls)
    if nulls > 0 { node.buffers?[0] = bitmap }
  }

  /// Bits of the rows: ones where a slice has none, zeroes where there is no row.
  private func bits(_ sources: [(data: UnsafeRawPointer, start: Int)?]) throws(CacheError) -> UnsafeRawPointer {
    let target = try memory.buffer(byteCount: (count + 63) / 64 * 8).assumingMemoryBound(to: UInt64.self)
    let hasBits = sources.contains { $0 != nil }
    for first in stride(from: 0, to: count, by: 64) {
      let width = min(64, count - first)
      var word = places.numbers.validity.map { loadBits($0.bits, from: $0.start + first, count: width) } ?? UInt64.max
      if width < 64 { word &= 1 << UInt64(width) - 1 }
      if hasBits {
        for place in 0..<width {
          guard let (data, start) = sources[Int(places.slices[first + place])] else { continue }
          let bit = start &+ Int(places.rows[first + place])
          let isSet = data.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(truncatingIfNeeded: bit & 7) & 1
          word &= ~(UInt64(isSet ^ 1) << UInt64(place))
        }
      }
      target[first >> 6] = word
    }
    return UnsafeRawPointer(target)
  }

  /// Where the values of each slice begin.
  private func starts(width: Int) throws(CacheError) -> [UnsafeRawPointer] {
    try sources(1).map { (source) throws(CacheError) in
      guard let source else { throw CacheError(.query, "column '\(rows.slices[0].batch.schema.fields[column].name)' has no values") }
      return source.data + source.start * width
    }
  }

  private func values<Value: BitwiseCopyable>(_: Value.Type) throws(CacheError) -> UnsafeRawPointer {
    let width = MemoryLayout<Value>.stride
    let target = try memory.buffer(byteCount: count * width)
    let place = target.assumingMemoryBound(to: Value.self)
    let (slices, rows) = (places.slices, places.rows)
    try starts(width: width).withUnsafeBufferPointer { starts in
      for index in 0..<count {
        place[index] = starts[Int(slices[index])].loadUnaligned(fromByteOffset: Int(rows[index]) &* width, as: Value.self)
      }
    }
    return UnsafeRawPointer(target)
  }

  private func texts<Target: FixedWidthInteger>(_: Target.Type, into target: ArrowArray) throws(CacheError) {
    guard case .binary(let width) = rows.slices[0].batch.schema.fields[column].layout else {
      throw CacheError(.type, "column '\(rows.slices[0].batch.schema.fields[column].name)' is no text")
    }
    let offsets = try memory.buffer(byteCount: (count + 1) * MemoryLayout<Target>.stride).assumingMemoryBound(to: Target.self)
    let texts = places.room.texts
    let total = width == 4 ? try measure(Int32.self, texts, offsets) : try measure(Int64.self, texts, offsets)
    guard total <= Int(Target.max) else {
      throw CacheError(.memoryLimit, "column '\(rows.slices[0].batch.schema.fields[column].name)' has \(total) bytes of text in \(count) rows: select fewer rows")
    }
    target.buffers?[1] = UnsafeRawPointer(offsets)
    guard total > 0 else {
      target.buffers?[2] = CopyMemory.empty
      return
    }
    let bytes = try memory.buffer(byteCount: total + Self.wide)
    target.buffers?[2] = UnsafeRawPointer(bytes)
    copy(texts, offsets, to: bytes)
  }

  /// Texts up to this length are copied at once, with what follows them.
  private static var wide: Int { MemoryLayout<UInt128>.size }
  /// So many texts ahead are called for.
  private static var ahead: Int { 12 }

  /// Finds the texts and adds up how long they are.
  private func measure<Offset: FixedWidthInteger, Target: FixedWidthInteger>(
    _: Offset.Type, _ texts: UnsafeMutablePointer<UnsafeRawPointer>, _ target: UnsafeMutablePointer<Target>
  ) throws(CacheError) -> Int {
    let width = MemoryLayout<Offset>.stride
    let data = rows.slices.map { $0.batch.column(column).pointee.buffer(2) ?? CopyMemory.empty }
    let (slices, rows) = (places.slices, places.rows)
    var total = 0
    target[0] = 0
    try starts(width: width).withUnsafeBufferPointer { starts in
      data.withUnsafeBufferPointer { data in
        for index in 0..<count {
          let slice = Int(slices[index])
          let place = starts[slice] + Int(rows[index]) &* width
          let first = Int(place.loadUnaligned(as: Offset.self))
          let isNull = places.hasNulls && places.numbers.isNull(index)
          total &+= isNull ? 0 : Int(place.loadUnaligned(fromByteOffset: width, as: Offset.self)) &- first
          texts[index] = data[slice] + first
          // What does not fit is found by the total.
          target[index &+ 1] = Target(truncatingIfNeeded: total)
        }
      }
    }
    return total
  }

  private func copy<Target: FixedWidthInteger>(
    _ texts: UnsafeMutablePointer<UnsafeRawPointer>, _ offsets: UnsafeMutablePointer<Target>, to bytes: UnsafeMutableRawPointer
  ) {
    let ends = rows.slices.map { ($0.batch.column(column).pointee.buffer(2) ?? CopyMemory.empty) + ($0.batch.textEnd(column) ?? 0) - Self.wide }
    let slices = places.slices
    ends.withUnsafeBufferPointer { ends in
      for index in 0..<count {
        if index &+ Self.ahead < count { prefetch_bytes(texts[index &+ Self.ahead], 1) }
        let start = Int(offsets[index])
        let length = Int(offsets[index &+ 1]) &- start
        if length <= Self.wide, texts[index] <= ends[Int(slices[index])] {
          (bytes + start).storeBytes(of: texts[index].loadUnaligned(as: UInt128.self), as: UInt128.self)
        } else {
          memcpy(bytes + start, texts[index], length)
        }
      }
    }
  }
}
