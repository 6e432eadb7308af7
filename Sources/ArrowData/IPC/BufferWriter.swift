import Primitives

/// Writes buffers to a file, each at a multiple of 64 bytes, compressing them where that is wanted, on several threads.
final class BufferWriter {
  struct Stored {
    let position: Int
    let byteCount: Int
    let checksum: UInt32
  }

  /// Part of a buffer, and where in the file it goes.
  private struct Part {
    let buffer: Int
    let range: Range<Int>
    let position: Int
  }

  /// What one write has at the most: it stays in the processor's cache from the checksum to the write.
  private static let pieceBytes = 512 << 10
  /// Buffers below this are put together to one write.
  private static let smallBytes = 64 << 10
  /// Room for the compressed form of buffers that are compressed at the same time, for each thread.
  private static let windowBytes = 16 << 20

  /// So much is written early at a time.
  private static let earlyBytes = 8 << 20

  private let file: AtomicFile
  private let options: IPCWriteOptions
  private let threadCount: Int
  private let scratch: [ScratchMemory]
  private let window = ScratchMemory()
  private var compressors: [Compressor] = []

  init(_ file: AtomicFile, _ options: IPCWriteOptions) {
    (self.file, self.options) = (file, options)
    threadCount = min(max(1, options.threadCount), 256)
    scratch = (0..<threadCount).map { _ in ScratchMemory() }
  }

  /// Writes the buffers from `start` on; returns where each is, and the position after the last.
  func write(_ buffers: [BufferContent], at start: Int) throws(CacheError) -> (buffers: [Stored], end: Int) {
    var position = start
    if options.compression == .none {
      let stored = try store(buffers, at: &position)
      return (stored, position)
    }
    var stored: [Stored] = []
    var index = 0
    while index < buffers.count {
      let first = index
      var room = 0
      while index < buffers.count, index == first || room < Self.windowBytes * threadCount {
        room += aligned(Compressor.limitBytes(buffers[index].byteCount, options.compression))
        index += 1
      }
      let compressed = try compress(Array(buffers[first..<index]), room: room)
      if options.preallocates {
        try file.preallocate(offset: position, byteCount: compressed.reduce(0) { $0 + aligned($1.byteCount) })
      }
      stored += try store(compressed, at: &position)
    }
    return (stored, position)
  }

  private func compress(_ buffers: [BufferContent], room: Int) throws(CacheError) -> [BufferContent] {
    while compressors.count < threadCount { compressors.append(try Compressor(options.compression, level: options.level)) }
    let start = try window.room(byteCount: room)
    var offsets: [Int] = []
    var offset = 0
    for buffer in buffers {
      offsets.append(offset)
      offset += aligned(Compressor.limitBytes(buffer.byteCount, options.compression))
    }
    let sizes = UnsafeMutableBufferPointer<Int>.allocate(capacity: buffers.count)
    sizes.initialize(repeating: 0)
    defer { sizes.deallocate() }
    try parallel(count: buffers.count, threads: threadCount) { thread, index throws(CacheError) in
      let buffer = buffers[index]
      guard buffer.byteCount > 0 else { return }
      var room = UnsafeMutableRawPointer(mutating: CopyMemory.empty)
      if case .made = buffer.source { room = try scratch[thread].room(byteCount: buffer.byteCount) }
      let limit = Compressor.limitBytes(buffer.byteCount, options.compression)
      sizes[index] = try compressors[thread].compress(
        buffer.bytes(0..<buffer.byteCount, scratch: room), to: UnsafeMutableRawBufferPointer(start: start + offsets[index], count: limit))
    }
    return buffers.indices.map { .memory(start + offsets[$0], byteCount: sizes[$0]) }
  }

