import Primitives

extension IPCFile {
  /// Where in the file the buffers of these columns of a batch are (nil: all), a range each, dictionaries not among them.
  public func ranges(_ batch: Int, columns: [Int]? = nil) throws(CacheError) -> [Range<Int>] {
    try located { () throws(CacheError) in
      guard let start = mapping.bytes.baseAddress else { return [] }
      var ranges: [Range<Int>] = []
      for span in try spans(batch, columns) {
        guard let address = span.baseAddress, span.count > 0 else { continue }
        ranges.append((address - start)..<(address - start + span.count))
      }
      return ranges
    }
  }

  /// Compares these columns of a batch (nil: all) and their dictionaries with the checksums of a sealed file.
  public func verify(_ batch: Int, columns: [Int]? = nil) throws(CacheError) {
    try located { () throws(CacheError) in
      guard isSealed else { throw damaged("it has no checksums: it was not written by this engine") }
      let header = try header(batch)
      let extents = try header.extents(fields)
      var buffers: [Int] = []
      for column in columns?.filter(fields.indices.contains) ?? Array(fields.indices) {
        buffers += extents[column].buffers..<extents[column + 1].buffers
        try verifyDictionaries(of: fields[column])
      }
      try header.verify(buffers, threads: options.threadCount)
    }
  }

  /// The memory that the dictionaries of these columns (nil: all) will take, once, where they are compressed.
  public func decompressedDictionaryBytes(columns: [Int]? = nil) throws(CacheError) -> Int {
    try located { () throws(CacheError) in
      var total = 0
      for column in columns?.filter(fields.indices.contains) ?? Array(fields.indices) {
        total = total.addingSaturated(try decompressedDictionaryBytes(of: fields[column]))
      }
      return total
    }
  }

  private func decompressedDictionaryBytes(of field: NumberedField) throws(CacheError) -> Int {
    var total = 0
    if let id = field.dictionaryID, let block = dictionaryBlocks[id] {
      let header = try blocks.dictionaryHeader(block).batch
      for buffer in 0..<header.bufferCount {
        if let byteCount = try header.decompressedBytes(try header.buffer(buffer)) { total = total.addingSaturated(aligned(byteCount)) }
      }
    }
    if let values = field.values { total = total.addingSaturated(try decompressedDictionaryBytes(of: values)) }
    for child in field.children { total = total.addingSaturated(try decompressedDictionaryBytes(of: child)) }
    return total
  }

  private func verifyDictionaries(of field: NumberedField) throws(CacheError) {
    if let id = field.dictionaryID {
      guard let block = dictionaryBlocks[id] else { throw damaged("it lacks dictionary \(id)") }
      try blocks.dictionaryHeader(block).batch.verify(threads: options.threadCount)
    }
    if let values = field.values { try verifyDictionaries(of: values) }
    for child in field.children { try verifyDictionaries(of: child) }
  }
}
