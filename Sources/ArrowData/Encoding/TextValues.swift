import CArrow

/// The bytes of one value, and up to where the memory around it may be read.
struct TextValue {
  let start: UnsafeRawPointer
  let count: Int
  let readableEnd: UnsafeRawPointer
}

/// Values of a validated text column by element of its buffers. Only the ends of its offsets have been checked, so each is looked at.
protocol TextValues {
  /// nil where the value does not lie inside its buffer.
  func value(_ element: Int) -> TextValue?
}

struct OffsetTexts<Offset: FixedWidthInteger & SignedInteger>: TextValues {
  private let offsets: UnsafePointer<Offset>
  private let data: UnsafeRawPointer
  private let byteCount: Int

  /// nil where the array has no values.
  init?(_ array: ArrowArray) {
    guard array.count > 0, let offsets = array.buffer(1) else { return nil }
    self.offsets = offsets.assumingMemoryBound(to: Offset.self)
    byteCount = array.buffer(2) == nil ? 0 : array.valueOffset(array.start + array.count, width: MemoryLayout<Offset>.size)
    data = array.buffer(2) ?? CopyMemory.empty
  }

  @inline(__always)
  func value(_ element: Int) -> TextValue? {
    let start = Int(truncatingIfNeeded: offsets[element])
    let end = Int(truncatingIfNeeded: offsets[element + 1])
    guard start >= 0, end >= start, end <= byteCount else { return nil }
    return TextValue(start: data + start, count: end - start, readableEnd: data + byteCount)
  }
}

struct ViewTexts: TextValues {
  private let array: ArrowArray
  private let views: UnsafeRawPointer

  init?(_ array: ArrowArray) {
    guard array.count > 0, let views = array.buffer(1) else { return nil }
    (self.array, self.views) = (array, views)
  }

  @inline(__always)
  func value(_ element: Int) -> TextValue? {
    let view = views + element * 16
    let count = Int(view.loadUnaligned(as: Int32.self))
    if count >= 0, count <= 12 { return TextValue(start: view + 4, count: count, readableEnd: view + 16) }
    let buffer = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
    let offset = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
    guard count > 0, buffer >= 0, buffer < array.variadicCount, offset >= 0, let data = array.buffer(2 + buffer) else { return nil }
    let size = array.variadicSize(buffer)
    guard offset + count <= size else { return nil }
    return TextValue(start: data + offset, count: count, readableEnd: data + size)
  }
}
