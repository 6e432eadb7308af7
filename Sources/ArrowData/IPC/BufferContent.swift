import Glibc

/// The bytes of one buffer as they go to a file: where they lie in memory, or made piece by piece as they are wanted, so that
/// writing a slice takes no memory beside it.
struct BufferContent: @unchecked Sendable {
  /// Fills `target` with the bytes from `offset`, a multiple of `pieceAlignment`. Any thread may call it.
  typealias Make = (_ offset: Int, _ target: UnsafeMutableRawBufferPointer) -> Void

  /// Pieces start at multiples of this, so that none divides a value.
  static let pieceAlignment = 64
  static let empty = BufferContent(byteCount: 0, source: .memory(CopyMemory.empty))

  enum Source {
    case memory(UnsafeRawPointer)
    case made(Make)
  }

  let byteCount: Int
  let source: Source

  /// Bytes that lie in memory; none where that is missing.
  static func memory(_ start: UnsafeRawPointer?, byteCount: Int) -> BufferContent {
    guard let start, byteCount > 0 else { return empty }
    return BufferContent(byteCount: byteCount, source: .memory(start))
  }

  /// Values of `width` bytes, run after run; `fill` writes so many values of a run, from one of them on.
  static func made<Run>(
    _ runs: Runs<Run>, width: Int, fill: @escaping (Run, _ first: Int, _ count: Int, UnsafeMutableRawPointer) -> Void
  ) -> BufferContent {
    BufferContent(
      byteCount: runs.count * width,
      source: .made { offset, target in
        guard let start = target.baseAddress, width > 0 else { return }
        runs.forEach(from: offset / width, count: target.count / width) { run, first, count, position in
          fill(run, first, count, start + position * width)
        }
      })
  }

  /// Stretches of memory, one after another.
  static func joined(_ stretches: [UnsafeRawBufferPointer]) -> BufferContent {
    var runs = Runs<UnsafeRawPointer>()
    for stretch in stretches { if let start = stretch.baseAddress { runs.append(start, count: stretch.count) } }
    if runs.isSingle, let start = runs.first { return memory(start, byteCount: runs.count) }
    return made(runs, width: 1) { start, first, count, target in target.copyMemory(from: start + first, byteCount: count) }
  }

  /// The bytes of a range: where they lie, or made in `scratch`, which has room for them.
  func bytes(_ range: Range<Int>, scratch: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
    switch source {
    case .memory(let start): return UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    case .made(let make):
      let target = UnsafeMutableRawBufferPointer(start: scratch, count: range.count)
      make(range.lowerBound, target)
      return UnsafeRawBufferPointer(target)
    }
  }

  /// Writes the bytes of a range to `target`.
  func copy(_ range: Range<Int>, to target: UnsafeMutableRawPointer) {
    let bytes = bytes(range, scratch: target)
    if let start = bytes.baseAddress, start != UnsafeRawPointer(target) { target.copyMemory(from: start, byteCount: bytes.count) }
  }
}

/// What a buffer is put together from: runs of values, each from a source of its own.
struct Runs<Source> {
  private var sources: [Source] = []
  /// For each run the number of values up to its end.
  private var ends: [Int] = []

  var count: Int { ends.last ?? 0 }
  var isSingle: Bool { sources.count == 1 }
  var first: Source? { sources.first }

  /// Adds a run; one without values is left out.
  mutating func append(_ source: Source, count: Int) {
    guard count > 0 else { return }
    sources.append(source)
    ends.append(self.count.addingSaturated(count))
  }

  /// Calls `body` for each run that has some of `count` values from `from`: the run, the first of its values that is meant, how many,
  /// and how many values come before them in the range.
  func forEach(from: Int, count: Int, _ body: (Source, _ first: Int, _ count: Int, _ position: Int) -> Void) {
    var low = 0
    var high = ends.count
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] > from { high = middle } else { low = middle + 1 }
    }
    var position = 0
    while position < count, low < ends.count {
      let start = low == 0 ? 0 : ends[low - 1]
      let taken = min(count - position, ends[low] - (from + position))
      body(sources[low], from + position - start, taken, position)
      position += taken
      low += 1
    }
  }
}

/// Bits from bit `from` of a bitmap; without one, ones.
struct BitRun {
  let bits: UnsafeRawPointer?
  let from: Int
}

extension Runs where Source == BitRun {
  /// The bits in one buffer, those of the last byte beyond them zero.
  var content: BufferContent {
    let byteCount = (count + 7) >> 3
    if isSingle, let run = first, let bits = run.bits, run.from & 7 == 0, count & 7 == 0 {
      return .memory(bits + run.from >> 3, byteCount: byteCount)
    }
    return BufferContent(
      byteCount: byteCount,
      source: .made { offset, target in
        guard let start = target.baseAddress else { return }
        memset(start, 0, target.count)
        forEach(from: offset << 3, count: min(target.count << 3, count - offset << 3)) { run, first, count, position in
          put(run, first, count, to: start, at: position)
        }
      })
  }

  /// Puts bits after the bits that a buffer has; its bits from there on are zero.
  private func put(_ run: BitRun, _ first: Int, _ count: Int, to target: UnsafeMutableRawPointer, at position: Int) {
    let head = min(count, -position & 7)
    if head > 0 {
      let bits = run.bits.map { UInt8(truncatingIfNeeded: loadBits($0, from: run.from + first, count: head)) } ?? .max
      let byte = target + position >> 3
      byte.storeBytes(of: byte.load(as: UInt8.self) | (bits & (1 << UInt8(head) - 1)) << UInt8(position & 7), as: UInt8.self)
    }
    guard count > head else { return }
    let rest = target + (position + head) >> 3
    if let bits = run.bits { return copyBits(bits, from: run.from + first + head, count: count - head, to: rest) }
    memset(rest, 0xff, (count - head) >> 3)
    if (count - head) & 7 != 0 {
      (rest + (count - head) >> 3).storeBytes(of: 1 << UInt8((count - head) & 7) - 1, as: UInt8.self)
    }
  }
}
