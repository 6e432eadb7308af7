extension Field {
  /// Whether the column holds geometry as GeoArrow's well-known binary.
  public var isWellKnownBinary: Bool {
    guard metadata.text("ARROW:extension:name").map({ $0 == "geoarrow.wkb" || $0 == "ogc.wkb" }) ?? false else { return false }
    return dictionary == nil && (format == "z" || format == "Z" || format == "vz")
  }
}

extension ValueRange {
  /// The box around the geometries of a column of well-known binary; unknown where one of them cannot be read.
  func geometryBounds(_ format: String) -> ColumnStatistics.Bounds {
    var box = BoundingBox.nowhere
    var isKnown = true
    eachWord { rows, valid in
      guard isKnown else { return }
      for row in rows where valid >> UInt64(row - rows.lowerBound) & 1 == 1 {
        guard let bytes = bytes(row, format) else {
          isKnown = false
          return
        }
        var geometry = WellKnownBinary(bytes)
        if !geometry.include(in: &box) {
          isKnown = false
          return
        }
      }
    }
    guard isKnown else { return .unknown }
    return box.isNowhere ? .noValues : .box(box)
  }

  private func bytes(_ row: Int, _ format: String) -> UnsafeRawBufferPointer? {
    switch format {
    case "z": offsetBytes(row, Int32.self)
    case "Z": offsetBytes(row, Int64.self)
    default: viewBytes(row)
    }
  }

  private func offsetBytes<Offset: FixedWidthInteger>(_ row: Int, _ type: Offset.Type) -> UnsafeRawBufferPointer? {
    guard let offsets = array.buffer(1) else { return nil }
    let width = MemoryLayout<Offset>.size
    guard let start = Int(exactly: offsets.load(fromByteOffset: (first + row) * width, as: Offset.self)),
      let end = Int(exactly: offsets.load(fromByteOffset: (first + row + 1) * width, as: Offset.self)), start >= 0, end >= start
    else { return nil }
    return UnsafeRawBufferPointer(start: array.buffer(2).map { $0 + start }, count: array.buffer(2) == nil ? 0 : end - start)
  }

  private func viewBytes(_ row: Int) -> UnsafeRawBufferPointer? {
    guard let views = array.buffer(1) else { return nil }
    let view = views + (first + row) * 16
    let count = Int(view.load(as: Int32.self))
    guard count >= 0 else { return nil }
    if count <= 12 { return UnsafeRawBufferPointer(start: view + 4, count: count) }
    let index = Int(view.load(fromByteOffset: 8, as: Int32.self))
    let offset = Int(view.load(fromByteOffset: 12, as: Int32.self))
    guard index >= 0, Int64(index) < array.n_buffers - 3, offset >= 0, let data = array.buffer(2 + index) else { return nil }
    return UnsafeRawBufferPointer(start: data + offset, count: count)
  }
}
