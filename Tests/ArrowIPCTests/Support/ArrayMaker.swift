import CArrow
import Glibc
import Primitives

@testable import ArrowData

/// The memory of arrays made for a test: every buffer exactly as long as it has to be, so that a sanitizer sees a read beyond it.
final class ArrayMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { blocks.forEach { free($0) } }

  func copy(_ bytes: [UInt8]) -> UnsafeRawPointer {
    let block = allocate(max(1, bytes.count))
    bytes.withUnsafeBytes { if let start = $0.baseAddress { memcpy(block, start, $0.count) } }
    return UnsafeRawPointer(block)
  }

  func array(
    _ count: Int, nulls: Int = 0, offset: Int = 0, _ buffers: [[UInt8]?], children: [ArrowArray] = [], dictionary: ArrowArray? = nil
  ) -> ArrowArray {
    let pointers = allocate((buffers.count + 1) * 8).bindMemory(to: UnsafeRawPointer?.self, capacity: buffers.count)
    for (index, buffer) in buffers.enumerated() { (pointers + index).initialize(to: buffer.map { copy($0) }) }
    let below = allocate((children.count + 1) * 8).bindMemory(to: UnsafeMutablePointer<ArrowArray>?.self, capacity: children.count)
    for (index, child) in children.enumerated() { (below + index).initialize(to: boxed(child)) }
    return ArrowArray(
      length: Int64(count), null_count: Int64(nulls), offset: Int64(offset), n_buffers: Int64(buffers.count), n_children: Int64(children.count),
      buffers: pointers, children: below, dictionary: dictionary.map(boxed), release: nil, private_data: nil)
  }

  private func boxed(_ array: ArrowArray) -> UnsafeMutablePointer<ArrowArray> {
    let box = allocate(MemoryLayout<ArrowArray>.size).bindMemory(to: ArrowArray.self, capacity: 1)
    box.initialize(to: array)
    return box
  }

  private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let block = malloc(byteCount)!
    blocks.append(block)
    return block
  }
}

/// Makes arrays of every layout with random values, some of them null, from a seed.
struct ArrayMaker {
  let memory: ArrayMemory
  var random: SeededGenerator
  var nullShare = 0.2

  init(_ memory: ArrayMemory, seed: Int) { (self.memory, random) = (memory, SeededGenerator(seed)) }

  /// Every layout and width, by a name for each.
  static let kinds = [
    "null", "bool", "int8", "int16", "int32", "int64", "decimal128", "decimal256", "fixed5", "fixed0", "utf8", "largeUtf8", "view", "list", "largeList",
    "listView", "largeListView", "fixedList", "fixedListOfNone", "struct", "map", "sparseUnion", "denseUnion", "runs16", "runs32", "runs64",
    "dictionary8", "dictionaryU8", "dictionary16", "dictionary32", "dictionaryU64", "dictionaryOfViews", "listOfDictionaries", "structOfEverything",
    "dictionaryOfStructsOfDictionaries", "listOfListsOfBool",
  ]

