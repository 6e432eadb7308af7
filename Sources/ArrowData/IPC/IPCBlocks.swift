import Primitives

/// Where the messages of a file are, with their checksums where it has them.
struct IPCBlocks: Sendable {
  struct Block: Sendable {
    let offset: Int
    let metadataBytes: Int
    let bodyBytes: Int
  }

  let mapping: FileMapping
  let dictionaries: [Block]
  let batches: [Block]
  private let checksums: IPCChecksums?
  /// The least version of the metadata that the schema can be read with.
  private let oldestVersion: Int

  init(
    _ footer: FlatTable, _ mapping: FileMapping, _ checksums: IPCChecksums?, oldestVersion: Int, _ budget: MetadataBudget
  ) throws(CacheError) {
    (self.mapping, self.checksums, self.oldestVersion) = (mapping, checksums, oldestVersion)
    dictionaries = try Self.list(footer, slot: 2, mapping, budget)
    batches = try Self.list(footer, slot: 3, mapping, budget)
    if let checksums, checksums.messages.count != 1 + dictionaries.count + batches.count {
      throw damaged("it has checksums for \(checksums.messages.count) messages, needs \(1 + dictionaries.count + batches.count)")
    }
  }

  private static func list(
    _ footer: FlatTable, slot: Int, _ mapping: FileMapping, _ budget: MetadataBudget
  ) throws(CacheError) -> [Block] {
    let vector = try footer.vector(slot, stride: 24)
    try budget.take(byteCount: 24 * vector.count)
    let fileBytes = mapping.bytes.count
    var blocks: [Block] = []
    blocks.reserveCapacity(vector.count)
    for index in 0..<vector.count {
      let offset = try vector.int(index, Int64.self)
      let metadataBytes = try vector.int(index, offset: 8, Int32.self)
      let bodyBytes = try vector.int(index, offset: 16, Int64.self)
      guard offset >= 8, offset <= fileBytes, metadataBytes >= 16, metadataBytes <= fileBytes - offset, bodyBytes >= 0,
        bodyBytes <= fileBytes - offset - metadataBytes
      else { throw damaged("its message \(index) of \(metadataBytes) and \(bodyBytes) bytes at \(offset) lies beyond its \(fileBytes) bytes") }
      blocks.append(Block(offset: offset, metadataBytes: metadataBytes, bodyBytes: bodyBytes))
    }
    return blocks
  }

  func batchHeader(_ index: Int) throws(CacheError) -> IPCBatchHeader {
    let (header, body) = try message(batches[index], FlatMessage.batch, number: 1 + dictionaries.count + index)
    return try IPCBatchHeader(header, body, checksums: checksums?.messages[1 + dictionaries.count + index].dropFirst())
  }

  func dictionaryHeader(_ index: Int) throws(CacheError) -> (id: Int, batch: IPCBatchHeader) {
    let (header, body) = try message(dictionaries[index], FlatMessage.dictionary, number: 1 + index)
    guard let batch = try header.table(1) else { throw damaged("its dictionary message \(index) has no values") }
    let id = try header.int(0, Int64.self)
    guard try !header.bool(2) else {
      throw CacheError(
        .type, "its dictionary \(id) comes in several parts: write it with one dictionary a column (pyarrow: unify_dictionaries)")
    }
    return (id, try IPCBatchHeader(batch, body, checksums: checksums?.messages[1 + index].dropFirst()))
  }

  /// For each dictionary its message.
  func dictionaryNumbers() throws(CacheError) -> [Int: Int] {
    var numbers: [Int: Int] = [:]
    for index in dictionaries.indices {
      let id = try dictionaryHeader(index).id
      guard numbers.updateValue(index, forKey: id) == nil else {
        throw CacheError(
          .type, "its dictionary \(id) is replaced between batches: write it with one dictionary a column (pyarrow: unify_dictionaries)")
      }
    }
    return numbers
  }

  private func message(
    _ block: Block, _ kind: Int, number: Int
  ) throws(CacheError) -> (header: FlatTable, body: UnsafeRawBufferPointer) {
    let metadata = UnsafeRawBufferPointer(rebasing: mapping.bytes[block.offset..<(block.offset + block.metadataBytes)])
    if let checksums, checksums.messages[number].first != CRC32C(metadata).value {
      throw damaged("the metadata of its message \(number) has another checksum than its footer says")
    }
    // Files from before Arrow 0.15 lack the mark in front of the size.
    let lead = try load(metadata, 0, as: UInt32.self) == 0xffff_ffff ? 8 : 4
    let size = Int(try load(metadata, lead - 4, as: Int32.self))
    guard size >= 8, size <= metadata.count - lead else { throw damaged("its message \(number) says that it has \(size) bytes of \(metadata.count)") }
    let message = try FlatTable(root: UnsafeRawBufferPointer(rebasing: metadata[lead..<(lead + size)]))
    guard try message.int(0, Int16.self) >= oldestVersion else {
      throw CacheError(.type, "it has unions or run ends as Arrow laid them out before 1.0, or is older still: write it anew")
    }
    guard try message.int(1, UInt8.self) == kind, let header = try message.table(2) else {
      throw damaged("its message \(number) is not what its footer says")
    }
    let body = block.offset + block.metadataBytes
    return (header, UnsafeRawBufferPointer(rebasing: mapping.bytes[body..<(body + block.bodyBytes)]))
  }

  /// Compares every checksum with the bytes.
  func verify(threads: Int) throws(CacheError) {
    guard let checksums else { return }
    let size = Int(try load(mapping.bytes, 12, as: Int32.self))
    guard size >= 0, size <= mapping.bytes.count - 16,
      checksums.messages[0] == [CRC32C(UnsafeRawBufferPointer(rebasing: mapping.bytes[8..<(16 + size)])).value]
    else { throw damaged("its first message has another checksum than its footer says") }
    for index in dictionaries.indices { try dictionaryHeader(index).batch.verify(threads: threads) }
    for index in batches.indices { try batchHeader(index).verify(threads: threads) }
  }
}
