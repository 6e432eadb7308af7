import Primitives

/// A file while it is written: message after message, then the footer.
struct IPCOutput {
  static let magic = [UInt8]("ARROW1".utf8)

  private let file: AtomicFile
  private let options: IPCWriteOptions
  private let schema: FlatObject
  private let ownMetadata: KeyValues
  private let writer: BufferWriter
  private var position = 8
  /// For each message where it starts, and the sizes of its metadata and its body.
  private var dictionaryBlocks: [Int] = []
  private var batchBlocks: [Int] = []
  private var checksums = IPCChecksums()

  init(_ file: AtomicFile, _ options: IPCWriteOptions, _ schema: Schema, _ fields: [NumberedField]) throws(CacheError) {
    (self.file, self.options) = (file, options)
    self.schema = try flatSchema(schema, fields)
    ownMetadata = DictionaryFacts.pairs(fields)
    writer = BufferWriter(file, options)
  }

  mutating func write(_ messages: [IPCMessage]) throws(CacheError) -> IPCFileFacts {
    let header = IPCMessage.schema(schema, position: position)
    if options.preallocates, options.compression == .none {
      try file.preallocate(offset: 0, byteCount: end(of: messages, from: position + header.count))
    }
    try put(Self.magic + [0, 0], at: 0)
    try put(header, at: position)
    position += header.count
    checksums.messages.append([header.withUnsafeBytes { CRC32C($0).value }])
    for message in messages { try write(message) }
    try writeFooter()
    try file.publish(isDurable: options.isDurable, leavesPageCache: options.leavesPageCache)
    let batchRows = messages.filter(\.isBatch).map(\.rowCount)
    return IPCFileFacts(
      byteCount: position, rowCount: batchRows.reduce(0, +), batchRows: batchRows,
      bufferBytes: messages.reduce(0) { $0 + $1.plan.buffers.reduce(0) { $0 + $1.byteCount } })
  }

  /// Where the last message will end, when nothing is compressed.
  private func end(of messages: [IPCMessage], from start: Int) -> Int {
    messages.reduce(start) { position, message in
      position + emptyMetadata(message, position).count + message.plan.buffers.reduce(0) { $0 + aligned($1.byteCount) }
    }
  }

  /// Metadata of the right size.
  private func emptyMetadata(_ message: IPCMessage, _ position: Int) -> [UInt8] {
    message.metadata(
      places: [Int](repeating: 0, count: 2 * message.plan.buffers.count), bodyBytes: 0, compression: options.compression, position: position)
  }

  private mutating func write(_ message: IPCMessage) throws(CacheError) {
    if options.isCancelled?() ?? false { throw CacheError(.interrupted, "writing '\(file.path)' was cancelled") }
    let start = position
    let body = start + emptyMetadata(message, start).count
    let stored = try writer.write(message.plan.buffers, at: body)
    var places: [Int] = []
    places.reserveCapacity(2 * stored.buffers.count)
    for buffer in stored.buffers { places += [buffer.position - body, buffer.byteCount] }
    let metadata = message.metadata(places: places, bodyBytes: stored.end - body, compression: options.compression, position: start)
    try put(metadata, at: start)
    let block = [start, metadata.count, stored.end - body]
    if message.isBatch { batchBlocks += block } else { dictionaryBlocks += block }
    checksums.messages.append([metadata.withUnsafeBytes { CRC32C($0).value }] + stored.buffers.map(\.checksum))
    position = stored.end
  }

  private mutating func writeFooter() throws(CacheError) {
    func pair(_ key: String, _ value: [UInt8]) -> KeyValue { KeyValue(key: [UInt8](key.utf8), value: value) }
    let metadata = options.metadata + ownMetadata + [
      pair(IPCChecksums.formatKey, [UInt8]("\(IPCChecksums.format)".utf8)), pair(IPCChecksums.key, checksums.text),
      pair(IPCChecksums.sealKey, IPCChecksums.emptySeal),
    ]
    var footer = FlatObject.table([
      .int16(FlatMessage.version), .object(schema), .object(.structures(dictionaryBlocks, words: 3)),
      .object(.structures(batchBlocks, words: 3)), flatKeyValues(metadata),
    ]).encoded
    guard footer.count <= Int(Int32.max) else {
      throw CacheError(.type, "'\(file.path)' needs a footer of \(footer.count) bytes, which Arrow files cannot have: write fewer batches")
    }
    try seal(&footer)
    let endOfMessages: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
    let bytes = endOfMessages + footer + littleEndian(footer.count) + Self.magic
    try put(bytes, at: position)
    position += bytes.count
  }

  private func seal(_ footer: inout [UInt8]) throws(CacheError) {
    let budget = MetadataBudget(byteCount: footer.count)
    let (place, checksum) = try footer.withUnsafeBufferPointer { bytes throws(CacheError) -> (Range<Int>, UInt32) in
      let bytes = UnsafeRawBufferPointer(bytes)
      guard let place = try IPCChecksums.sealPlace(FlatTable(root: bytes), budget) else { throw damaged("its footer has no seal") }
      return (place, IPCChecksums.seal(bytes, place: place))
    }
    footer.replaceSubrange(place, with: IPCChecksums.digits(checksum))
  }

  private func put(_ bytes: [UInt8], at position: Int) throws(CacheError) {
    try bytes.withUnsafeBufferPointer { bytes throws(CacheError) in try file.write(UnsafeRawBufferPointer(bytes), at: position) }
  }
}