  /// `count` values, after `lead` that do not belong to the array.
  mutating func make(_ kind: String, name: String, count: Int, lead: Int = 0) throws -> (field: Field, array: ArrowArray) {
    let total = lead + count
    let nulls: [Bool] = (0..<total).map { _ in random.chance(nullShare) }
    func field(_ format: String, _ children: [Field] = [], dictionary: Field? = nil) throws -> Field {
      try Field(name: name, format: format, children: children, dictionary: dictionary)
    }
    func node(_ buffers: [[UInt8]?], children: [ArrowArray] = [], dictionary: ArrowArray? = nil) -> ArrowArray {
      let nullCount = nulls[lead...].count { $0 }
      let validity = nullCount > 0 ? bits(nulls.map { !$0 }) : nil
      return memory.array(count, nulls: nullCount, offset: lead, [validity] + buffers, children: children, dictionary: dictionary)
    }
    func fixed(_ format: String, _ width: Int) throws -> (Field, ArrowArray) {
      (try field(format), node([(0..<(total * width)).map { _ in UInt8(truncatingIfNeeded: random.next()) }]))
    }
    /// Offsets into values, of lists or bytes.
    func offsets(_ width: Int, most: Int) -> (bytes: [UInt8], last: Int) {
      var offsets = [random.below(4)]
      for _ in 0..<total { offsets.append(offsets[offsets.count - 1] + random.below(most + 1)) }
      return (width == 4 ? bytes(offsets.map { Int32($0) }) : bytes(offsets.map { Int64($0) }), offsets[offsets.count - 1])
    }
    func text(_ format: String, _ width: Int) throws -> (Field, ArrowArray) {
      let (offsets, last) = offsets(width, most: 20)
      return (try field(format), node([offsets, (0..<last).map { UInt8(ascii: "a") + UInt8($0 % 26) }]))
    }
    func list(_ format: String, _ width: Int, of kind: String) throws -> (Field, ArrowArray) {
      let (offsets, last) = offsets(width, most: 5)
      let child = try make(kind, name: "item", count: last + 2, lead: random.below(9))
      return (try field(format, [child.field]), node([offsets], children: [child.array]))
    }
    func dictionary<Index: FixedWidthInteger>(_ format: String, _: Index.Type, of kind: String) throws -> (Field, ArrowArray) {
      let values = try make(kind, name: "", count: 9, lead: random.below(3))
      // Null elements may hold any index.
      let indices = nulls.map { $0 ? Index.max : Index(random.below(9)) }
      return (try field(format, dictionary: values.field), node([bytes(indices)], dictionary: values.array))
    }

    switch kind {
    case "null": return (try field("n"), memory.array(count, nulls: count, offset: lead, []))
    case "bool": return (try field("b"), node([bits((0..<total).map { _ in random.chance(0.5) })]))
    case "int8": return try fixed("c", 1)
    case "int16": return try fixed("s", 2)
    case "int32": return try fixed("i", 4)
    case "int64": return try fixed("l", 8)
    case "decimal128": return try fixed("d:30,4", 16)
    case "decimal256": return try fixed("d:60,4,256", 32)
    case "fixed5": return try fixed("w:5", 5)
    case "fixed0": return try fixed("w:0", 0)
    case "utf8": return try text("u", 4)
    case "largeUtf8": return try text("U", 8)
    case "view":
      let data = [300, 0, 200].map { size in (0..<size).map { UInt8(ascii: "A") + UInt8($0 % 26) } }
      var views: [UInt8] = []
      for index in 0..<total {
        let length = random.below(40)
        let buffer = random.chance(0.5) ? 0 : 2
        let offset = random.below(data[buffer].count - length)
        if nulls[index] {
          views += [UInt8](repeating: 0xee, count: 16)
        } else if length <= 12 {
          views += bytes([Int32(length)]) + data[0][..<length] + [UInt8](repeating: 0, count: 12 - length)
        } else {
          views += bytes([Int32(length)]) + data[buffer][offset..<(offset + 4)] + bytes([Int32(buffer), Int32(offset)])
        }
      }
      return (try field("vu"), node([views] + data + [bytes(data.map { Int64($0.count) })]))
    case "list": return try list("+l", 4, of: "utf8")
    case "largeList": return try list("+L", 8, of: "int16")
    case "listOfListsOfBool":
      let (offsets, last) = offsets(4, most: 3)
      let inner = try make("bool", name: "item", count: 3 * last + 3, lead: 5)
      let innerOffsets = bytes((0...last).map { Int32($0 * 3) })
      let middle = memory.array(last, [nil, innerOffsets], children: [inner.array])
      return (try Field(name: name, format: "+l", children: [Field(name: "item", format: "+l", children: [inner.field])]), node([offsets], children: [middle]))
    case "listOfDictionaries": return try list("+l", 4, of: "dictionary16")
    case "listView", "largeListView":
      let child = try make("int32", name: "item", count: 50, lead: 3)
      let sizes = (0..<total).map { _ in random.below(6) }
      let starts = sizes.map { random.below(50 - $0) }
      let isLarge = kind == "largeListView"
      let buffers = [starts, sizes].map { isLarge ? bytes($0.map { Int64($0) }) : bytes($0.map { Int32($0) }) }
      return (try field(isLarge ? "+vL" : "+vl", [child.field]), node(buffers, children: [child.array]))
    case "fixedList":
      let child = try make("int16", name: "item", count: 3 * total, lead: 2)
      return (try field("+w:3", [child.field]), node([], children: [child.array]))
    case "fixedListOfNone":
      let child = try make("int16", name: "item", count: 0)
      return (try field("+w:0", [child.field]), node([], children: [child.array]))
    case "struct":
      let children = [try make("int32", name: "a", count: total + 1, lead: 3), try make("utf8", name: "b", count: total)]
      return (try field("+s", children.map(\.field)), node([], children: children.map(\.array)))
    case "structOfEverything":
      let kinds = ["bool", "view", "list", "denseUnion", "runs32", "dictionary8", "fixedList", "null"]
      var children: [(field: Field, array: ArrowArray)] = []
      for kind in kinds { children.append(try make(kind, name: kind, count: total, lead: random.below(4))) }
      return (try field("+s", children.map(\.field)), node([], children: children.map(\.array)))
    case "map":
      let (offsets, last) = offsets(4, most: 3)
      let share = nullShare
      nullShare = 0
      let key = try make("utf8", name: "key", count: last)
      nullShare = share
      let value = try make("int32", name: "value", count: last, lead: 1)
      let entries = memory.array(last, [nil], children: [key.array, value.array])
      let entriesField = try Field(name: "entries", format: "+s", nullable: false, children: [key.field, value.field])
      let mapField = try Field(name: name, format: "+m", keysSorted: true, children: [entriesField])
      return (mapField, node([offsets], children: [entries]))
    case "sparseUnion":
      let children = [try make("int32", name: "a", count: total, lead: 1), try make("utf8", name: "b", count: total)]
      let types = (0..<total).map { _ in UInt8(random.chance(0.5) ? 7 : 2) }
      return (try field("+us:7,2", children.map(\.field)), memory.array(count, offset: lead, [types], children: children.map(\.array)))
    case "denseUnion":
      let children = [try make("int64", name: "a", count: total + 2, lead: 1), try make("bool", name: "b", count: total + 2)]
      var next = [Int32(1), 1]
      var types: [UInt8] = []
      var offsets: [Int32] = []
      for _ in 0..<total {
        let child = random.below(2)
        types.append(child == 0 ? 0 : 127)
        offsets.append(next[child])
        next[child] += 1
      }
      return (
        try field("+ud:0,127", children.map(\.field)), memory.array(count, offset: lead, [types, bytes(offsets)], children: children.map(\.array))
      )
    case "runs16": return try runs("s", Int16.self, name, count, lead)
    case "runs32": return try runs("i", Int32.self, name, count, lead)
    case "runs64": return try runs("l", Int64.self, name, count, lead)
    case "dictionary8": return try dictionary("c", Int8.self, of: "utf8")
    case "dictionaryU8": return try dictionary("C", UInt8.self, of: "int64")
    case "dictionary16": return try dictionary("s", Int16.self, of: "largeUtf8")
    case "dictionary32": return try dictionary("i", Int32.self, of: "list")
    case "dictionaryU64": return try dictionary("L", UInt64.self, of: "utf8")
    case "dictionaryOfViews": return try dictionary("i", Int32.self, of: "view")
    case "dictionaryOfStructsOfDictionaries":
      let inner = try make("dictionary8", name: "i", count: 9)
      let values = memory.array(9, [nil], children: [inner.array])
      let indices = nulls.map { $0 ? -1 : Int16(random.below(9)) }
      return (
        try field("s", dictionary: Field(name: "", format: "+s", children: [inner.field])), node([bytes(indices)], dictionary: values)
      )
    default: fatalError("no kind \(kind)")
    }
  }

