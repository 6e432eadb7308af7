import Primitives

/// Rows of a batch. A range beyond the batch is cut to it.
public struct RecordBatchSlice: Sendable {
  public let batch: RecordBatch
  public let offset: Int
  public let count: Int

  public init(_ batch: RecordBatch, offset: Int, count: Int) {
    self.batch = batch
    self.offset = min(max(offset, 0), batch.rowCount)
    self.count = min(max(count, 0), batch.rowCount - self.offset)
  }

  /// All rows of a batch.
  public init(_ batch: RecordBatch) { self.init(batch, offset: 0, count: batch.rowCount) }
}

/// How an Arrow file is written.
public struct IPCWriteOptions: Sendable {
  public var compression = IPCCompression.none
  /// As the codec numbers its levels; 1 is the fast one. Ignored where nothing is compressed.
  public var level = 1
  /// Threads that compress and write, the caller's among them.
  public var threadCount = 1
  /// Whether the file must survive a power cut: takes as long as the disk does.
  public var isDurable = false
  /// Takes the room of the whole file, or of each part of a compressed one, before writing to it.
  public var preallocates = true
  /// Hints that the file will not be read soon.
  public var leavesPageCache = false
  /// Has the system begin early to write to the disk what is to be made durable soon.
  public var writesEarly = false
  /// Puts slices together to one record batch; false: a record batch for each.
  public var mergesSlices = true
  /// What the file says about itself, in its footer: UTF-8, so that every reader takes it.
  public var metadata: KeyValues = []
  /// Asked before each record batch: true ends the writing with `.interrupted`.
  public var isCancelled: (@Sendable () -> Bool)?

  public init() {}
}

/// What has been written.
public struct IPCFileFacts: Hashable, Sendable {
  /// The size of the file.
  public let byteCount: Int
  public let rowCount: Int
  /// The rows of each record batch.
  public let batchRows: [Int]
  /// The buffers' bytes before compression.
  public let bufferBytes: Int

  public var batchCount: Int { batchRows.count }
}
