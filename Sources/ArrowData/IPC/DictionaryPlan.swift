import CArrow
import Glibc
import Primitives

/// The dictionaries of a file, one for each dictionary-encoded field, whatever number of them the batches come with.
///
/// Batches mostly share their dictionary, or have equal ones. Where they differ the first is kept as it is, so that its indices stay,
/// and the others' values that it lacks are put behind it; their indices are moved when they are written.
struct DictionaryPlan {
  struct Dictionary {
    let id: Int
    let values: NumberedField
    let pieces: [ArrayPiece]

    var count: Int { pieces.reduce(0) { $0 + $1.count } }
  }

  /// Those inside of others come before them.
  private(set) var dictionaries: [Dictionary] = []
  /// For each dictionary that is not the file's own, where its values are in that.
  private var moves: [Int: [ArrayIdentity: [Int]]] = [:]

  init() {}

  /// The dictionaries of columns that are put together from these pieces.
  init(_ fields: [NumberedField], _ pieces: [[ArrayPiece]]) throws(CacheError) {
    for (field, pieces) in zip(fields, pieces) { try collect(field, pieces.map(\.array), column: field.field.name) }
  }

  /// The new index for each index into this dictionary; nil where they stay.
  func places(_ id: Int, of dictionary: ArrowArray) -> [Int]? {
    guard let moves = moves[id] else { return nil }
    return moves[ArrayIdentity(dictionary)]
  }

  private mutating func collect(_ field: NumberedField, _ arrays: [ArrowArray], column: String) throws(CacheError) {
    if let id = field.dictionaryID, let values = field.values {
      var known: Set<ArrayIdentity> = []
      var distinct: [ArrowArray] = []
      for array in arrays {
        guard let dictionary = array.dictionary?.pointee else { continue }
        if known.insert(ArrayIdentity(dictionary)).inserted { distinct.append(dictionary) }
      }
      guard !distinct.isEmpty else { return }
      for child in values.children.indices {
        try collect(values.children[child], distinct.compactMap { $0.child(child)?.pointee }, column: column)
      }
      let capacity = IndexMove.capacity(field.field.format)
      dictionaries.append(Dictionary(id: id, values: values, pieces: try unify(distinct, id, values, capacity: capacity, column: column)))
      return
    }
    for child in field.children.indices {
      try collect(field.children[child], arrays.compactMap { $0.child(child)?.pointee }, column: column)
    }
  }

  private mutating func unify(
    _ dictionaries: [ArrowArray], _ id: Int, _ field: NumberedField, capacity: Int, column: String
  ) throws(CacheError) -> [ArrayPiece] {
    let first = dictionaries[0]
    var pieces = [ArrayPiece(first)]
    if dictionaries.count == 1 { return pieces }
    let firstPlan = try plan(ArrayPiece(first), field, column)
    var places: [[UInt8]: Int] = [:]
    var count = first.count
    for dictionary in dictionaries.dropFirst() {
      if dictionary.count == first.count, try plan(ArrayPiece(dictionary), field, column).hasSameBytes(as: firstPlan) { continue }
      if places.isEmpty {
        for index in 0..<first.count {
          let value = try ValueBytes.of(field.field, first, index, column: column)
          if places[value] == nil { places[value] = index }
        }
      }
      var own: [Int] = []
      own.reserveCapacity(dictionary.count)
      var newFrom: Int?
      for index in 0..<dictionary.count {
        let value = try ValueBytes.of(field.field, dictionary, index, column: column)
        if let place = places[value] {
          own.append(place)
          if let from = newFrom { pieces.append(ArrayPiece(dictionary, from: dictionary.start + from, count: index - from)) }
          newFrom = nil
        } else {
          places[value] = count
          own.append(count)
          count += 1
          if newFrom == nil { newFrom = index }
        }
      }
      if let from = newFrom { pieces.append(ArrayPiece(dictionary, from: dictionary.start + from, count: dictionary.count - from)) }
      if own != Array(0..<own.count) { moves[id, default: [:]][ArrayIdentity(dictionary)] = own }
    }
    guard count <= capacity else {
      throw CacheError(
        .type,
        "column '\(column)' has dictionaries that differ from batch to batch, \(count) values together, and its indices reach \(capacity): "
          + "write the batches as files of their own or cast the indices to a wider type")
    }
    return pieces
  }

  private func plan(_ piece: ArrayPiece, _ field: NumberedField, _ column: String) throws(CacheError) -> BodyPlan {
    var plan = BodyPlan(dictionaries: self, column: column)
    try plan.add(field, [piece])
    return plan
  }
}

extension BodyPlan {
  fileprivate func hasSameBytes(as other: BodyPlan) -> Bool {
    guard nodes == other.nodes, variadicCounts == other.variadicCounts, buffers.count == other.buffers.count else { return false }
    let pieceBytes = 64 << 10
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: 2 * pieceBytes, alignment: BufferContent.pieceAlignment)
    defer { scratch.deallocate() }
    for (left, right) in zip(buffers, other.buffers) {
      guard left.byteCount == right.byteCount else { return false }
      for start in stride(from: 0, to: left.byteCount, by: pieceBytes) {
        let range = start..<min(start + pieceBytes, left.byteCount)
        let mine = left.bytes(range, scratch: scratch)
        let others = right.bytes(range, scratch: scratch + pieceBytes)
        guard let mine = mine.baseAddress, let others = others.baseAddress, memcmp(mine, others, range.count) == 0 else { return false }
      }
    }
    return true
  }
}

/// What tells one array from another while both live: where its buffers are and which of their values it has.
struct ArrayIdentity: Hashable {
  private var addresses: [UInt] = []

  init(_ array: ArrowArray) { add(array) }

  private mutating func add(_ node: ArrowArray) {
    addresses += [UInt(bitPattern: node.start), UInt(bitPattern: node.count)]
    for index in 0..<node.bufferCount { addresses.append(UInt(bitPattern: node.buffer(index))) }
    for index in 0..<node.childCount { if let child = node.child(index) { add(child.pointee) } }
    if let values = node.dictionary { add(values.pointee) }
  }
}
