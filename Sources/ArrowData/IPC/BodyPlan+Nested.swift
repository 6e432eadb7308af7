import CArrow
import Primitives

extension BodyPlan {
  /// Lists whose values lie anywhere: of each piece the range between the first and the last value that is used.
  mutating func addListViews<Offset: FixedWidthInteger & SignedInteger>(
    _: Offset.Type, _ field: NumberedField, _ pieces: [ArrayPiece]
  ) throws(CacheError) {
    var runs = Runs<ListViewRun<Offset>>()
    var ranges: [(piece: ArrayPiece, first: Int, count: Int)] = []
    var total = 0
    for piece in pieces where piece.count > 0 {
      guard let offsets = piece.array.buffer(1)?.assumingMemoryBound(to: Offset.self),
        let sizes = piece.array.buffer(2)?.assumingMemoryBound(to: Offset.self)
      else { throw broken("lacks its offsets or sizes") }
      var first = Int.max
      var last = 0
      for index in piece.from..<(piece.from + piece.count) where sizes[index] != 0 && piece.isValid(index) {
        let (end, overflow) = Int(offsets[index]).addingReportingOverflow(Int(sizes[index]))
        guard offsets[index] >= 0, sizes[index] > 0, !overflow else {
          throw broken("has a list of \(sizes[index]) values from \(offsets[index])")
        }
        first = min(first, Int(offsets[index]))
        last = max(last, end)
      }
      if first == .max { first = 0 }
      runs.append(
        ListViewRun(piece: piece, offsets: offsets, sizes: sizes, shift: Offset(truncatingIfNeeded: total - first)), count: piece.count)
      ranges.append((piece, first, last - first))
      total = total.addingSaturated(last - first)
    }
    guard total <= Int(Offset.max) / 2 else { throw tooLong("\(total) list values") }
    let width = MemoryLayout<Offset>.size
    append(
      .made(runs, width: width) { run, first, count, target in
        let target = target.assumingMemoryBound(to: Offset.self)
        for position in 0..<count {
          let index = run.piece.from + first + position
          target[position] = run.isUsed(index) ? run.offsets[index] &+ run.shift : 0
        }
      })
    append(
      .made(runs, width: width) { run, first, count, target in
        let target = target.assumingMemoryBound(to: Offset.self)
        for position in 0..<count {
          let index = run.piece.from + first + position
          target[position] = run.isUsed(index) ? run.sizes[index] : 0
        }
      })
    try addChild(0, of: field, ranges)
  }

  /// Of each child the range between the first and the last value that a piece uses. The type ids have been added.
  mutating func addDenseUnion(_ ids: [Int8], _ field: NumberedField, _ pieces: [ArrayPiece]) throws(CacheError) {
    struct Run {
      let types: UnsafePointer<UInt8>
      let offsets: UnsafePointer<Int32>
      /// For each type id what is added to an offset.
      let shifts: [Int32]
    }
    var childByID = [Int](repeating: -1, count: 256)
    for (index, id) in ids.enumerated() { childByID[Int(id)] = index }
    var runs = Runs<Run>()
    var totals = [Int](repeating: 0, count: ids.count)
    var ranges = [[(piece: ArrayPiece, first: Int, count: Int)]](repeating: [], count: ids.count)
    for piece in pieces where piece.count > 0 {
      guard let types = piece.array.buffer(0)?.assumingMemoryBound(to: UInt8.self),
        let offsets = piece.array.buffer(1)?.assumingMemoryBound(to: Int32.self)
      else { throw broken("lacks its type ids or offsets") }
      var first = [Int](repeating: .max, count: ids.count)
      var end = [Int](repeating: 0, count: ids.count)
      for index in piece.from..<(piece.from + piece.count) {
        let child = childByID[Int(types[index])]
        guard child >= 0, offsets[index] >= 0 else { throw broken("has the union type id \(types[index]) at offset \(offsets[index])") }
        first[child] = min(first[child], Int(offsets[index]))
        end[child] = max(end[child], Int(offsets[index]) + 1)
      }
      var shifts = [Int32](repeating: 0, count: 256)
      for (child, id) in ids.enumerated() {
        if first[child] == .max { first[child] = 0 }
        shifts[Int(id)] = Int32(truncatingIfNeeded: totals[child] - first[child])
        ranges[child].append((piece, first[child], end[child] - first[child]))
        totals[child] += end[child] - first[child]
        guard totals[child] <= Int(Int32.max) else { throw tooLong("\(totals[child]) values of one type") }
      }
      runs.append(Run(types: types + piece.from, offsets: offsets + piece.from, shifts: shifts), count: piece.count)
    }
    append(
      .made(runs, width: 4) { run, first, count, target in
        let target = target.assumingMemoryBound(to: Int32.self)
        for position in 0..<count {
          let index = first + position
          target[position] = run.offsets[index] &+ run.shifts[Int(run.types[index])]
        }
      })
    for child in field.children.indices { try addChild(child, of: field, ranges[child]) }
  }

  /// The runs that cover each piece, the last one cut.
  mutating func addRuns<End: FixedWidthInteger & SignedInteger>(
    _: End.Type, _ field: NumberedField, _ pieces: [ArrayPiece]
  ) throws(CacheError) {
    var runs = Runs<EndRun<End>>()
    var ranges: [(piece: ArrayPiece, first: Int, count: Int)] = []
    var total = 0
    for piece in pieces where piece.count > 0 {
      guard let runEnds = piece.array.child(0)?.pointee, let values = runEnds.buffer(1) else { throw broken("has no run ends") }
      let ends = values.assumingMemoryBound(to: End.self) + runEnds.start
      let first = runIndex(ends, runEnds.count, after: piece.from)
      let last = runIndex(ends, runEnds.count, after: piece.from + piece.count - 1)
      guard first <= last, last < runEnds.count else { throw broken("has runs that do not cover its \(piece.array.count) values") }
      let runCount = last - first + 1
      runs.append(EndRun(ends: ends + first, from: piece.from, count: piece.count, before: total), count: runCount)
      ranges.append((piece, first, runCount))
      total += piece.count
    }
    guard total <= Int(clamping: Int64(End.max)) else { throw tooLong("\(total) values with run ends of \(End.bitWidth) bits") }
    append(nodeOf: runs.count, nullCount: 0)
    append(.empty)
    append(
      .made(runs, width: MemoryLayout<End>.size) { run, first, count, target in
        let target = target.assumingMemoryBound(to: End.self)
        for position in 0..<count {
          let end = Int(run.ends[first + position])
          target[position] = End(truncatingIfNeeded: run.before + min(max(end, run.from) - run.from, run.count))
        }
      })
    try addChild(1, of: field, ranges)
  }
}

private struct ListViewRun<Offset: FixedWidthInteger> {
  let piece: ArrayPiece
  let offsets: UnsafePointer<Offset>
  let sizes: UnsafePointer<Offset>
  /// What is added to an offset.
  let shift: Offset

  func isUsed(_ index: Int) -> Bool { sizes[index] != 0 && piece.isValid(index) }
}

private struct EndRun<End: FixedWidthInteger> {
  let ends: UnsafePointer<End>
  let from: Int
  let count: Int
  /// Values of the pieces before.
  let before: Int
}

/// The first of `count` runs that ends beyond `row`.
func runIndex<End: FixedWidthInteger>(_ ends: UnsafePointer<End>, _ count: Int, after row: Int) -> Int {
  var low = 0
  var high = count
  while low < high {
    let middle = (low + high) / 2
    if Int(ends[middle]) > row { high = middle } else { low = middle + 1 }
  }
  return low
}
