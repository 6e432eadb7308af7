import CArrow

@testable import ArrowData

/// The values of a batch as text, a line a row: equal texts mean equal rows, however they are laid out.
func render(_ batch: RecordBatch, offset: Int = 0, count: Int? = nil) -> [String] {
  (offset..<(offset + (count ?? batch.rowCount))).map { row in
    batch.schema.fields.indices.map { column in
      let array = batch.column(column).pointee
      return render(batch.schema.fields[column], array, Int(array.offset) + row)
    }.joined(separator: " | ")
  }
}

/// Element `position` of an array's buffers. Written for tests alone, apart from what the engine does to walk arrays.
func render(_ field: Field, _ array: ArrowArray, _ position: Int) -> String {
  func buffer<Element>(_ index: Int, _: Element.Type) -> UnsafePointer<Element> { array.buffers[index]!.assumingMemoryBound(to: Element.self) }
  func hex(_ start: UnsafePointer<UInt8>, _ range: Range<Int>) -> String { range.map { String(start[$0], radix: 16) }.joined(separator: ".") }
  func child(_ index: Int, _ position: Int) -> String {
    let below = array.children[index]!.pointee
    return render(field.children[index], below, Int(below.offset) + position)
  }
  func list(_ range: Range<Int>) -> String { "[" + range.map { child(0, $0) }.joined(separator: ",") + "]" }
  func offsets(_ width: Int) -> Range<Int> {
    width == 4
      ? Int(buffer(1, Int32.self)[position])..<Int(buffer(1, Int32.self)[position + 1])
      : Int(buffer(1, Int64.self)[position])..<Int(buffer(1, Int64.self)[position + 1])
  }

  switch field.layout {
  case .null: return "-"
  case .runs:
    let ends = array.children[0]!.pointee
    func end(_ run: Int) -> Int {
      let at = Int(ends.offset) + run
      switch field.children[0].format {
      case "s": return Int(ends.buffers[1]!.assumingMemoryBound(to: Int16.self)[at])
      case "i": return Int(ends.buffers[1]!.assumingMemoryBound(to: Int32.self)[at])
      default: return Int(ends.buffers[1]!.assumingMemoryBound(to: Int64.self)[at])
      }
    }
    var run = 0
    while end(run) <= position { run += 1 }
    return child(1, run)
  case .union(let isDense, let ids):
    let id = buffer(0, Int8.self)[position]
    return "\(id):" + child(ids.firstIndex(of: id)!, isDense ? Int(buffer(1, Int32.self)[position]) : position)
  default: break
  }
  if array.null_count != 0, let validity = array.buffers[0]?.assumingMemoryBound(to: UInt8.self), validity[position / 8] >> (position % 8) & 1 == 0 {
    return "-"
  }
  if let values = field.dictionary {
    let index: Int =
      switch field.format {
      case "c": Int(buffer(1, Int8.self)[position])
      case "C": Int(buffer(1, UInt8.self)[position])
      case "s": Int(buffer(1, Int16.self)[position])
      case "S": Int(buffer(1, UInt16.self)[position])
      case "i": Int(buffer(1, Int32.self)[position])
      case "I": Int(buffer(1, UInt32.self)[position])
      case "l": Int(buffer(1, Int64.self)[position])
      default: Int(buffer(1, UInt64.self)[position])
      }
    let dictionary = array.dictionary.pointee
    return "=" + render(values, dictionary, Int(dictionary.offset) + index)
  }
  switch field.layout {
  case .bits: return String(buffer(1, UInt8.self)[position / 8] >> (position % 8) & 1)
  case .fixed(let width): return width == 0 ? "" : hex(buffer(1, UInt8.self), (position * width)..<((position + 1) * width))
  case .binary(let width):
    let range = offsets(width)
    return range.isEmpty ? "''" : hex(buffer(2, UInt8.self), range)
  case .view:
    let view = array.buffers[1]! + position * 16
    let length = Int(view.load(as: Int32.self))
    if length <= 12 { return length == 0 ? "''" : hex((view + 4).assumingMemoryBound(to: UInt8.self), 0..<length) }
    let (data, offset) = (Int(view.load(fromByteOffset: 8, as: Int32.self)), Int(view.load(fromByteOffset: 12, as: Int32.self)))
    return hex(buffer(2 + data, UInt8.self), offset..<(offset + length))
  case .list(let width): return list(offsets(width))
  case .listView(let width):
    let start = width == 4 ? Int(buffer(1, Int32.self)[position]) : Int(buffer(1, Int64.self)[position])
    let count = width == 4 ? Int(buffer(2, Int32.self)[position]) : Int(buffer(2, Int64.self)[position])
    return list(start..<(start + count))
  case .fixedList(let size): return list((position * size)..<((position + 1) * size))
  case .structure: return "{" + field.children.indices.map { child($0, position) }.joined(separator: ",") + "}"
  default: return "?"
  }
}