  private mutating func runs<End: FixedWidthInteger>(
    _ format: String, _: End.Type, _ name: String, _ count: Int, _ lead: Int
  ) throws -> (field: Field, array: ArrowArray) {
    var ends: [End] = []
    var end = 0
    while end < lead + count {
      end += 1 + random.below(7)
      ends.append(End(end))
    }
    let values = try make("utf8", name: "values", count: ends.count + 1, lead: 2)
    let endsField = try Field(name: "run_ends", format: format, nullable: false)
    return (
      try Field(name: name, format: "+r", children: [endsField, values.field]),
      memory.array(count, offset: lead, [], children: [memory.array(ends.count, [nil, bytes(ends)]), values.array])
    )
  }
}

/// Little-endian bytes of numbers.
func bytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) } }
}

/// Bits, the lowest first.
func bits(_ bits: [Bool]) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
  for (index, bit) in bits.enumerated() where bit { result[index / 8] |= 1 << UInt8(index % 8) }
  return result
}

/// A batch of these columns.
func makeBatch(_ columns: [(field: Field, array: ArrowArray)], rowCount: Int, memory: ArrayMemory, schema: Schema? = nil) -> RecordBatch {
  let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, columns.count))
  for (index, column) in columns.enumerated() { (nodes + index).initialize(to: column.array) }
  return RecordBatch(
    schema: schema ?? Schema(fields: columns.map(\.field)), rowCount: rowCount, columns: nodes, owners: columns.map { _ in ColumnInShared(memory) })
}

/// A batch of one column of a kind.
func makeBatch(_ kind: String, count: Int, lead: Int = 0, seed: Int = 1, nullShare: Double = 0.2) throws -> RecordBatch {
  try makeBatch([kind], count: count, lead: lead, seed: seed, nullShare: nullShare)
}

func makeBatch(_ kinds: [String], count: Int, lead: Int = 0, seed: Int = 1, nullShare: Double = 0.2) throws -> RecordBatch {
  let memory = ArrayMemory()
  var maker = ArrayMaker(memory, seed: seed)
  maker.nullShare = nullShare
  var columns: [(field: Field, array: ArrowArray)] = []
  for kind in kinds { columns.append(try maker.make(kind, name: kind, count: count, lead: lead)) }
  return makeBatch(columns, rowCount: count, memory: memory)
}

extension SeededGenerator {
  init(_ seed: Int) { self.init(UInt64(truncatingIfNeeded: seed)) }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }
  mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }
}
