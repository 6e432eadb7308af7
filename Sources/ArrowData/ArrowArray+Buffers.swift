import CArrow

extension ArrowArray {
  /// The element of its buffers that its first value is.
  var start: Int { Int(offset) }
  var count: Int { Int(length) }
  var bufferCount: Int { Int(n_buffers) }
  var childCount: Int { Int(n_children) }

  /// Buffer `index`, nil where it is missing; producers leave buffers NULL that hold no value.
  @inline(__always)
  func buffer(_ index: Int) -> UnsafeRawPointer? { index < bufferCount ? buffers?[index] : nil }

  @inline(__always)
  func child(_ index: Int) -> UnsafePointer<ArrowArray>? { index < childCount ? UnsafePointer(children?[index]) : nil }

  /// Element `index` of the offsets buffer; 0 where there is none.
  @inline(__always)
  func valueOffset(_ index: Int, width: Int) -> Int {
    guard let offsets = buffer(1) else { return 0 }
    return width == 4
      ? Int(offsets.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      : Int(offsets.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
  }

  /// How many data buffers an array of views has.
  var variadicCount: Int { max(0, bufferCount - 3) }

  /// The size that the last buffer of an array of views gives for data buffer `index`.
  func variadicSize(_ index: Int) -> Int {
    guard let sizes = buffer(bufferCount - 1) else { return 0 }
    return Int(sizes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
  }

  /// The null count of `count` values from `from`: exact where that is known without a look at the bitmap, else -1.
  func nullCount(from: Int, count wanted: Int, layout: Layout) -> Int64 {
    if case .null = layout { return Int64(wanted) }
    if null_count == 0 || !layout.hasValidity || buffer(0) == nil { return 0 }
    return from == start && wanted == count ? null_count : -1
  }
}
