import CArrow
import Glibc

/// Brings chosen rows of a column together, up to a vector of them, as an array of its own; for one thread, one column at a time.
final class PickedColumn {
  /// The widest values: views, decimals, intervals.
  private static let widest = 16

  private let validity: UnsafeMutablePointer<UInt64>
  private let values: UnsafeMutableRawPointer
  private var buffers: UnsafeMutablePointer<UnsafeRawPointer?>
  private var bufferCapacity = 3

  init() {
    validity = .allocate(capacity: ScanWorker.vectorSize / 64)
    values = .allocate(byteCount: ScanWorker.vectorSize * Self.widest, alignment: 64)
    buffers = .allocate(capacity: bufferCapacity)
  }

  deinit {
    validity.deallocate()
    values.deallocate()
    buffers.deallocate()
  }

  /// The chosen rows, counted from `row`, as the source of a fill, until the next call. Texts behind offsets become DuckDB's headers.
  func gather(_ column: UnsafePointer<ArrowArray>, row: Int, picks: ArraySlice<UInt32>, kind: ColumnKind) -> VectorFill {
    let source = column.pointee
    let first = Int(source.offset) + row
    return picks.withUnsafeBufferPointer { picks in
      let count = min(picks.count, ScanWorker.vectorSize)
      var array = source
      (array.offset, array.length, array.null_count) = (0, Int64(count), 0)
      prepareBuffers(source)
      buffers[0] = nil
      if source.null_count != 0, let bitmap = source.buffers?[0] {
        gatherBits(bitmap.assumingMemoryBound(to: UInt8.self), first, picks, count, to: validity)
        buffers[0] = UnsafeRawPointer(validity)
        array.null_count = -1
      }
      if let data = source.buffers?[1] {
        gatherValues(data, first, picks, count, kind, source)
        buffers[1] = UnsafeRawPointer(values)
      } else {
        buffers[1] = nil
      }
      array.buffers = buffers
      return VectorFill(gathered: array, count: count)
    }
  }

  /// Room for as many as the array has; what is not gathered stays where it is.
  private func prepareBuffers(_ source: ArrowArray) {
    let count = max(3, Int(source.n_buffers))
    if count > bufferCapacity {
      buffers.deallocate()
      buffers = .allocate(capacity: count)
      bufferCapacity = count
    }
    for index in 0..<count { buffers[index] = index < Int(source.n_buffers) ? source.buffers?[index] : nil }
  }

  private func gatherValues(
    _ data: UnsafeRawPointer, _ first: Int, _ picks: UnsafeBufferPointer<UInt32>, _ count: Int, _ kind: ColumnKind, _ source: ArrowArray
  ) {
    switch kind {
    case .bits: gatherBits(data.assumingMemoryBound(to: UInt8.self), first, picks, count, to: values.assumingMemoryBound(to: UInt64.self))
    case .fixed(let width), .dictionaryText(let width, _), .dictionaryFixed(let width, _), .narrow(let width, _, _): gather(width, data, first, picks, count)
    case .halfFloat: gather(2, data, first, picks, count)
    case .textView, .decimal: gather(16, data, first, picks, count)
    case .text32: gatherHeaders(Int32.self, data, first, picks, count, source)
    case .text64: gatherHeaders(Int64.self, data, first, picks, count, source)
    case .structure, .converted: break
    }
  }

  private func gather(_ width: Int, _ data: UnsafeRawPointer, _ first: Int, _ picks: UnsafeBufferPointer<UInt32>, _ count: Int) {
    switch width {
    case 1: gather(UInt8.self, data, first, picks, count)
    case 2: gather(UInt16.self, data, first, picks, count)
    case 4: gather(UInt32.self, data, first, picks, count)
    case 8: gather(UInt64.self, data, first, picks, count)
    default: gather(UInt128.self, data, first, picks, count)
    }
  }

  @inline(__always)
  private func gather<Element: BitwiseCopyable>(
    _: Element.Type, _ data: UnsafeRawPointer, _ first: Int, _ picks: UnsafeBufferPointer<UInt32>, _ count: Int
  ) {
    let width = MemoryLayout<Element>.stride
    let base = data + first &* width
    let target = values.assumingMemoryBound(to: Element.self)
    for index in 0..<count {
      target[index] = base.loadUnaligned(fromByteOffset: Int(picks[index]) &* width, as: Element.self)
    }
  }

  private func gatherBits(
    _ bits: UnsafePointer<UInt8>, _ first: Int, _ picks: UnsafeBufferPointer<UInt32>, _ count: Int, to words: UnsafeMutablePointer<UInt64>
  ) {
    var index = 0
    while index < count {
      let width = min(64, count &- index)
      var word: UInt64 = 0
      for place in 0..<width {
        let bit = first &+ Int(picks[index &+ place])
        word |= UInt64(bits[bit >> 3] >> UInt8(truncatingIfNeeded: bit & 7) & 1) << UInt64(truncatingIfNeeded: place)
      }
      words[index >> 6] = word
      index &+= width
    }
  }

  private func gatherHeaders<Offset: FixedWidthInteger>(
    _: Offset.Type, _ data: UnsafeRawPointer, _ first: Int, _ picks: UnsafeBufferPointer<UInt32>, _ count: Int, _ source: ArrowArray
  ) {
    guard let bytes = source.buffers?[2] else {
      memset(values, 0, count * 16)
      return
    }
    let all = data.assumingMemoryBound(to: Offset.self)
    let offsets = all + first
    let lastWide = Int(all[Int(source.offset + source.length)]) - 12
    var header = values
    for index in 0..<count {
      let row = Int(picks[index])
      let start = Int(offsets[row])
      let length = Int(offsets[row &+ 1]) &- start
      if length <= 12, start <= lastWide {
        StringHeader.writeShort(bytes + start, length, to: header)
      } else {
        StringHeader.write(bytes + start, length, to: header)
      }
      header += 16
    }
  }
}
