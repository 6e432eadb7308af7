import ArrowData
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct SpillFaultTests {
  private func batch() throws -> RecordBatch {
    let texts = (0..<3000).map { $0 % 7 == 0 ? nil : "text \($0 % 40)" as String? }
    return try ArraySpec.table([numbers(0..<3000), column(texts)], length: 3000).batch(schema("l", "u"), ReleaseCounter())
  }

  /// Whichever call of a write fails: the error says so, nothing is left behind, and the next write works.
  @Test(arguments: IPCCompression.allCases) func aFailedWriteLeavesNothing(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let folder = try place.folder(spillOptions(compression), files)
    let batch = try batch()
    _ = try folder.write(batch, pieceRows: 1000)
    files.replaceFaults([])
    _ = try folder.write(batch, pieceRows: 1000)
    let counts = files.counts
    #expect(counts[.write, default: 0] >= 4 && counts[.create] == 1 && counts[.preallocate, default: 0] >= 1)
    #expect(counts[.synchronize] == nil)
    let empty = place.all
    #expect(empty.count == 2)
    for (operation, count) in counts where operation != .unlink {
      for call in 1...count {
        for errorNumber in [ENOSPC, EDQUOT, EIO, EROFS] {
          files.replaceFaults([.init(operation, call: call, .error(errorNumber))])
          let error = #expect(throws: CacheError.self) { try folder.write(batch, pieceRows: 1000) }
          #expect(error?.code == .storage && error?.systemError == errorNumber)
          #expect(error?.isOutOfSpace == (errorNumber == ENOSPC || errorNumber == EDQUOT))
          #expect(error?.message.contains("spill_directory") == true && error?.message.contains(place.path) == true)
          #expect(place.all == empty, "\(operation) \(call)")
          #expect(folder.fileCount == 0)
        }
      }
    }
    files.replaceFaults([.init(.write, call: 2, .shortWrite(byteCount: 5), isLasting: true)])
    #expect(try folder.write(batch, pieceRows: 1000).values() == exported(batch, offset: 0, count: 3000))
    files.replaceFaults([.init(.write, call: 2, .shortWrite(byteCount: 0), isLasting: true)])
    #expect(throws: CacheError.self) { try folder.write(batch) }
    #expect(place.all == empty)
  }

  /// Whichever call fails while the folder is made: an error or a folder that works, and none of it stays.
  @Test func aFolderThatCannotBeMadeLeavesNothing() throws {
    let place = try SpillPlace()
    let batch = try countingBatch(10)
    let counting = FaultyFiles()
    do { _ = try SpillFolder(parent: place["x/y"], files: counting).write(batch) }
    rmdir(place["x"])
    for (operation, count) in counting.counts where operation != .removeFolder && operation != .unlink {
      for call in 1...count {
        for errorNumber in [ENOSPC, EACCES, EIO, ENOENT] {
          let files = FaultyFiles([.init(operation, call: call, .error(errorNumber))])
          do {
            let folder = try SpillFolder(parent: place["x/y"], files: files)
            do throws(CacheError) {
              let file = try folder.write(batch)
              #expect(try file.values(1, 1) == [[Value.number(1)]], "\(operation) \(call)")
            } catch {
              #expect(error.code == .storage && error.systemError == errorNumber, "\(operation) \(call) \(error)")
              #expect(folder.path == nil || operation != .lock)
              files.replaceFaults([])
              #expect(try folder.write(batch).values(1, 1) == [[Value.number(1)]])
            }
          }
          rmdir(place["x/y"])
          rmdir(place["x"])
          #expect(place.all == [], "\(operation) \(call) \(errorNumber)")
        }
      }
    }
  }

  @Test func whatIsNoFolderOrMayNotBeWrittenIsSaid() throws {
    let place = try SpillPlace()
    try place.touch("file")
    for path in [place["file"], place["file/below"]] {
      let error = #expect(throws: CacheError.self) { try SpillFolder(parent: path).write(try countingBatch(1)) }
      #expect(error?.code == .storage && error?.systemError == ENOTDIR && error?.message.contains("spill_directory") == true, "\(String(describing: error))")
    }
    let long = #expect(throws: CacheError.self) { try SpillFolder(parent: place[String(repeating: "x", count: 300)]).write(try countingBatch(1)) }
    #expect(long?.systemError == ENAMETOOLONG)
    let proc = #expect(throws: CacheError.self) { try SpillFolder(parent: "/proc/nowhere").write(try countingBatch(1)) }
    #expect(proc?.code == .storage)
    if getuid() != 0 {
      chmod(place.path, 0o500)
      #expect(#expect(throws: CacheError.self) { try place.folder().write(try countingBatch(1)) }?.systemError == EACCES)
    }
    #expect(place.all == ["file"])
  }

  @Test func writingCanBeCancelledBetweenPieces() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let batch = try countingBatch(1000)
    let asked = Locked(0)
    let error = #expect(throws: CacheError.self) {
      try folder.write(batch, pieces: pieces(1000, 100), schema: batch.schema) {
        asked.withLock { asked in
          asked += 1
          return asked == 4
        }
      }
    }
    #expect(error?.code == .interrupted)
    #expect(asked.withLock { $0 } == 4)
    #expect(place.all.count == 2 && folder.fileCount == 0)
  }

  @Test func piecesThatAreNotAllRowsAreRefused() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let batch = try countingBatch(100)
    for wrong in [[], [0..<99], [0..<101], [0..<50, 51..<100], [0..<50, 40..<100], [10..<100]] as [[Range<Int>]] {
      #expect(#expect(throws: CacheError.self) { try folder.write(batch, pieces: wrong, schema: batch.schema) }?.code == .argument)
    }
    let file = try folder.write(batch, pieces: [0..<0, 0..<30, 30..<30, 30..<100], schema: batch.schema)
    #expect(file.pieces == [0..<30, 30..<100])
    #expect(try file.values(29, 2) == [[Value.number(29), Value.number(30)]])
    #expect(try folder.write(try countingBatch(0), pieces: [], schema: batch.schema).values() == [[]])
    #expect(#expect(throws: CacheError.self) { try folder.write(batch, pieces: [0..<100], schema: try schema("i")) }?.code == .argument)
  }

  /// Every byte that is changed, and every byte that is missing, is an error that names the file, or touches nothing.
  @Test(arguments: IPCCompression.allCases) func damageIsNeverRead(compression: IPCCompression) throws {
    let place = try SpillPlace()
    let texts: [String?] = (0..<60).map { $0 % 7 == 0 ? nil : "text \($0)" }
    let batch = try ArraySpec.table([numbers(0..<60), column(texts)], length: 60).batch(schema("l", "u"), ReleaseCounter())
    let expected = exported(batch, offset: 0, count: 60)
    let bytes: [UInt8]
    do {
      let file = try place.folder(spillOptions(compression)).write(batch, pieceRows: 25)
      bytes = try SystemFiles().read(file.path, limitBytes: .max)
    }
    let folder = try place.folder(spillOptions(compression))
    var harmless = 0
    for position in stride(from: 0, to: bytes.count, by: 3) {
      let file = try folder.write(batch, pieceRows: 25)
      let descriptor = open(file.path, O_WRONLY)
      defer { close(descriptor) }
      // Its own bytes: another file has another identity, of another length maybe.
      let own = try SystemFiles().read(file.path, limitBytes: .max)
      guard position < own.count else { continue }
      var byte = own[position] ^ 0x41
      #expect(pwrite(descriptor, &byte, 1, off_t(position)) == 1)
      do throws(CacheError) {
        #expect(try file.values() == expected, "byte \(position)")
        harmless += 1
      } catch {
        #expect(error.code == .storage && error.message.contains(file.path), "\(error)")
      }
    }
    // Padding between buffers, and the first message, which is there for other readers.
    #expect(harmless < bytes.count / 3)
    for length in stride(from: 0, to: bytes.count, by: 97) {
      let file = try folder.write(batch, pieceRows: 25)
      guard length < file.byteCount else { continue }
      #expect(truncate(file.path, off_t(length)) == 0)
      #expect(#expect(throws: CacheError.self) { try file.values() }?.message.contains(file.path) == true)
    }
  }

  @Test func anotherFileInItsPlaceIsNotRead() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let batch = try countingBatch(100)
    let (first, second) = (try folder.write(batch), try folder.write(try countingBatch(100, from: 5)))
    try SystemFiles().rename(second.path, to: first.path)
    #expect(#expect(throws: CacheError.self) { try first.values() }?.code == .storage)
    let gone = #expect(throws: CacheError.self) { try second.values() }
    #expect(gone?.isMissingFile == true && gone?.message.contains("put the entry anew") == true)
    #expect(#expect(throws: CacheError.self) { try second.storedBytes(offset: 0, count: 1, columns: nil) }?.code == .storage)
    #expect(#expect(throws: CacheError.self) { try second.prefetch(offset: 0, count: 1, columns: nil) }?.code == .storage)
    // A file of somebody else, without our seal.
    let third = try folder.write(batch)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: place["foreign"])
    try SystemFiles().rename(place["foreign"], to: third.path)
    #expect(#expect(throws: CacheError.self) { try third.values() }?.code == .storage)
  }

  /// Cut short while it is mapped: seen by the next read.
  @Test func aFileThatIsCutWhileItIsMappedIsAnError() throws {
    let place = try SpillPlace()
    let file = try place.folder().write(try countingBatch(100_000))
    _ = try file.values(0, 1)
    truncate(file.path, 5000)
    let error = #expect(throws: CacheError.self) { try file.read(offset: 0, count: 1, columns: nil) }
    #expect(error?.message.contains("5000 bytes of") == true)
  }

  /// What the system refuses for now is not taken for a loss.
  @Test func mappingsThatAreRefusedMayWorkLater() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let file = try place.folder(SpillOptions(), files).write(try countingBatch(100))
    files.replaceFaults([.init(.map, .error(ENOMEM))])
    let error = #expect(throws: CacheError.self) { try file.values() }
    #expect(error?.systemError == ENOMEM && error?.message.contains("lost") == false)
    #expect(try file.values(3, 1) == [[Value.number(3)]])
  }

  @Test func whatCannotBeRemovedIsCounted() throws {
    let place = try SpillPlace()
    let files = FaultyFiles()
    let folder = try place.folder(SpillOptions(), files)
    var file: SpillFile? = try folder.write(try countingBatch(100))
    #expect(file != nil)
    files.replaceFaults([.init(.unlink, .error(EIO))])
    file = nil
    #expect(folder.unremovedCount == 1 && folder.fileCount == 0)
    #expect(place.all.count == 3)
    folder.close()
    #expect(place.all == [])
  }
}