  /// Writes buffers as they are from `position` on.
  private func store(_ buffers: [BufferContent], at position: inout Int) throws(CacheError) -> [Stored] {
    var parts: [Part] = []
    /// Parts of one write each: a piece of a large buffer, or small buffers that follow each other.
    var writes: [Range<Int>] = []
    var smallBytes = 0
    var positions: [Int] = []
    for (index, buffer) in buffers.enumerated() {
      positions.append(position)
      defer { position += aligned(buffer.byteCount) }
      guard buffer.byteCount > 0 else { continue }
      if buffer.byteCount < Self.smallBytes {
        parts.append(Part(buffer: index, range: 0..<buffer.byteCount, position: position))
        if smallBytes > 0, smallBytes + aligned(buffer.byteCount) <= Self.pieceBytes, let last = writes.popLast() {
          writes.append(last.lowerBound..<parts.count)
          smallBytes += aligned(buffer.byteCount)
        } else {
          writes.append((parts.count - 1)..<parts.count)
          smallBytes = aligned(buffer.byteCount)
        }
        continue
      }
      smallBytes = 0
      for start in stride(from: 0, to: buffer.byteCount, by: Self.pieceBytes) {
        parts.append(Part(buffer: index, range: start..<min(start + Self.pieceBytes, buffer.byteCount), position: position + start))
        writes.append((parts.count - 1)..<parts.count)
      }
    }
    // Where in the order of writes one ends a stretch that is written early: those of one thread or two come in about that order.
    let stretches = options.writesEarly ? self.stretches(writes.map { (parts[$0.lowerBound].position, parts[$0.upperBound - 1]) }) : [:]
    let checksums = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: parts.count)
    checksums.initialize(repeating: 0)
    defer { checksums.deallocate() }
    // Two: file systems let one writer at a time into a file, while the other takes checksums.
    try parallel(count: writes.count, threads: min(threadCount, 2)) { thread, index throws(CacheError) in
      try write(parts, writes[index], of: buffers, scratch[thread], checksums)
      if let stretch = stretches[index] { file.advise(.willSynchronize, offset: stretch.lowerBound, byteCount: stretch.count) }
    }
    var whole = [CRC32C](repeating: CRC32C(), count: buffers.count)
    for (part, checksum) in zip(parts, checksums) { whole[part.buffer].add(checksum, byteCount: part.range.count) }
    return buffers.indices.map { Stored(position: positions[$0], byteCount: buffers[$0].byteCount, checksum: whole[$0].value) }
  }

  private func stretches(_ writes: [(start: Int, last: Part)]) -> [Int: Range<Int>] {
    var stretches: [Int: Range<Int>] = [:]
    var start = writes.first?.start ?? 0
    for (index, write) in writes.enumerated() {
      let end = write.last.position + write.last.range.count
      guard end - start >= Self.earlyBytes else { continue }
      stretches[index] = start..<end
      start = end
    }
    return stretches
  }

  /// One write. Small buffers come together in memory with zeros between them.
  private func write(
    _ parts: [Part], _ range: Range<Int>, of buffers: [BufferContent], _ scratch: ScratchMemory,
    _ checksums: UnsafeMutableBufferPointer<UInt32>
  ) throws(CacheError) {
    let room = try scratch.room(byteCount: Self.pieceBytes)
    let first = parts[range.lowerBound]
    if range.count == 1 {
      let bytes = buffers[first.buffer].bytes(first.range, scratch: room)
      checksums[range.lowerBound] = CRC32C(bytes).value
      return try file.write(bytes, at: first.position)
    }
    var filled = 0
    for index in range {
      let part = parts[index]
      let offset = part.position - first.position
      (room + filled).initializeMemory(as: UInt8.self, repeating: 0, count: offset - filled)
      buffers[part.buffer].copy(part.range, to: room + offset)
      checksums[index] = CRC32C(UnsafeRawBufferPointer(start: room + offset, count: part.range.count)).value
      filled = offset + part.range.count
    }
    try file.write(UnsafeRawBufferPointer(start: room, count: filled), at: first.position)
  }
}
