import CCompression
import Primitives

/// Makes the compressed form of buffers: 8 bytes with the length of the original, then one frame; or -1 and the original, where
/// compressing saves next to nothing and would only cost the reader. For one thread at a time.
final class Compressor {
  private let compression: IPCCompression
  private let level: Int32
  private let zstd: OpaquePointer?

  init(_ compression: IPCCompression, level: Int) throws(CacheError) {
    (self.compression, self.level) = (compression, Int32(clamping: level))
    zstd = compression == .zstd ? ZSTD_createCCtx() : nil
    if compression == .zstd, zstd == nil { throw CacheError(.memoryLimit, "the system has no memory for a ZSTD compressor: free memory") }
  }

  deinit { if let zstd { ZSTD_freeCCtx(zstd) } }

  /// Room that the compressed form of so many bytes may need.
  static func limitBytes(_ byteCount: Int, _ compression: IPCCompression) -> Int {
    let frame = compression == .lz4 ? withLZ4(level: 0) { LZ4F_compressFrameBound(byteCount, $0) } : ZSTD_compressBound(byteCount)
    return 8 + max(frame, byteCount)
  }

  /// Writes the compressed form of a buffer that is not empty to `target`, which has room for it; returns its size.
  func compress(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) throws(CacheError) -> Int {
    guard let start = source.baseAddress, let to = target.baseAddress, target.count >= Self.limitBytes(source.count, compression) else {
      throw CacheError(.storage, "cannot compress \(source.count) bytes into a room of \(target.count)")
    }
    var frameBytes = source.count
    switch compression {
    case .none: break
    case .lz4:
      frameBytes = withLZ4(level: level) { LZ4F_compressFrame(to + 8, target.count - 8, start, source.count, $0) }
      if LZ4F_isError(frameBytes) != 0 { throw failure("LZ4 failed", LZ4F_getErrorName(frameBytes)) }
    case .zstd:
      frameBytes = ZSTD_compressCCtx(zstd, to + 8, target.count - 8, start, source.count, level)
      if ZSTD_isError(frameBytes) != 0 { throw failure("ZSTD failed", ZSTD_getErrorName(frameBytes)) }
    }
    if frameBytes < source.count - source.count / 32 {
      to.storeBytes(of: Int64(source.count).littleEndian, as: Int64.self)
      return 8 + frameBytes
    }
    to.storeBytes(of: Int64(-1).littleEndian, as: Int64.self)
    (to + 8).copyMemory(from: start, byteCount: source.count)
    return 8 + source.count
  }
}

/// Blocks of 4 MiB that refer to each other, as other writers of Arrow files make them.
private func withLZ4<Result>(level: Int32, _ body: (UnsafePointer<LZ4F_preferences_t>) -> Result) -> Result {
  var preferences = LZ4F_preferences_t()
  preferences.frameInfo.blockSizeID = Int32(LZ4F_BLOCK_4_MIB)
  preferences.compressionLevel = level
  return withUnsafePointer(to: preferences, body)
}

private func failure(_ what: String, _ words: UnsafePointer<CChar>?) -> CacheError {
  CacheError(.storage, what, cause: words.map { String(cString: $0) })
}

/// Takes compressed frames apart. For one thread at a time.
final class Decompressor {
  private let compression: IPCCompression
  private var lz4: OpaquePointer?
  private let zstd: OpaquePointer?

  init(_ compression: IPCCompression) throws(CacheError) {
    self.compression = compression
    var context: OpaquePointer?
    let isMade = compression != .lz4 || LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION_CALLED))) == 0
    lz4 = context
    zstd = compression == .zstd ? ZSTD_createDCtx() : nil
    guard isMade, compression != .lz4 || lz4 != nil, compression != .zstd || zstd != nil else {
      throw CacheError(.memoryLimit, "the system has no memory for a decompressor: free memory")
    }
  }

  deinit {
    if let lz4 { LZ4F_freeDecompressionContext(lz4) }
    if let zstd { ZSTD_freeDCtx(zstd) }
  }

  /// No frame of so many bytes can hold more than this: lengths beyond it are refused before memory is taken for them.
  static func limitBytes(_ frameBytes: Int, _ compression: IPCCompression) -> Int {
    let ratio = compression == .lz4 ? 255 : 60_000
    let (product, overflow) = frameBytes.multipliedReportingOverflow(by: ratio)
    return overflow ? .max : product.addingSaturated(1024)
  }

  /// Fills `target`, which is exactly as large as what the frame holds.
  func decompress(_ frame: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) throws(CacheError) {
    guard let from = frame.baseAddress, let to = target.baseAddress else {
      guard target.count == 0 else { throw damaged("it has an empty frame where \(target.count) bytes should be") }
      return
    }
    switch compression {
    case .none: throw damaged("it has a compressed buffer without a codec")
    case .lz4: try decompressLZ4(from, frame.count, to, target.count)
    case .zstd:
      let byteCount = ZSTD_decompressDCtx(zstd, to, target.count, from, frame.count)
      if ZSTD_isError(byteCount) != 0 { throw failure("it has a buffer that ZSTD cannot decompress", ZSTD_getErrorName(byteCount)) }
      guard byteCount == target.count else { throw damaged("it has a buffer of \(byteCount) bytes where \(target.count) should be") }
    }
  }

  private func decompressLZ4(
    _ source: UnsafeRawPointer, _ sourceBytes: Int, _ target: UnsafeMutableRawPointer, _ targetBytes: Int
  ) throws(CacheError) {
    LZ4F_resetDecompressionContext(lz4)
    var options = LZ4F_decompressOptions_t()
    options.stableDst = 1
    var read = 0
    var written = 0
    var hint = 1
    while hint != 0 {
      var readNow = sourceBytes - read
      var writtenNow = targetBytes - written
      hint = LZ4F_decompress(lz4, target + written, &writtenNow, source + read, &readNow, &options)
      if LZ4F_isError(hint) != 0 { throw failure("it has a buffer that LZ4 cannot decompress", LZ4F_getErrorName(hint)) }
      guard hint == 0 || readNow > 0 || writtenNow > 0 else { throw damaged("it has an LZ4 frame that is not whole") }
      read += readNow
      written += writtenNow
    }
    guard written == targetBytes else { throw damaged("it has a buffer of \(written) bytes where \(targetBytes) should be") }
  }
}
