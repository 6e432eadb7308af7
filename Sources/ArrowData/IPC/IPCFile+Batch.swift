import CArrow
import Primitives

/// A dictionary of a file, read once for all batches.
final class IPCDictionary: @unchecked Sendable {
  let node: UnsafeMutablePointer<ArrowArray>
  /// What `node` lies in.
  let memory: CopyMemory

  init(node: UnsafeMutablePointer<ArrowArray>, memory: CopyMemory) { (self.node, self.memory) = (node, memory) }
}

extension IPCFile {
  func readBatch(_ index: Int, columns: [Int]?) throws(CacheError) -> RecordBatch {
    let header = try header(index)
    let chosen = columns ?? Array(fields.indices)
    let extents = try header.extents(fields)
    var loaded = try loadBuffers(header, chosen.map { extents[$0].buffers..<extents[$0 + 1].buffers })
    let nodes = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, chosen.count))
    do throws(CacheError) {
      for (position, column) in chosen.enumerated() {
        let array = try decode(fields[column], header, from: extents[column], &loaded[position], loading: [])
        guard array.count == header.rowCount else {
          throw damaged("its column '\(fields[column].field.name)' has \(array.count) values in a batch of \(header.rowCount) rows")
        }
        (nodes + position).initialize(to: array)
      }
    } catch {
      nodes.deallocate()
      throw error
    }
    return RecordBatch(schema: schema.selecting(columns), rowCount: header.rowCount, columns: nodes, owners: loaded.map(\.memory))
  }

  private var validatesStructure: Bool { options.trust == .structure || options.trust == .automatic && !isSealed }

  private func decode(
    _ field: NumberedField, _ header: IPCBatchHeader, from extent: IPCExtent, _ buffers: inout IPCBuffers, loading: Set<Int>
  ) throws(CacheError) -> ArrowArray {
    let dictionaries = try dictionaries(of: field, loading: loading)
    for dictionary in dictionaries.values { buffers.memory.keep(dictionary) }
    var decoder = IPCArrayDecoder(header, from: extent, buffers, dictionaries, column: field.field.name)
    let array = try decoder.next(field)
    if validatesStructure { try IPCArrayValidator(column: field.field.name).validate(field.field, array) }
    return array
  }

  /// The dictionaries that an array of the field refers to itself, read where they have not been. `loading` are those that are being
  /// read for this call: in a file that is whole none of them is needed for itself.
  private func dictionaries(of field: NumberedField, loading: Set<Int>) throws(CacheError) -> [Int: IPCDictionary] {
    var found: [Int: IPCDictionary] = [:]
    if let id = field.dictionaryID, let values = field.values { found[id] = try dictionary(id, values, loading: loading) }
    for child in field.children { found.merge(try dictionaries(of: child, loading: loading)) { old, _ in old } }
    return found
  }

  private func dictionary(_ id: Int, _ values: NumberedField, loading: Set<Int>) throws(CacheError) -> IPCDictionary {
    if let known = dictionaries.withLock({ $0[id] }) { return known }
    guard let block = dictionaryBlocks[id] else { throw damaged("it lacks dictionary \(id)") }
    guard !loading.contains(id) else { throw damaged("its dictionary \(id) refers to itself") }
    let header = try blocks.dictionaryHeader(block).batch
    let extents = try header.extents([values])
    var loaded = try loadBuffers(header, [0..<extents[1].buffers])
    let array = try decode(values, header, from: IPCExtent(), &loaded[0], loading: loading.union([id]))
    let node = try loaded[0].memory.zeroed(ArrowArray.self, count: 1)
    node.pointee = array
    let read = IPCDictionary(node: node, memory: loaded[0].memory)
    return dictionaries.withLock { known in
      if let earlier = known[id] { return earlier }
      known[id] = read
      return read
    }
  }

  /// Makes buffers ready to be used, those of each range in memory of their own: verifies and decompresses what has to be.
  private func loadBuffers(_ header: IPCBatchHeader, _ ranges: [Range<Int>]) throws(CacheError) -> [IPCBuffers] {
    if options.trust == .checksums { try header.verify(ranges.flatMap { Array($0) }, threads: options.threadCount) }
    var loaded: [IPCBuffers] = []
    var frames: [(frame: UnsafeRawBufferPointer, target: UnsafeMutableRawBufferPointer)] = []
    var total = 0
    for range in ranges {
      var stored: [(bytes: UnsafeRawBufferPointer, decompressedBytes: Int?)] = []
      var needed = 0
      for index in range {
        let bytes = try header.buffer(index)
        let byteCount = try header.decompressedBytes(bytes)
        if let byteCount { needed = needed.addingSaturated(aligned(byteCount)) }
        stored.append((bytes, byteCount))
      }
      total = total.addingSaturated(needed)
      guard total <= options.decompressionLimitBytes else {
        throw CacheError(
          .memoryLimit,
          "'\(path)' needs \(total) bytes to decompress, the limit is \(options.decompressionLimitBytes): ask for fewer columns or raise the limit")
      }
      let memory = CopyMemory(expectedBytes: needed)
      memory.keep(mapping)
      var buffers = IPCBuffers(memory: memory)
      for (bytes, byteCount) in stored {
        let content = header.content(bytes)
        if let byteCount {
          let target = UnsafeMutableRawBufferPointer(start: try memory.buffer(byteCount: byteCount), count: byteCount)
          if byteCount > 0 { frames.append((content, target)) }
          buffers.bytes.append(UnsafeRawBufferPointer(target))
        } else {
          buffers.bytes.append(content)
        }
      }
      loaded.append(buffers)
    }
    try decompress(frames, header.compression)
    return loaded
  }

  private func decompress(
    _ frames: [(frame: UnsafeRawBufferPointer, target: UnsafeMutableRawBufferPointer)], _ compression: IPCCompression
  ) throws(CacheError) {
    guard !frames.isEmpty else { return }
    let threadCount = min(max(1, options.threadCount), frames.count, 256)
    var decompressors: [Decompressor] = []
    for _ in 0..<threadCount { decompressors.append(try Decompressor(compression)) }
    try parallel(count: frames.count, threads: threadCount) { thread, index throws(CacheError) in
      try decompressors[thread].decompress(frames[index].frame, to: frames[index].target)
    }
  }
}

/// The buffers of one column, ready to be used, in the order of the file.
struct IPCBuffers {
  /// Keeps them, and takes the column's nodes.
  let memory: CopyMemory
  var bytes: [UnsafeRawBufferPointer] = []
}
