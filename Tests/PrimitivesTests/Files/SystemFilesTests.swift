import Glibc
import Primitives
import Testing

@Suite struct SystemFilesTests {
  private let files = SystemFiles()

  private func write(_ bytes: [UInt8], to path: String, at offset: Int = 0) throws {
    let file = try files.create(path)
    try bytes.withUnsafeBytes { try files.writeAll($0, to: file, at: offset) }
  }

  @Test func aFileIsMadeOnceAndForItsOwnerAlone() throws {
    let folder = try TestFolder()
    try write([1, 2, 3], to: folder["a"], at: 2)
    #expect(try files.read(folder["a"], limitBytes: 100) == [0, 0, 1, 2, 3])
    #expect(try files.read(folder["a"], limitBytes: 3) == [0, 0, 1])
    #expect(try files.read(folder["a"], limitBytes: 0) == [])
    var facts = stat()
    #expect(stat(folder["a"], &facts) == 0)
    #expect(facts.st_mode & 0o777 == 0o600)
    let error = #expect(throws: CacheError.self) { try files.create(folder["a"]) }
    #expect(error?.code == .storage)
    #expect(error?.message == "cannot create '\(folder["a"])': it is there already: choose another name")
    #expect(error?.cause == "File exists (errno 17)")
  }

  @Test func whatIsNotThereIsSaidSo() throws {
    let folder = try TestFolder()
    for call in [
      { _ = try files.open(folder["x"]) }, { _ = try files.map(folder["x"]) }, { _ = try files.read(folder["x"], limitBytes: 1) },
      { _ = try files.create(folder["x/y"]) }, { try files.rename(folder["x"], to: folder["y"]) }, { _ = try files.list(folder["x"]) },
      { try files.synchronizeFolder(folder["x"]) }, { _ = try files.freeBytes(folder["x"]) }, { _ = try files.lock(folder["x/y"], owner: "") },
    ] as [() throws -> Void] {
      let error = #expect(throws: CacheError.self) { try call() }
      #expect(error?.isMissingFile == true)
      #expect(error?.isOutOfSpace == false)
      #expect(error?.message.contains(folder["x"]) == true)
    }
    #expect(try files.status(folder["x"]) == nil)
    #expect(try files.status(folder["x/y"]) == nil)
    #expect(try !files.unlink(folder["x"]))
    #expect(try !files.removeFolder(folder["x"]))
  }

  @Test func foldersAreMadeListedAndRemoved() throws {
    let folder = try TestFolder()
    #expect(try files.makeFolder(folder["f"]))
    #expect(try !files.makeFolder(folder["f"]))
    #expect(try files.status(folder["f"])?.isFolder == true)
    try write([], to: folder["f/b"])
    try write([], to: folder["f/å"])
    #expect(try Set(files.list(folder["f"])) == ["b", "å"])
    let error = #expect(throws: CacheError.self) { try files.removeFolder(folder["f"]) }
    #expect(error?.message.contains("the folder is not empty") == true)
    #expect(try files.unlink(folder["f/b"]))
    #expect(try files.unlink(folder["f/å"]))
    #expect(try files.list(folder["f"]).isEmpty)
    #expect(try files.removeFolder(folder["f"]))
    try write([], to: folder["g"])
    #expect(throws: CacheError.self) { try files.makeFolder(folder["g"]) }
    try files.unlink(folder["g"])
  }

