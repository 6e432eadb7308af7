import ArrowData
import CArrow

/// A value of an array, read the slow and obvious way, to compare what went in with what came out.
indirect enum Value: Hashable {
  case null
  case bit(Bool)
  case bytes([UInt8])
  case list([Value])
  case tagged(Int8, Value)

  /// Value `row` of an array.
  init(_ field: Field, _ array: UnsafePointer<ArrowArray>, _ row: Int) {
    self.init(field, array.pointee, at: Int(array.pointee.offset) + row)
  }

  /// All values of an array.
  static func all(_ field: Field, _ array: UnsafePointer<ArrowArray>) -> [Value] {
    (0..<Int(array.pointee.length)).map { Value(field, array, $0) }
  }

  /// Element `index` of the array's buffers.
  private init(_ field: Field, _ array: ArrowArray, at index: Int) {
    func child(_ number: Int, _ row: Int) -> Value {
      guard let node = array.children?[number] else { return .null }
      return Value(field.children[number], node, row)
    }
    func load<Number: FixedWidthInteger>(_ buffer: Int, _ index: Int, _: Number.Type) -> Int {
      guard let bytes = array.buffers?[buffer] else { return 0 }
      return Int(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: Number.self))
    }
    func offset(_ buffer: Int, _ index: Int, _ width: Int) -> Int {
      width == 4 ? load(buffer, index, Int32.self) : load(buffer, index, Int64.self)
    }
    func slice(_ buffer: Int, _ start: Int, _ count: Int) -> [UInt8] {
      count == 0 ? [] : (0..<count).map { UInt8(load(buffer, start + $0, UInt8.self)) }
    }
    switch field.layout {
    case .null, .runs, .union: break
    default:
      if array.null_count != 0, array.buffers?[0] != nil, load(0, index / 8, UInt8.self) >> (index % 8) & 1 == 0 {
        self = .null
        return
      }
    }
    if let dictionary = field.dictionary, let values = array.dictionary {
      let row = switch field.layout {
      case .fixed(byteWidth: 1): field.format == "c" ? load(1, index, Int8.self) : load(1, index, UInt8.self)
      case .fixed(byteWidth: 2): load(1, index, Int16.self)
      case .fixed(byteWidth: 4): load(1, index, Int32.self)
      default: load(1, index, Int64.self)
      }
      self = Value(dictionary, values, row)
      return
    }
    switch field.layout {
    case .null: self = .null
    case .bits: self = .bit(load(1, index / 8, UInt8.self) >> (index % 8) & 1 == 1)
    case .fixed(let width): self = .bytes(slice(1, index * width, width))
    case .binary(let width):
      let start = offset(1, index, width)
      self = .bytes(slice(2, start, offset(1, index + 1, width) - start))
    case .view:
      let count = load(1, index * 4, Int32.self)
      self = .bytes(count <= 12 ? slice(1, index * 16 + 4, count) : slice(2 + load(1, index * 4 + 2, Int32.self), load(1, index * 4 + 3, Int32.self), count))
    case .list(let width):
      let start = offset(1, index, width)
      self = .list((start..<offset(1, index + 1, width)).map { child(0, $0) })
    case .listView(let width):
      let start = offset(1, index, width)
      self = .list((start..<(start + offset(2, index, width))).map { child(0, $0) })
    case .fixedList(let count): self = .list((0..<count).map { child(0, index * count + $0) })
    case .structure: self = .list(field.children.indices.map { child($0, index) })
    case .union(let isDense, let ids):
      let id = Int8(load(0, index, Int8.self))
      let number = ids.firstIndex(of: id) ?? 0
      self = .tagged(id, child(number, isDense ? load(1, index, Int32.self) : index))
    case .runs:
      var run = 0
      while let ends = array.children?[0], Value.runEnd(field.children[0], ends, run) <= index { run += 1 }
      self = child(1, run)
    }
  }

  private static func runEnd(_ field: Field, _ ends: UnsafePointer<ArrowArray>, _ run: Int) -> Int {
    guard case .bytes(let bytes) = Value(field, ends, run) else { return .max }
    return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
