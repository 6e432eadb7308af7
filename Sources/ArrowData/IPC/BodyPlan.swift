import CArrow
import Primitives

/// So many values of an array, from element `from` of its buffers. What the array's memory belongs to is held elsewhere.
struct ArrayPiece {
  let array: ArrowArray
  let from: Int
  let count: Int

  init(_ array: ArrowArray, from: Int, count: Int) { (self.array, self.from, self.count) = (array, from, count) }

  /// All values of an array.
  init(_ array: ArrowArray) { self.init(array, from: array.start, count: array.count) }

  var validity: UnsafeRawPointer? { array.null_count == 0 ? nil : array.buffer(0) }

  func isValid(_ index: Int) -> Bool {
    guard let validity else { return true }
    return validity.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(index & 7) & 1 == 1
  }

  var nullCount: Int {
    guard let validity, count > 0 else { return 0 }
    if from == array.start, count == array.count, array.null_count > 0 { return Int(array.null_count) }
    return count - countOnes(validity, from: from, count: count)
  }
}

/// The nodes and buffers of one record batch or dictionary in an Arrow file, in the file's order: what of which memory goes there.
///
/// Every column is put together from pieces of arrays, which come to be one array that starts at 0: only what the pieces refer to is
/// written. Making the plan checks the pieces and looks at values only where their extent depends on them; the bytes are made
/// when they are written.
struct BodyPlan {
  /// Length and null count of each node.
  private(set) var nodes: [Int] = []
  /// The number of data buffers of each array of views.
  private(set) var variadicCounts: [Int] = []
  private(set) var buffers: [BufferContent] = []
  private let dictionaries: DictionaryPlan
  /// What keeps memory that was made for the plan.
  private var kept: [CopyMemory] = []
  /// For messages.
  private let column: String

  init(dictionaries: DictionaryPlan, column: String) { (self.dictionaries, self.column) = (dictionaries, column) }

  func broken(_ what: String) -> CacheError { CacheError(.stream, "column '\(column)' \(what)") }

  func tooLong(_ what: String) -> CacheError {
    CacheError(.type, "column '\(column)' has \(what) in one record batch: write smaller partitions or cast it to the large type")
  }

  /// The plan of a batch of these columns.
  static func batch(_ fields: [NumberedField], _ pieces: [[ArrayPiece]], _ dictionaries: DictionaryPlan) throws(CacheError) -> BodyPlan {
    var whole = BodyPlan(dictionaries: dictionaries, column: "")
    for (field, pieces) in zip(fields, pieces) {
      var plan = BodyPlan(dictionaries: dictionaries, column: field.field.name)
      try plan.add(field, pieces)
      whole.nodes += plan.nodes
      whole.variadicCounts += plan.variadicCounts
      whole.buffers += plan.buffers
      whole.kept += plan.kept
    }
    return whole
  }

  mutating func keep(_ memory: CopyMemory) { kept.append(memory) }
  mutating func append(_ buffer: BufferContent) { buffers.append(buffer) }
  mutating func append(variadicCount: Int) { variadicCounts.append(variadicCount) }
  mutating func append(nodeOf count: Int, nullCount: Int) { nodes += [count, nullCount] }

  /// Adds a column, or a child of one.
  mutating func add(_ field: NumberedField, _ pieces: [ArrayPiece]) throws(CacheError) {
    let layout = field.field.layout
    var count = 0
    var nullCount = 0
    for piece in pieces {
      guard piece.count >= 0, piece.from >= piece.array.start, piece.from - piece.array.start <= piece.array.count,
        piece.count <= piece.array.count - (piece.from - piece.array.start)
      else { throw broken("refers to values \(piece.from) to \(piece.from &+ piece.count) of a child of \(piece.array.count)") }
      count = count.addingSaturated(piece.count)
      if layout.hasValidity { nullCount += piece.nullCount }
    }
    guard count < Int.max / 64 else { throw tooLong("\(count) values") }
    append(nodeOf: count, nullCount: layout == .null ? count : nullCount)
    if layout.hasValidity { addValidity(pieces, nullCount: nullCount) }

    switch layout {
    case .null: break
    case .bits:
      var runs = Runs<BitRun>()
      for piece in pieces { runs.append(BitRun(bits: piece.array.buffer(1), from: piece.from), count: piece.count) }
      append(runs.content)
    case .fixed(let width):
      if let id = field.dictionaryID { try addIndices(field.field, id, pieces) } else { addFixed(pieces, buffer: 1, width: width) }
    case .binary(let width):
      var values: [UnsafeRawBufferPointer] = []
      for range in try addOffsets(pieces, width: width) {
        let (piece, first, byteCount) = range
        if byteCount > 0, let data = piece.array.buffer(2) { values.append(UnsafeRawBufferPointer(start: data + first, count: byteCount)) }
      }
      append(.joined(values))
    case .view: try addViews(field.field, pieces)
    case .list(let width):
      let ranges = try addOffsets(pieces, width: width)
      try addChild(0, of: field, ranges.map { (piece, first, count) in (piece, first, count) })
    case .listView(let width):
      if width == 4 { try addListViews(Int32.self, field, pieces) } else { try addListViews(Int64.self, field, pieces) }
    case .fixedList(let size): try addChild(0, of: field, pieces.map { ($0, $0.from * size, $0.count * size) })
    case .structure:
      for index in field.children.indices { try addChild(index, of: field, pieces.map { ($0, $0.from, $0.count) }) }
    case .union(let isDense, let ids):
      addFixed(pieces, buffer: 0, width: 1)
      if isDense { return try addDenseUnion(ids, field, pieces) }
      for index in field.children.indices { try addChild(index, of: field, pieces.map { ($0, $0.from, $0.count) }) }
    case .runs:
      switch field.children[0].field.format {
      case "s": try addRuns(Int16.self, field, pieces)
      case "i": try addRuns(Int32.self, field, pieces)
      default: try addRuns(Int64.self, field, pieces)
      }
    }
  }

