/// The box around a geometry in well-known text. OGC 06-103r4, section 7.
public enum WellKnownText {
  /// A little larger than the geometry, whose numbers may have been rounded; nil where there is no point, or the text is not understood.
  public static func box(_ text: String) -> BoundingBox? {
    var box = BoundingBox.nowhere
    // A point ends at a comma or a bracket; its first two numbers are x and y, whatever follows.
    for point in text.utf8.split(whereSeparator: { "(),".utf8.contains($0) }) {
      let words = point.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
      guard let first = words.first, Double(first) != nil else { continue }
      guard words.count >= 2, let x = Double(words[0]), let y = Double(words[1]), x.isFinite, y.isFinite else { return nil }
      box.include(x: x, y: y)
    }
    guard !box.isNowhere else { return nil }
    let (dx, dy) = (max(box.minX.magnitude, box.maxX.magnitude) * 1e-6, max(box.minY.magnitude, box.maxY.magnitude) * 1e-6)
    return BoundingBox(minX: box.minX - dx, minY: box.minY - dy, maxX: box.maxX + dx, maxY: box.maxY + dy)
  }
}
