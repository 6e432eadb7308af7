import ArrowData
import CArrow
import Glibc
import Primitives

/// A table whose values follow from its tag: numbers with nulls, texts, and words by a dictionary.
struct SampleTable {
  let tag: Int
  /// The rows of each batch.
  let batchRows: [Int]
  var rowCount: Int { batchRows.reduce(0, +) }

  static func isNull(_ row: Int) -> Bool { row % 7 == 3 }
  private var texts: [[UInt8]] { (0..<5).map { [UInt8]("text \($0) of \(tag)".utf8) } }
  private var words: [[UInt8]] { (0..<3).map { [UInt8]("w\(tag % 97)\($0)".utf8) } }
  private func number(_ row: Int) -> Int64 { Int64(tag) &* 1_000_003 &+ Int64(row) }

  static func schema() throws(CacheError) -> Schema {
    Schema(fields: [
      try Field(name: "number", format: "l"), try Field(name: "text", format: "u"),
      try Field(name: "word", format: "c", dictionary: try Field(name: "", format: "u")),
    ])
  }

  func spec(_ schema: Schema) -> StreamSpec {
    var firstRow = 0
    return StreamSpec(schema: schema, batches: batchRows.map { count in
      defer { firstRow += count }
      return batch(firstRow, count)
    })
  }

  private func batch(_ firstRow: Int, _ count: Int) -> ArraySpec {
    var numbers = ContiguousArray<Int64>()
    var validity = [UInt8](repeating: 0xff, count: (count + 7) / 8)
    var (offsets, data, indices) = (ContiguousArray<Int32>([0]), [UInt8](), [UInt8]())
    let texts = texts
    var nulls = 0
    for row in 0..<count {
      numbers.append(number(firstRow + row))
      if Self.isNull(firstRow + row) {
        validity[row / 8] &= ~(1 << UInt8(row % 8))
        nulls += 1
      }
      data += texts[(firstRow + row) % 5]
      offsets.append(Int32(data.count))
      indices.append(UInt8((firstRow + row) % 3))
    }
    let number = ArraySpec(length: Int64(count), nullCount: Int64(nulls), buffers: [validity, numbers.withUnsafeBytes { [UInt8]($0) }])
    let text = ArraySpec(length: Int64(count), buffers: [nil, offsets.withUnsafeBytes { [UInt8]($0) }, data])
    var wordOffsets: ContiguousArray<Int32> = [0]
    var wordData: [UInt8] = []
    for word in words {
      wordData += word
      wordOffsets.append(Int32(wordData.count))
    }
    let word = ArraySpec(
      length: Int64(count), buffers: [nil, indices],
      dictionary: [ArraySpec(length: 3, buffers: [nil, wordOffsets.withUnsafeBytes { [UInt8]($0) }, wordData])])
    return .table([number, text, word], length: count)
  }

  /// What differs first from rows `firstRow…` of these columns, read through the memory that was handed out.
  func difference(_ array: ArrowArray, firstRow: Int, columns: [Int]) -> String? {
    guard Int(array.n_children) == columns.count, firstRow + Int(array.length) <= rowCount else { return "\(array.n_children) columns, \(array.length) rows" }
    let count = Int(array.length)
    for (position, column) in columns.enumerated() {
      guard let node = array.children?[position]?.pointee, Int(node.length) == count else { return "column \(position) is short" }
      guard let row = differingRow(node, column, firstRow, count) else { continue }
      return "row \(firstRow + row) of column \(column)"
    }
    return nil
  }

  private func differingRow(_ node: ArrowArray, _ column: Int, _ firstRow: Int, _ count: Int) -> Int? {
    let start = Int(node.offset)
    guard count > 0, let values = node.buffers?[1] else { return count > 0 ? 0 : nil }
    switch column {
    case 0:
      let numbers = values.assumingMemoryBound(to: Int64.self)
      guard let bits = node.buffers?[0]?.assumingMemoryBound(to: UInt8.self) else {
        return (0..<count).first { Self.isNull(firstRow + $0) || numbers[start + $0] != number(firstRow + $0) }
      }
      var row = 0
      while row < count {
        let isNull = bits[(start + row) / 8] >> UInt8((start + row) % 8) & 1 == 0
        if isNull != Self.isNull(firstRow + row) || !isNull && numbers[start + row] != number(firstRow + row) { return row }
        row += 1
      }
      return nil
    case 1: return differingText(node, start, count) { [texts] in texts[(firstRow + $0) % 5] }
    default:
      guard let dictionary = node.dictionary?.pointee, dictionary.length == 3 else { return 0 }
      let indices = values.assumingMemoryBound(to: Int8.self)
      if let row = (0..<count).first(where: { indices[start + $0] != (firstRow + $0) % 3 }) { return row }
      return differingText(dictionary, Int(dictionary.offset), 3) { [words] in words[$0] }.map { _ in 0 }
    }
  }

  private func differingText(_ node: ArrowArray, _ start: Int, _ count: Int, _ expected: (Int) -> [UInt8]) -> Int? {
    guard let offsets = node.buffers?[1]?.assumingMemoryBound(to: Int32.self), let data = node.buffers?[2] else { return 0 }
    var row = 0
    while row < count {
      let text = expected(row)
      let (from, end) = (Int(offsets[start + row]), Int(offsets[start + row + 1]))
      if end - from != text.count || memcmp(data + from, text, text.count) != 0 { return row }
      row += 1
    }
    return nil
  }
}
