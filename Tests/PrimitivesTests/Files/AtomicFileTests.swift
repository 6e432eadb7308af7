import Glibc
import Primitives
import Testing

@Suite struct AtomicFileTests {
  private func write(_ text: String, to path: String, _ files: any FileSystem = SystemFiles(), isDurable: Bool = false, replaces: Bool = false) throws {
    let file = try AtomicFile(path, files: files)
    try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
    try file.publish(isDurable: isDurable, replaces: replaces)
  }

  private func text(_ path: String) throws -> String { String(decoding: try SystemFiles().read(path, limitBytes: 100), as: UTF8.self) }

  @Test func theNameComesAtTheEnd() throws {
    let folder = try TestFolder()
    let file = try AtomicFile(folder["a"], files: SystemFiles())
    try [UInt8(1)].withUnsafeBytes { try file.write($0, at: 0) }
    #expect(folder.names.count == 1)
    #expect(folder.names.allSatisfy { AtomicFile.isTemporary($0) && $0.hasPrefix("a.tmp.\(getpid()).") })
    try file.publish(isDurable: true)
    #expect(folder.names == ["a"])
    #expect(throws: CacheError.self) { try file.publish(isDurable: false) }
    #expect(throws: CacheError.self) { try [UInt8(1)].withUnsafeBytes { try file.write($0, at: 0) } }
  }

  @Test func whatIsDroppedIsGone() throws {
    let folder = try TestFolder()
    do { _ = try AtomicFile(folder["a"], files: SystemFiles()) }
    #expect(folder.names.isEmpty)
    let file = try AtomicFile(folder["a"], files: SystemFiles())
    file.discard()
    file.discard()
    #expect(folder.names.isEmpty)
  }

  @Test func replacingIsAsked() throws {
    let folder = try TestFolder()
    try write("old", to: folder["a"])
    #expect(throws: CacheError.self) { try write("new", to: folder["a"]) }
    #expect(try text(folder["a"]) == "old")
    try write("new", to: folder["a"], isDurable: true, replaces: true)
    #expect(try text(folder["a"]) == "new")
    #expect(folder.names == ["a"])
  }

  /// A folder that cannot be made durable: a new file is taken back, a replaced one is whole, old or new.
  @Test(arguments: FileOperation.allCases) func failuresLeaveTheOldOrTheNew(operation: FileOperation) throws {
    let folder = try TestFolder()
    try write("old", to: folder["a"])
    let files = FaultyFiles([.init(operation, .error(EIO))])
    let isUsed = [.create, .write, .status, .synchronize, .rename, .synchronizeFolder].contains(operation)
    let isNewFailure = isUsed
    if isNewFailure { #expect(throws: CacheError.self) { try write("b", to: folder["b"], files, isDurable: true) } }
    #expect(folder.names == ["a"])
    let again = FaultyFiles([.init(operation, .error(EIO))])
    if isUsed, operation != .status {
      #expect(throws: CacheError.self) { try write("new", to: folder["a"], again, isDurable: true, replaces: true) }
    }
    #expect(try text(folder["a"]) == (operation == .synchronizeFolder ? "new" : "old"))
    #expect(folder.names == ["a"])
  }

  @Test(arguments: [
    ("a.tmp.12.x9", true), ("a.b.tmp.0.z", true), ("a.tmp.12", false), ("a.tmp.x.y", false), ("tmp.1.2", false), ("", false), ("a.tmp.-1.x", false),
    (".tmp.1.2", true), ("a.tmp.99999999999.x", false),
  ]) func temporaryNames(name: String, isTemporary: Bool) { #expect(AtomicFile.isTemporary(name) == isTemporary) }
}

@Suite struct FaultyFilesTests {
  @Test func faultsComeAtTheirCall() throws {
    let folder = try TestFolder()
    let seen = Locked<[String]>([])
    let files = FaultyFiles([.init(.create, call: 2, .error(ENOSPC)), .init(.unlink, call: 1, .error(EIO), isLasting: true)]) { operation, path, before in
      seen.withLock { $0.append("\(before) \(operation) \(path.suffix(1))") }
    }
    _ = try files.create(folder["a"])
    let error = #expect(throws: CacheError.self) { try files.create(folder["b"]) }
    #expect(error?.isOutOfSpace == true)
    _ = try files.create(folder["c"])
    for _ in 0..<3 { #expect(throws: CacheError.self) { try files.unlink(folder["a"]) } }
    #expect(seen.withLock { $0 } == ["0 create a", "1 create b", "2 create c", "3 unlink a", "4 unlink a", "5 unlink a"])
    #expect(files.counts == [.create: 3, .unlink: 3])
    files.replaceFaults([.init(.create, .error(EIO))])
    #expect(throws: CacheError.self) { try files.create(folder["d"]) }
    #expect(try files.unlink(folder["a"]))
    #expect(folder.names == ["c"])
    #expect(files.total == 8)
  }

  @Test func everyCallPassesThroughAndIsCounted() throws {
    let folder = try TestFolder()
    let files = FaultyFiles()
    let file = try files.create(folder["a"])
    try [UInt8(5)].withUnsafeBytes { try files.writeAll($0, to: file, at: 0) }
    try files.preallocate(file, offset: 0, byteCount: 1)
    try files.synchronize(file)
    try files.rename(folder["a"], to: folder["b"])
    try files.synchronizeFolder(folder.path)
    _ = try files.open(folder["b"])
    #expect(try files.read(folder["b"], limitBytes: 9) == [5])
    #expect(try files.map(folder["b"]).bytes.count == 1)
    #expect(try files.status(folder["b"])?.byteCount == 1)
    #expect(try files.list(folder.path) == ["b"])
    #expect(try files.makeFolder(folder["f"]))
    #expect(try files.removeFolder(folder["f"]))
    #expect(try files.freeBytes(folder.path) > 0)
    guard case .acquired = try files.lock(folder["l"], owner: "") else { throw CacheError(.storage, "held") }
    #expect(try files.unlink(folder["b"]))
    #expect(files.counts == Dictionary(uniqueKeysWithValues: FileOperation.allCases.map { ($0, 1) }))
  }
}
