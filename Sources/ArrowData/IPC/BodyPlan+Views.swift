import CArrow
import Primitives

extension BodyPlan {
  /// Where the values of a piece of views lie that are not in the views themselves.
  private struct Extent {
    /// For each data buffer the first byte that is used and the one after the last.
    var first: [Int]
    var end: [Int]
    /// Bytes of all values, those counted twice that two views refer to.
    var usedBytes = 0

    var spannedBytes: Int { zip(first, end).reduce(0) { $0 + max(0, $1.1 - $1.0) } }
  }

  private struct Run {
    let piece: ArrayPiece
    let views: UnsafeRawPointer
    /// For each data buffer its number in the file, and the byte of it that comes first there.
    let number: [Int32]
    let first: [Int32]
  }

  /// Below this a range with gaps is written as it is.
  private static let smallestWaste = 64 << 10

  /// Views of strings or bytes: 16 bytes each, see `ViewCopier`. Of each data buffer the range is written that the pieces use;
  /// values that lie scattered over much more than themselves are moved together first.
  mutating func addViews(_ field: Field, _ pieces: [ArrayPiece]) throws(CacheError) {
    var runs = Runs<Run>()
    var data: [BufferContent] = []
    for original in pieces where original.count > 0 {
      let (piece, extent) = try gathered(field, original)
      guard let views = piece.array.buffer(1) else { throw broken("lacks its views") }
      var number = [Int32](repeating: 0, count: extent.first.count)
      for (index, first) in extent.first.enumerated() where extent.end[index] > first {
        number[index] = Int32(truncatingIfNeeded: data.count)
        data.append(.memory(piece.array.buffer(2 + index).map { $0 + first }, byteCount: extent.end[index] - first))
      }
      runs.append(
        Run(piece: piece, views: views, number: number, first: extent.first.map { Int32(truncatingIfNeeded: $0) }), count: piece.count)
    }
    guard data.count <= Int(Int32.max) else { throw tooLong("\(data.count) data buffers") }
    append(
      .made(runs, width: 16) { run, first, count, target in
        let source = run.views + (run.piece.from + first) * 16
        target.copyMemory(from: source, byteCount: count * 16)
        for position in 0..<count {
          let view = target + position * 16
          guard run.piece.isValid(run.piece.from + first + position) else {
            view.initializeMemory(as: UInt8.self, repeating: 0, count: 16)  // may hold anything: must not refer to a buffer
            continue
          }
          let buffer = Int(view.load(fromByteOffset: 8, as: Int32.self))
          if view.load(as: UInt32.self) <= 12 || !run.number.indices.contains(buffer) { continue }
          view.storeBytes(of: run.number[buffer], toByteOffset: 8, as: Int32.self)
          view.storeBytes(of: view.load(fromByteOffset: 12, as: Int32.self) &- run.first[buffer], toByteOffset: 12, as: Int32.self)
        }
      })
    append(variadicCount: data.count)
    for buffer in data { append(buffer) }
  }

  /// The piece, or a copy with its values together where that is much smaller.
  private mutating func gathered(_ field: Field, _ piece: ArrayPiece) throws(CacheError) -> (ArrayPiece, Extent) {
    let extent = try extent(piece)
    guard extent.spannedBytes > Self.smallestWaste, extent.usedBytes < extent.spannedBytes / 2 else { return (piece, extent) }
    let memory = CopyMemory(expectedBytes: extent.usedBytes + piece.count * 16 + 1024)
    let copier = ArrayCopier(memory: memory, dictionaries: DictionaryCopies(), source: memory, column: field.name)
    let copy = ArrayPiece(try copier.copy(field, piece.array, from: piece.from, count: piece.count))
    keep(memory)
    return (copy, try self.extent(copy))
  }

  private func extent(_ piece: ArrayPiece) throws(CacheError) -> Extent {
    let array = piece.array
    let bufferCount = array.variadicCount
    var extent = Extent(first: [Int](repeating: .max, count: bufferCount), end: [Int](repeating: 0, count: bufferCount))
    guard let views = array.buffer(1) else { return extent }
    let sizes = (0..<bufferCount).map { array.buffer(2 + $0) == nil ? 0 : array.variadicSize($0) }
    for index in piece.from..<(piece.from + piece.count) {
      let view = views + index * 16
      let length = Int(view.loadUnaligned(as: Int32.self))
      if (0...12).contains(length) || !piece.isValid(index) { continue }
      let buffer = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
      let offset = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
      guard length > 0, buffer >= 0, buffer < bufferCount, offset >= 0, offset + length <= sizes[buffer] else {
        throw broken("has a view of \(length) bytes from \(offset) of data buffer \(buffer)")
      }
      extent.first[buffer] = min(extent.first[buffer], offset)
      extent.end[buffer] = max(extent.end[buffer], offset + length)
      extent.usedBytes += length
    }
    for buffer in 0..<bufferCount where extent.end[buffer] == 0 { extent.first[buffer] = 0 }
    return extent
  }
}