  @Test func statusTellsSizeAndIdentity() throws {
    let folder = try TestFolder()
    try write([UInt8](repeating: 1, count: 10_000), to: folder["a"])
    try write([1], to: folder["b"], at: 10 << 20)
    let (a, b) = (try #require(try files.status(folder["a"])), try #require(try files.status(folder["b"])))
    #expect(a.byteCount == 10_000)
    #expect(a.allocatedBytes >= 10_000)
    #expect(b.byteCount == 10 << 20 + 1)
    #expect(b.allocatedBytes < 1 << 20)
    #expect(a.inode != b.inode)
    #expect(a.device == b.device)
    #expect(abs(a.modifiedAt - SystemClock().now()) < 60)
    try files.rename(folder["a"], to: folder["b"])
    #expect(try files.status(folder["b"])?.inode == a.inode)
    #expect(try files.list(folder.path) == ["b"])
  }

  @Test func preallocationTakesRoomAndKeepsContent() throws {
    let folder = try TestFolder()
    let file = try files.create(folder["a"])
    try files.preallocate(file, offset: 0, byteCount: 1 << 20)
    #expect(try files.status(folder["a"])?.allocatedBytes ?? 0 >= 1 << 20)
    try [UInt8](repeating: 7, count: 10).withUnsafeBytes { try files.writeAll($0, to: file, at: 5) }
    try files.preallocate(file, offset: 0, byteCount: 10)
    try files.preallocate(file, offset: 0, byteCount: 0)
    try files.synchronize(file)
    try files.synchronizeFolder(folder.path)
    files.advise(.dontNeed, file, offset: 0, byteCount: 0)
    #expect(try files.read(folder["a"], limitBytes: 16) == [0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0])
    let error = #expect(throws: CacheError.self) { try files.preallocate(file, offset: 0, byteCount: 1 << 60) }
    #expect(error?.code == .storage)
  }

  @Test func aMappingOutlivesTheName() throws {
    let folder = try TestFolder()
    try write([1, 2, 3], to: folder["a"])
    let mapping = try files.map(folder["a"])
    try files.unlink(folder["a"])
    try write([9], to: folder["a"])
    #expect(Array(mapping.bytes) == [1, 2, 3])
    let start = UInt(bitPattern: mapping.bytes.baseAddress)
    #expect(mapping.contains(start) && mapping.contains(start + 2) && !mapping.contains(start + 3) && !mapping.contains(start - 1))
    for (offset, count) in [(0, 3), (1, 1), (0, 1 << 40), (3, 1), (-5, 10), (2, -1)] {
      files.advise(.willNeed, mapping, offset: offset, byteCount: count)
      files.advise(.dontNeed, mapping, offset: offset, byteCount: count)
    }
    #expect(Array(mapping.bytes) == [1, 2, 3])
  }

  @Test func whatIsNoFileIsNotMapped() throws {
    let folder = try TestFolder()
    try write([], to: folder["empty"])
    let empty = try files.map(folder["empty"])
    #expect(empty.bytes.count == 0)
    #expect(!empty.contains(0))
    mkfifo(folder["pipe"], 0o600)
    for path in [folder["pipe"], folder.path, "/dev/null"] {
      let error = #expect(throws: CacheError.self) { try files.map(path) }
      #expect(error?.code == .storage)
    }
  }

  @Test func freeSpaceIsSomething() throws { #expect(try files.freeBytes("/tmp") > 0) }

  @Test func pathsWithAZeroAreRefused() throws {
    #expect(throws: CacheError.self) { try files.create("/tmp/a\0b") }
    #expect(throws: CacheError.self) { try files.open("/tmp\0") }
  }

  @Test(arguments: [("/a/b/c", "/a/b"), ("/a", "/"), ("a", "."), ("a/b", "a"), ("/a/b/", "/a/b")])
  func theFolderOfAPath(path: String, parent: String) { #expect(folder(of: path) == parent) }
}

@Suite struct FileLockTests {
  private let files = SystemFiles()

  @Test func oneHolderAtATime() throws {
    let folder = try TestFolder()
    guard case .acquired(let first) = try files.lock(folder["lock"], owner: "process 1") else { throw CacheError(.storage, "held") }
    guard case .held(let owner) = try files.lock(folder["lock"], owner: "process 2, with a longer name") else { throw CacheError(.storage, "free") }
    #expect(owner == "process 1")
    first.release()
    first.release()
    guard case .acquired(let second) = try files.lock(folder["lock"], owner: "2") else { throw CacheError(.storage, "held") }
    #expect(try files.read(folder["lock"], limitBytes: 100) == [UInt8(ascii: "2")])
    withExtendedLifetime(second) {}
  }

  @Test func aDroppedLockIsFree() throws {
    let folder = try TestFolder()
    do {
      let held = try files.lock(folder["lock"], owner: "1")
      withExtendedLifetime(held) {}
    }
    guard case .acquired = try files.lock(folder["lock"], owner: "2") else { throw CacheError(.storage, "held") }
  }

  /// A process that is killed leaves no lock behind.
  @Test func aKilledProcessHoldsNothing() throws {
    let folder = try TestFolder()
    guard case .acquired(let lock) = try files.lock(folder["lock"], owner: "1") else { throw CacheError(.storage, "held") }
    try files.unlink(folder["lock"])  // its file is another one from here on
    guard case .acquired(let other) = try files.lock(folder["lock"], owner: "2") else { throw CacheError(.storage, "held") }
    guard case .held(owner: "2") = try files.lock(folder["lock"], owner: "3") else { throw CacheError(.storage, "free") }
    withExtendedLifetime((lock, other)) {}
  }
}
