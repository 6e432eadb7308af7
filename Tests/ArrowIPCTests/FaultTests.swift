import Glibc
import Primitives
import Testing

@testable import ArrowData

@Suite struct FaultTests {
  private static func options(_ compression: IPCCompression) -> IPCWriteOptions {
    var options = IPCWriteOptions()
    options.compression = compression
    options.isDurable = true
    options.threadCount = 2
    return options
  }

  /// Whichever call fails, and however: the error names the file, and the folder is as it was.
  @Test(arguments: IPCCompression.allCases)
  func everyFailingCallLeavesNothing(compression: IPCCompression) throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 5000, lead: 3)
    let counting = FaultyFiles()
    try IPCWriter(files: counting, options: Self.options(compression)).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["whole"])
    try SystemFiles().unlink(folder["whole"])
    #expect(counting.counts[.write, default: 0] > 5)
    #expect(counting.counts[.synchronize] == 1)
    #expect(counting.counts[.synchronizeFolder] == 1)
    #expect(counting.counts[.unlink] == nil)
    for (operation, count) in counting.counts {
      for call in 1...count {
        for errorNumber in [ENOSPC, EIO, EACCES] {
          let files = FaultyFiles([.init(operation, call: call, .error(errorNumber))])
          let error = #expect(throws: CacheError.self) {
            try IPCWriter(files: files, options: Self.options(compression)).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
          }
          #expect(error?.code == .storage)
          #expect(error?.message.contains(folder.path) == true)
          #expect(error?.isOutOfSpace == (errorNumber == ENOSPC))
          #expect(folder.names.isEmpty, "\(operation) \(call)")
        }
      }
    }
  }

  @Test func shortWritesAreContinued() throws {
    let folder = try TestFolder()
    let batch = try makeBatch(ArrayMaker.kinds, count: 3000, lead: 3)
    for (number, byteCount) in [1, 7, 4096].enumerated() {
      let files = FaultyFiles([.init(.write, call: 2, .shortWrite(byteCount: byteCount), isLasting: byteCount > 100)])
      try IPCWriter(files: files).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["\(number)"])
      #expect(render(try IPCFile(folder["\(number)"]).batch(0)) == render(batch))
      try IPCFile(folder["\(number)"]).verify()
    }
  }

  @Test func aDiskThatTakesNothingIsAnError() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int64", count: 30)
    let files = FaultyFiles([.init(.write, call: 3, .shortWrite(byteCount: 0), isLasting: true)])
    let error = #expect(throws: CacheError.self) { try IPCWriter(files: files).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"]) }
    #expect(error?.code == .storage)
    #expect(folder.names.isEmpty)
  }

  /// A name that could not be made durable is taken back; one that cannot be removed either is a temporary name still.
  @Test func whatCannotBeRemovedIsTemporary() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int64", count: 30)
    let files = FaultyFiles([.init(.synchronize, .error(EIO)), .init(.unlink, .error(EIO))])
    #expect(throws: CacheError.self) {
      try IPCWriter(files: files, options: Self.options(.none)).write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    }
    #expect(folder.names.count == 1)
    #expect(folder.names.allSatisfy { AtomicFile.isTemporary($0) })
  }

  @Test func aFileThatCannotBeMappedIsAnError() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int64", count: 30)
    try IPCWriter().write([RecordBatchSlice(batch)], schema: batch.schema, to: folder["a"])
    let error = #expect(throws: CacheError.self) { try IPCFile(folder["a"], files: FaultyFiles([.init(.map, .error(ENOMEM))])) }
    #expect(error?.message.contains("vm.max_map_count") == true)
    let missing = #expect(throws: CacheError.self) { try IPCFile(folder["b"]) }
    #expect(missing?.isMissingFile == true)
  }

  /// Before the name is there, nobody sees anything of the file; then all of it.
  @Test func theNameComesWithTheWholeFile() throws {
    let folder = try TestFolder()
    let batch = try makeBatch("int64", count: 3000)
    let path = folder["a"]
    let seen = Locked<[FileOperation]>([])
    let files = FaultyFiles(hook: { operation, _, _ in
      if access(path, F_OK) == 0 { seen.withLock { $0.append(operation) } }
    })
    try IPCWriter(files: files, options: Self.options(.none)).write([RecordBatchSlice(batch)], schema: batch.schema, to: path)
    #expect(seen.withLock { $0 } == [.synchronizeFolder])
    #expect(files.total == files.counts.values.reduce(0, +))
  }
}
