import Glibc

/// The memory of a vector's own for its strings.
struct StringHeap<Failure: Error> {
  /// As much as is brought here at once: one API takes it for a single string.
  static var limitBytes: Int { 1 << 30 }

  /// This many bytes, which start as a copy of what is at `source`.
  let copy: (_ source: UnsafeRawPointer, _ byteCount: Int) throws(Failure) -> UnsafeMutableRawPointer

  /// Brings the strings that `count` headers point at here, and has the headers point here.
  func adopt(_ headers: UnsafeMutableRawPointer, count: Int) throws(Failure) {
    for row in 0..<count {
      let header = headers + row * 16
      let length = Int(header.load(as: UInt32.self))
      guard length > 12 else { continue }
      let target = try copy((header + 8).load(as: UnsafeRawPointer.self), length)
      (header + 8).storeBytes(of: UnsafeRawPointer(target), as: UnsafeRawPointer.self)
    }
  }
}

/// DuckDB's 16-byte string: the length, then the bytes (up to 12, zero-padded) or their first 4 and a pointer.
enum StringHeader {
  @inline(__always)
  static func write(_ bytes: UnsafeRawPointer, _ length: Int, to header: UnsafeMutableRawPointer) {
    if length <= 12 {
      header.storeBytes(of: UInt64(truncatingIfNeeded: length), as: UInt64.self)
      (header + 8).storeBytes(of: 0, as: UInt64.self)
      if length > 0 { memcpy(header + 4, bytes, length) }
    } else {
      let prefix = UInt64(bytes.loadUnaligned(as: UInt32.self))
      header.storeBytes(of: UInt64(UInt32(truncatingIfNeeded: length)) | prefix << 32, as: UInt64.self)
      (header + 8).storeBytes(of: bytes, as: UnsafeRawPointer.self)
    }
  }

  /// At most 12 bytes, where 12 can be read: two loads and masks in place of a call to memcpy.
  @inline(__always)
  static func writeShort(_ bytes: UnsafeRawPointer, _ length: Int, to header: UnsafeMutableRawPointer) {
    let head = UInt64(bytes.loadUnaligned(as: UInt32.self))
    let tail = (bytes + 4).loadUnaligned(as: UInt64.self)
    let headMask: UInt64 = length >= 4 ? 0xffff_ffff : (1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1
    let beyond = length &- 4
    let tailMask: UInt64 = beyond <= 0 ? 0 : beyond >= 8 ? ~0 : (1 << UInt64(truncatingIfNeeded: beyond &* 8)) &- 1
    header.storeBytes(of: UInt64(truncatingIfNeeded: length) | (head & headMask) << 32, as: UInt64.self)
    (header + 8).storeBytes(of: tail & tailMask, as: UInt64.self)
  }
}
