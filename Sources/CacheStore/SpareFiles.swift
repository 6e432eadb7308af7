/// Segments whose rows are in memory and on disk.
struct SpareFiles {
  private var segments: [WeakSegment] = []
  private var sweptAt = 64

  mutating func insert(_ segment: Segment) {
    if segments.count >= sweptAt {
      segments.removeAll { $0.segment == nil }
      sweptAt = max(64, 2 * segments.count)
    }
    segments.append(WeakSegment(segment: segment))
  }

  /// Takes the files; the caller lets go of them with no lock held.
  mutating func take() -> [SegmentFile] {
    let files = segments.compactMap { $0.segment?.takeSpareFile() }
    // A move may be under way that comes to nothing.
    segments.removeAll { $0.segment?.file == nil }
    return files
  }
}

struct WeakSegment { weak var segment: Segment? }
