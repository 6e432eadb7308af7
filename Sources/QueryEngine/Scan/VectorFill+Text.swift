import CArrow
import Glibc

extension VectorFill {
  func fillText<Failure: Error>(offsetBytes: Int, to target: UnsafeMutableRawPointer, heap: StringHeap<Failure>?) throws(Failure) {
    if offsetBytes == 4 {
      try fillText(offsets: Int32.self, to: target, heap: heap)
    } else {
      try fillText(offsets: Int64.self, to: target, heap: heap)
    }
  }

  /// Text or bytes behind offsets.
  ///
  /// - Parameter heap: where the bytes go; nil: they stay where they are.
  func fillText<Offset: FixedWidthInteger, Failure: Error>(
    offsets: Offset.Type, to target: UnsafeMutableRawPointer, heap: StringHeap<Failure>?
  ) throws(Failure) {
    guard let all = values(1)?.assumingMemoryBound(to: Offset.self), var bytes = values(2) else {
      memset(target, 0, count * 16)
      return
    }
    if hasHeaders {
      memcpy(target, all, count * 16)
      try heap?.adopt(target, count: count)
      return
    }
    let offsets = all + first
    // Short strings are read as 12 bytes at once, which the last ones of the buffer must not be.
    var lastWide = Int(all[Int(array.offset + array.length)]) - 12
    var start = Int(offsets[0])
    let end = Int(offsets[count])
    let isWhole = end - start <= StringHeap<Failure>.limitBytes
    if let heap, isWhole, end - start > 12 {
      // All rows' at once: where one is short, its bytes are few.
      bytes = UnsafeRawPointer(try heap.copy(bytes + start, end - start)) - start
      lastWide = end - 12
    }
    var header = target
    for row in 0..<count {
      let end = Int(offsets[row &+ 1])
      let length = end &- start
      if length <= 12, start <= lastWide {
        StringHeader.writeShort(bytes + start, length, to: header)
      } else {
        StringHeader.write(bytes + start, length, to: header)
      }
      start = end
      header += 16
    }
    if !isWhole { try heap?.adopt(target, count: count) }
  }

  /// Views: the same 16 bytes but for a buffer index and an offset where DuckDB has a pointer.
  func fillViews(to target: UnsafeMutableRawPointer) {
    guard let source = values() else { return }
    memcpy(target, source + first * 16, count * 16)
    let validity = validity
    let dataBuffers = Int(array.n_buffers) - 3
    var header = target
    for row in 0..<count {
      if header.load(as: Int32.self) > 12 {
        let index = Int((header + 8).load(as: Int32.self))
        let offset = Int((header + 12).load(as: Int32.self))
        // What a null's view holds is undefined.
        let isValid = validity.map { $0[(first + row) >> 3] >> UInt8((first + row) & 7) & 1 == 1 } ?? true
        if isValid, index >= 0, index < dataBuffers, let data = array.buffers[2 + index] {
          (header + 8).storeBytes(of: data + offset, as: UnsafeRawPointer.self)
        } else {
          memset(header, 0, 16)
        }
      }
      header += 16
    }
  }
}
