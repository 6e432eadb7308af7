import Primitives

/// Writes rows as files in Arrow's IPC file format, which pyarrow, Polars and others read.
///
/// A file is written at once and comes to be whole or not at all, see `AtomicFile`. Uncompressed, the bytes go to the file from where
/// they lie; what a slice needs rewritten is made piece by piece, so writing takes about 2 MiB a thread. Compressed, it takes the
/// compressed form of a few buffers, or of the largest one.
///
/// ```
/// "ARROW1" │ schema │ dictionary … │ record batch … │ end │ footer │ its size │ "ARROW1"
///                     └ metadata │ buffer │ buffer …     └ schema, where the messages are, our facts, checksums
/// ```
/// Every buffer starts at a multiple of 64 bytes.
public struct IPCWriter: Sendable {
  public let files: any FileSystem
  public let options: IPCWriteOptions

  public init(files: any FileSystem = SystemFiles(), options: IPCWriteOptions = IPCWriteOptions()) {
    (self.files, self.options) = (files, options)
  }

  /// Slices beyond so many bytes together are not merged: 32-bit offsets must reach all of a batch.
  private static let mergedBytes = 1 << 30

  /// Writes slices of batches of one schema, in order, to a file of a new name.
  ///
  /// Blocks for as long as the disk takes. Throws `.storage` where the disk fails, `.type` for what Arrow files cannot hold, `.stream`
  /// where values lie outside their buffers; the folder is then as it was.
  @discardableResult
  public func write(_ slices: [RecordBatchSlice], schema: Schema, to path: String) throws(CacheError) -> IPCFileFacts {
    for slice in slices where slice.batch.schema != schema {
      throw CacheError(.argument, "a batch for '\(path)' has another schema than the file: write it to a file of its own")
    }
    for pair in options.metadata where IPCChecksums.isReserved(pair) {
      let key = String(decoding: pair.key, as: UTF8.self)
      throw CacheError(.argument, "the key '\(key)' in the metadata of '\(path)' is the file's own: choose another")
    }
    // Plans hold addresses alone.
    return try withExtendedLifetime(slices) { () throws(CacheError) -> IPCFileFacts in
      let fields = try NumberedField.fields(of: schema)
      let dictionaries = try DictionaryPlan(fields, columns(slices, fields.count))
      var messages: [IPCMessage] = []
      for dictionary in dictionaries.dictionaries {
        var plan = BodyPlan(dictionaries: dictionaries, column: dictionary.values.field.name)
        try plan.add(dictionary.values, dictionary.pieces)
        messages.append(IPCMessage(kind: .dictionary(id: dictionary.id), rowCount: dictionary.count, plan: plan))
      }
      for group in groups(slices) { messages += try batches(group, fields, dictionaries) }
      var output = try IPCOutput(AtomicFile(path, files: files), options, schema, fields)
      return try output.write(messages)
    }
  }

  /// For each column its pieces.
  private func columns(_ slices: [RecordBatchSlice], _ columnCount: Int) -> [[ArrayPiece]] {
    (0..<columnCount).map { column in
      slices.map { slice in
        let array = slice.batch.column(column).pointee
        return ArrayPiece(array, from: array.start + slice.offset, count: slice.count)
      }
    }
  }

  /// Slices that go into one record batch each, as far as their bytes allow.
  private func groups(_ slices: [RecordBatchSlice]) -> [[RecordBatchSlice]] {
    guard options.mergesSlices else { return slices.map { [$0] } }
    var groups: [[RecordBatchSlice]] = []
    var groupBytes = 0
    for slice in slices where slice.count > 0 {
      let byteCount = slice.batch.byteCount(offset: slice.offset, count: slice.count)
      if groups.isEmpty || groupBytes.addingSaturated(byteCount) > Self.mergedBytes {
        groups.append([])
        groupBytes = 0
      }
      groups[groups.count - 1].append(slice)
      groupBytes = groupBytes.addingSaturated(byteCount)
    }
    return groups.isEmpty && !slices.isEmpty ? [[slices[0]]] : groups
  }

  private func batches(
    _ group: [RecordBatchSlice], _ fields: [NumberedField], _ dictionaries: DictionaryPlan
  ) throws(CacheError) -> [IPCMessage] {
    func message(_ slices: [RecordBatchSlice]) throws(CacheError) -> IPCMessage {
      let plan = try BodyPlan.batch(fields, columns(slices, fields.count), dictionaries)
      return IPCMessage(kind: .batch, rowCount: slices.reduce(0) { $0 + $1.count }, plan: plan)
    }
    do throws(CacheError) {
      return [try message(group)]
    } catch {
      // Together they may be beyond what 32-bit offsets or run ends reach; each by itself is what it was.
      guard group.count > 1, error.code == .type else { throw error }
      var messages: [IPCMessage] = []
      for slice in group { messages.append(try message([slice])) }
      return messages
    }
  }
}