  /// Adds child `index`: of each piece's child so many values from one of them, counted from where that child starts.
  mutating func addChild(
    _ index: Int, of field: NumberedField, _ ranges: [(piece: ArrayPiece, first: Int, count: Int)]
  ) throws(CacheError) {
    var pieces: [ArrayPiece] = []
    for (piece, first, count) in ranges {
      guard let child = piece.array.child(index)?.pointee, first >= 0, first <= child.count else {
        throw broken("refers to values \(first) to \(first &+ count) of a child that has fewer")
      }
      pieces.append(ArrayPiece(child, from: child.start + first, count: count))
    }
    try add(field.children[index], pieces)
  }

  private mutating func addValidity(_ pieces: [ArrayPiece], nullCount: Int) {
    guard nullCount > 0 else { return append(.empty) }
    var runs = Runs<BitRun>()
    for piece in pieces { runs.append(BitRun(bits: piece.validity, from: piece.from), count: piece.count) }
    append(runs.content)
  }

  mutating func addFixed(_ pieces: [ArrayPiece], buffer: Int, width: Int) {
    var stretches: [UnsafeRawBufferPointer] = []
    for piece in pieces where piece.count > 0 && width > 0 {
      guard let start = piece.array.buffer(buffer) else { continue }
      stretches.append(UnsafeRawBufferPointer(start: start + piece.from * width, count: piece.count * width))
    }
    append(.joined(stretches))
  }

  /// Adds offsets that start at 0; returns for each piece the values that it spans.
  private mutating func addOffsets(_ pieces: [ArrayPiece], width: Int) throws(CacheError) -> [(piece: ArrayPiece, first: Int, count: Int)] {
    var ranges: [(piece: ArrayPiece, first: Int, count: Int)] = []
    var runs = Runs<(start: UnsafeRawPointer, shift: Int)>()
    var total = 0
    let last = pieces.lastIndex { $0.count > 0 }
    for (index, piece) in pieces.enumerated() where piece.count > 0 {
      guard let offsets = piece.array.buffer(1) else { throw broken("lacks its offsets") }
      let first = piece.array.valueOffset(piece.from, width: width)
      let end = piece.array.valueOffset(piece.from + piece.count, width: width)
      let limit = piece.array.valueOffset(piece.array.start + piece.array.count, width: width)
      guard first >= 0, first <= end, end <= limit else { throw broken("has offsets that fall: \(first), \(end), \(limit)") }
      runs.append((offsets + piece.from * width, total - first), count: piece.count + (index == last ? 1 : 0))
      ranges.append((piece, first, end - first))
      total = total.addingSaturated(end - first)
    }
    guard total <= (width == 4 ? Int(Int32.max) : Int.max / 64) else { throw tooLong("\(total) bytes or list values") }
    if runs.count == 0 {
      append(.memory(CopyMemory.empty, byteCount: width))
    } else if runs.isSingle, let run = runs.first, run.shift == 0 {
      append(.memory(run.start, byteCount: runs.count * width))
    } else if width == 4 {
      append(.made(runs, width: 4) { run, first, count, target in shift(Int32.self, run.start, first, count, by: run.shift, to: target) })
    } else {
      append(.made(runs, width: 8) { run, first, count, target in shift(Int64.self, run.start, first, count, by: run.shift, to: target) })
    }
    return ranges
  }

  /// Adds indices into the file's dictionary.
  private mutating func addIndices(_ field: Field, _ id: Int, _ pieces: [ArrayPiece]) throws(CacheError) {
    guard let width = field.layout.byteWidth else { return }
    var runs = Runs<(piece: ArrayPiece, places: [Int]?)>()
    var isMoved = false
    for piece in pieces where piece.count > 0 {
      guard let dictionary = piece.array.dictionary?.pointee else { throw broken("lacks its dictionary") }
      let places = dictionaries.places(id, of: dictionary)
      if let places {
        isMoved = true
        try IndexMove.check(field.format, piece, places, broken)
      }
      runs.append((piece, places), count: piece.count)
    }
    guard isMoved else { return addFixed(pieces, buffer: 1, width: width) }
    append(
      .made(runs, width: width) { run, first, count, target in
        IndexMove.fill(field.format, run.piece, run.places, first, count, to: target)
      })
  }
}

extension Layout {
  var byteWidth: Int? {
    if case .fixed(let width) = self { return width }
    return nil
  }
}

/// Copies offsets, each moved by the same distance.
private func shift<Offset: FixedWidthInteger>(
  _: Offset.Type, _ source: UnsafeRawPointer, _ first: Int, _ count: Int, by distance: Int, to target: UnsafeMutableRawPointer
) {
  let source = source.assumingMemoryBound(to: Offset.self) + first
  let target = target.assumingMemoryBound(to: Offset.self)
  let distance = Offset(truncatingIfNeeded: distance)
  for index in 0..<count { target[index] = source[index] &+ distance }
}
