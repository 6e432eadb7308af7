import ArrowData

/// How many of an array's values are null, and whether it says so.
enum NullPattern: String, CaseIterable {
  case none, noneWithBitmap, some, someUncounted, all
}

/// Makes well-formed arrays of any type, with junk before the offset and in the slots of nulls.
struct RandomArray {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed) }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  mutating func array(_ field: Field, length: Int, offset: Int, nulls: NullPattern) -> ArraySpec {
    let end = offset + length
    var spec = ArraySpec(length: Int64(length), offset: Int64(offset), buffers: [])
    let hasValidity = switch field.layout {
    case .null, .runs, .union: false
    default: true
    }
    if hasValidity { addValidity(&spec, end: end, nulls: nulls) }
    let validity = spec.buffers.first ?? nil
    let isValid = { (index: Int) in
      guard let bits = validity else { return true }
      return bits[index / 8] >> UInt8(index % 8) & 1 == 1
    }

    switch field.layout {
    case .null: spec.nullCount = Int64(length)
    case .bits: spec.buffers.append(randomBytes((end + 7) / 8))
    case .fixed(let width):
      if field.dictionary.map({ _ in true }) ?? false {
        let count = number(1...5)
        spec.buffers.append((0..<end).flatMap { _ in indexBytes(number(0...(count - 1)), width) })
        if let values = field.dictionary { spec.dictionary = [array(values, length: count, offset: number(0...3), nulls: .some)] }
      } else {
        spec.buffers.append(randomBytes(end * width))
      }
    case .binary(let width):
      let (offsets, total) = offsets(end)
      spec.buffers.append(width == 4 ? bytes(offsets.map { Int32($0) }) : bytes(offsets.map { Int64($0) }))
      spec.buffers.append(randomBytes(total))
    case .view: addViews(&spec, end: end, isValid)
    case .list(let width):
      let (offsets, total) = offsets(end)
      spec.buffers.append(width == 4 ? bytes(offsets.map { Int32($0) }) : bytes(offsets.map { Int64($0) }))
      spec.children = [child(field.children[0], total)]
    case .listView(let width): addListViews(&spec, field, width, end: end, isValid)
    case .fixedList(let size): spec.children = [child(field.children[0], end * size)]
    case .structure: spec.children = field.children.map { child($0, end) }
    case .union(let isDense, let ids): addUnion(&spec, field, isDense, ids, end: end)
    case .runs: addRuns(&spec, field, end: end)
    }
    return spec
  }

  /// An array that has at least so many values.
  private mutating func child(_ field: Field, _ length: Int) -> ArraySpec {
    let nulls: NullPattern = field.nullable ? [.none, .some, .someUncounted][number(0...2)] : .none
    return array(field, length: length + number(0...2), offset: number(0...9), nulls: nulls)
  }

  private mutating func addValidity(_ spec: inout ArraySpec, end: Int, nulls: NullPattern) {
    let count = Int(spec.length)
    switch nulls {
    case .none: spec.buffers.append(nil)
    case .noneWithBitmap: spec.buffers.append([UInt8](repeating: 0xff, count: (end + 7) / 8))
    case .some, .someUncounted, .all:
      let bits = (0..<end).map { _ in nulls == .all ? false : number(0...3) > 0 }
      spec.buffers.append(bytes(bits))
      spec.nullCount = nulls == .someUncounted ? -1 : Int64(bits.suffix(count).count { !$0 })
    }
  }

  private mutating func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }

  private func indexBytes(_ index: Int, _ width: Int) -> [UInt8] { Array(bytes([Int64(index)]).prefix(width)) }

  /// Offsets that do not start at 0, and what the last one is.
  private mutating func offsets(_ count: Int) -> (offsets: [Int], total: Int) {
    var offsets = [number(0...3)]
    for _ in 0..<count { offsets.append((offsets.last ?? 0) + number(0...4)) }
    return (offsets, offsets.last ?? 0)
  }

  private mutating func addViews(_ spec: inout ArraySpec, end: Int, _ isValid: (Int) -> Bool) {
    let data = [randomBytes(100), randomBytes(60)]
    var views: [UInt8] = []
    for index in 0..<end {
      if !isValid(index) {
        views += randomBytes(16)
      } else if number(0...1) == 0 {
        let value = randomBytes(number(0...12))
        views += bytes([Int32(value.count)]) + value + [UInt8](repeating: 0, count: 12 - value.count)
      } else {
        let buffer = number(0...1)
        let start = number(0...(data[buffer].count - 40))
        let count = number(13...40)
        views += bytes([Int32(count)]) + data[buffer][start..<(start + 4)] + bytes([Int32(buffer), Int32(start)])
      }
    }
    spec.buffers += [views, data[0], data[1], bytes(data.map { Int64($0.count) })]
  }

  private mutating func addListViews(_ spec: inout ArraySpec, _ field: Field, _ width: Int, end: Int, _ isValid: (Int) -> Bool) {
    let total = 20
    var starts: [Int] = []
    var sizes: [Int] = []
    for index in 0..<end {
      starts.append(isValid(index) ? number(0...(total - 4)) : 1 << 20)
      sizes.append(isValid(index) ? number(0...4) : 7)
    }
    for list in [starts, sizes] { spec.buffers.append(width == 4 ? bytes(list.map { Int32($0) }) : bytes(list.map { Int64($0) })) }
    spec.children = [child(field.children[0], total)]
  }

  private mutating func addUnion(_ spec: inout ArraySpec, _ field: Field, _ isDense: Bool, _ ids: [Int8], end: Int) {
    let chosen = (0..<end).map { _ in number(0...(ids.count - 1)) }
    spec.buffers.append(bytes(chosen.map { ids[$0] }))
    guard isDense else {
      spec.children = field.children.map { child($0, end) }
      return
    }
    var counts = [Int](repeating: 0, count: ids.count)
    var offsets: [Int32] = []
    for index in chosen {
      offsets.append(Int32(counts[index]))
      counts[index] += 1
    }
    spec.buffers.append(bytes(offsets))
    spec.children = zip(field.children, counts).map { child($0, $1) }
  }

  private mutating func addRuns(_ spec: inout ArraySpec, _ field: Field, end: Int) {
    var ends: [Int] = []
    while (ends.last ?? 0) < end { ends.append((ends.last ?? 0) + number(1...9)) }
    var runEnds = ArraySpec(length: Int64(ends.count), buffers: [nil])
    switch field.children[0].format {
    case "s": runEnds.buffers.append(bytes(ends.map { Int16($0) }))
    case "i": runEnds.buffers.append(bytes(ends.map { Int32($0) }))
    default: runEnds.buffers.append(bytes(ends.map { Int64($0) }))
    }
    spec.children = [runEnds, child(field.children[1], ends.count)]
  }
}
