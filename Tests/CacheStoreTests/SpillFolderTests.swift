import ArrowData
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct SpillFolderTests {
  @Test func theFolderIsMadeAtFirstUseAndGoesWithIt() throws {
    let place = try SpillPlace()
    do {
      let folder = try SpillFolder(parent: place["a/b/"])
      #expect(place.all == [] && folder.path == nil && folder.queryBytes() == 0)
      let file = try folder.write(try countingBatch(10))
      let home = try #require(folder.path)
      #expect(home.hasPrefix(place["a/b/arrow-cache-\(getpid())-"]))
      #expect(file.path == "\(home)/1.arrow")
      #expect(try SystemFiles().read("\(home)/lock", limitBytes: 200).starts(with: "process \(getpid()) ".utf8))
      #expect(try SystemFiles().status(home)?.isFolder == true)
      #expect(try folder.queryFolder == "\(home)/queries")
      try place.touch("\(home.dropFirst(place.path.utf8.count + 1))/queries/duckdb_temp_storage_DEFAULT-0.tmp", "12345")
      #expect(folder.queryBytes() == 5)
    }
    // The spill directory was made here, so it goes too; the one above it stays.
    #expect(place.all == ["a"])
  }

  @Test func closingRemovesEverythingAndTwiceIsOnce() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let file = try folder.write(try countingBatch(1000))
    let unread = try folder.write(try countingBatch(1000))
    let held = try file.read(offset: 0, count: .max, columns: nil)
    _ = try folder.queryFolder
    folder.close()
    folder.close()
    #expect(place.all == [])
    #expect(exported(held[0].batch, offset: 999, count: 1) == [[Value.number(999)]])
    #expect(try file.values(5, 1) == [[Value.number(5)]])
    #expect(try unread.values(999, 1) == [[Value.number(999)]], "whoever holds a file can read it for the first time too")
    for call in [{ _ = try folder.write(try countingBatch(1)) }, { _ = try folder.queryFolder }] as [() throws -> Void] {
      #expect(#expect(throws: CacheError.self) { try call() }?.code == .closed)
    }
    #expect(place.all == [])
    #expect(folder.unremovedCount == 0)
  }

  @Test func aRelativeDirectoryStaysWhereItWas() throws {
    let place = try SpillPlace()
    var here = [CChar](repeating: 0, count: 4096)
    #expect(getcwd(&here, here.count) != nil)
    let start = String(decoding: here.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = try SpillFolder(parent: "nowhere/spill")
    #expect(folder.parent == (start == "/" ? "//nowhere/spill" : "\(start)/nowhere/spill"))
    for wrong in ["", "a\0b"] { #expect(#expect(throws: CacheError.self) { try SpillFolder(parent: wrong) }?.code == .configuration) }
    withExtendedLifetime(place) {}
  }

  // MARK: What others left, and what others have

  @Test func leftOversOfAKilledProcessAreSwept() throws {
    let place = try SpillPlace()
    let source = try SpillPlace()
    let whole = try source.folder().write(try countingBatch(5000))
    let child = try Tool()
    let home = try child.ask("spill\t\(whole.path)\t\(place.path)")
    #expect(home.hasPrefix("\(place.path)/arrow-cache-\(child.process)-"))
    let name = String(home.dropFirst(place.path.utf8.count + 1))
    try place.touch("\(name)/queries/duckdb_temp_block-7.block")
    try place.touch("\(name)/2.arrow.tmp.123.abc")

    // While it lives, nothing of it is touched, by however many.
    let before = place.all
    #expect(before == [name, "\(name)/1.arrow", "\(name)/2.arrow.tmp.123.abc", "\(name)/lock", "\(name)/queries", "\(name)/queries/duckdb_temp_block-7.block"])
    for _ in 0..<3 {
      let folder = try place.folder()
      _ = try folder.write(try countingBatch(10))
      folder.close()
    }
    #expect(place.all == before)

    child.kill()
    let folder = try place.folder()
    let file = try folder.write(try countingBatch(10))
    #expect(try file.values(3, 1) == [[Value.number(3)]])
    #expect(place.names == [String(try #require(folder.path).dropFirst(place.path.utf8.count + 1))])
  }

  /// Left-overs as they may be: with things of others in them, half made, half swept; and what only looks like one.
  @Test func whatIsForeignStays() throws {
    let place = try SpillPlace()
    let elsewhere = try SpillPlace()
    try elsewhere.touch("lock")
    try elsewhere.touch("1.arrow", "somebody's")
    let files = SystemFiles()
    for name in [
      "arrow-cache-1-a", "arrow-cache-1-foreign", "arrow-cache-1-empty", "arrow-cache-1-nolock", "arrow-cache-x-a", "arrow-cache-1", "other", "arrow-cache-1-a-b",
      "arrow-cache-1-query", "arrow-cache-1-query/queries",
    ] { try files.makeFolder(place[name]) }
    symlink(elsewhere.path, place["arrow-cache-1-link"])
    try place.touch("arrow-cache-1-file")
    let own = ["lock", "1.arrow", "20.arrow.tmp.33.zz"]
    for name in own { try place.touch("arrow-cache-1-a/\(name)") }
    for name in own + ["notes.txt", "x.arrow", "1.arrow.bak", "-1.arrow"] { try place.touch("arrow-cache-1-foreign/\(name)") }
    for name in ["1.arrow"] { try place.touch("arrow-cache-1-nolock/\(name)") }
    for name in ["lock", "queries/duckdb_temp_storage_DEFAULT-0.tmp", "queries/mine.db"] { try place.touch("arrow-cache-1-query/\(name)") }
    for name in ["arrow-cache-x-a", "other", "arrow-cache-1-a-b"] { for file in own { try place.touch("\(name)/\(file)") } }
    try files.makeFolder(place["other/2.arrow"])

    let folder = try place.folder()
    _ = try folder.write(try countingBatch(10))
    folder.close()
    #expect(place.all == [
      "arrow-cache-1", "arrow-cache-1-a-b", "arrow-cache-1-a-b/1.arrow", "arrow-cache-1-a-b/20.arrow.tmp.33.zz", "arrow-cache-1-a-b/lock", "arrow-cache-1-file",
      "arrow-cache-1-foreign", "arrow-cache-1-foreign/-1.arrow", "arrow-cache-1-foreign/1.arrow.bak", "arrow-cache-1-foreign/notes.txt",
      "arrow-cache-1-foreign/x.arrow", "arrow-cache-1-link", "arrow-cache-1-nolock", "arrow-cache-1-nolock/1.arrow", "arrow-cache-1-query",
      "arrow-cache-1-query/queries", "arrow-cache-1-query/queries/mine.db", "arrow-cache-x-a", "arrow-cache-x-a/1.arrow",
      "arrow-cache-x-a/20.arrow.tmp.33.zz", "arrow-cache-x-a/lock", "other", "other/1.arrow", "other/2.arrow", "other/20.arrow.tmp.33.zz", "other/lock",
    ])
    #expect(elsewhere.names == ["1.arrow", "lock"])
  }

  @Test func manyMakeAndSweepAtOnce() throws {
    let place = try SpillPlace()
    try parallel(count: 120, threads: 8) { _, index throws(CacheError) in
      if index % 3 == 0 {
        // As a process leaves it that is killed at a bad moment.
        let name = "arrow-cache-\(index + 1)-x"
        try SystemFiles().makeFolder(place[name])
        if index % 2 == 0 {
          attempt { () throws(CacheError) in try place.touch("\(name)/lock") }
          attempt { () throws(CacheError) in try place.touch("\(name)/1.arrow") }
        }
        return
      }
      let folder = try place.folder()
      let file = try folder.write(try countingBatch(100, from: index))
      let values = try file.values(7, 1)
      #expect(values == [[Value.number(Int64(index + 7))]])
      if index % 2 == 0 { folder.close() }
    }
    _ = try place.folder().write(try countingBatch(1))
    #expect(place.all.filter { !$0.hasSuffix("-x/1.arrow") && !$0.hasSuffix("-x") } == [])
  }

  @Test(.timeLimit(.minutes(10))) func manyWriteAtOnceToOneFolder() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let files = Locked<[SpillFile]>([])
    try parallel(count: 60, threads: 8) { _, index throws(CacheError) in
      let file = try folder.write(try countingBatch(200, from: index))
      files.withLock { $0.append(file) }
    }
    #expect(place.names.count == 1)
    #expect(folder.fileCount == 60)
    #expect(Set(files.withLock { $0.map(\.path) }).count == 60)
  }

  @Test func closingWhileOthersWriteLeavesNothing() throws {
    for round in 0..<30 {
      let place = try SpillPlace()
      let folder = try place.folder()
      try parallel(count: 4, threads: 4) { _, index throws(CacheError) in
        if index == 3 {
          usleep(UInt32(round * 37))
          return folder.close()
        }
        for _ in 0..<5 {
          do throws(CacheError) { _ = try folder.write(try countingBatch(2000)) } catch { #expect(error.code == .closed || error.isMissingFile, "\(error)") }
        }
      }
      #expect(place.all == [], "\(round)")
    }
  }

  // MARK: Somebody removes it

  @Test func aFolderThatIsDeletedIsMadeAnew() throws {
    let place = try SpillPlace()
    let folder = try SpillFolder(parent: place["spill"])
    let mapped = try folder.write(try countingBatch(100, from: 1))
    let lost = try folder.write(try countingBatch(100, from: 2))
    _ = try mapped.values(0, 1)
    let queries = try folder.queryFolder
    let home = try #require(folder.path)
    for name in place.all.sorted(by: >) where unlink(place[name]) != 0 { rmdir(place[name]) }
    #expect(place.all == [])

    #expect(try mapped.values(9, 1) == [[Value.number(10)]])
    let error = #expect(throws: CacheError.self) { try lost.values() }
    #expect(error?.message.contains("lost") == true && error?.message.contains(lost.path) == true && error?.message.contains("put") == true)
    // DuckDB has been told the path: it stays the same.
    #expect(try folder.queryFolder == queries)
    let file = try folder.write(try countingBatch(100, from: 3))
    #expect(try file.values(9, 1) == [[Value.number(12)]])
    #expect(folder.path == home && file.path != lost.path)
    // It is locked again.
    _ = try SpillFolder(parent: place["spill"]).write(try countingBatch(1))
    #expect(try SystemFiles().status(file.path) != nil)
    #expect(folder.unremovedCount == 0)
  }

  @Test func aChildOfForkRemovesNothing() throws {
    let place = try SpillPlace()
    let folder = try place.folder()
    let file = try folder.write(try countingBatch(100))
    let batch = try countingBatch(1)
    let child = fork()
    if child == 0 {
      // Other threads are not there: nothing but what is tested.
      alarm(30)
      folder.close()
      let isRefused = (try? folder.write(batch)) == nil
      _exit(isRefused ? 7 : 8)
    }
    var status: Int32 = 0
    #expect(waitpid(child, &status, 0) == child)
    #expect(status >> 8 & 0xff == 7)
    #expect(try file.values(5, 1) == [[Value.number(5)]])
    #expect(place.names.count == 1)
  }
}

/// `ipc-tool`, in a process of its own.
final class Tool {
  let process: pid_t
  private let input: Int32
  private let output: UnsafeMutablePointer<FILE>

  init() throws {
    var path = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count)
    let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let tool = "\(folder(of: own))/ipc-tool"
    var (down, up): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard pipe(&down) == 0, pipe(&up) == 0, let output = fdopen(up[0], "r") else { throw CacheError(.storage, "no pipe for a test") }
    for descriptor in down + up { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, down[0], 0)
    posix_spawn_file_actions_adddup2(&actions, up[1], 1)
    var process = pid_t()
    let name = strdup(tool)
    let result = posix_spawn(&process, tool, &actions, nil, [name, nil], environ)
    free(name)
    posix_spawn_file_actions_destroy(&actions)
    close(down[0])
    close(up[1])
    guard result == 0 else { throw CacheError.file("start", tool, errorNumber: result) }
    (self.process, input, self.output) = (process, down[1], output)
  }

  deinit {
    kill()
    close(input)
    fclose(output)
  }

  /// What the tool answers after "ok ".
  func ask(_ command: String) throws -> String {
    let line = Array("\(command)\n".utf8)
    #expect(Glibc.write(input, line, line.count) == line.count)
    var answer = [CChar](repeating: 0, count: 8192)
    guard fgets(&answer, Int32(answer.count), output) != nil else { throw CacheError(.storage, "the tool has ended") }
    let text = String(decoding: answer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(text.hasPrefix("ok "), "\(text)")
    return String(text.dropFirst(3))
  }

  /// The lines that the tool prints until it ends.
  func lines(_ command: String) -> [String] {
    let line = Array("\(command)\n".utf8)
    guard Glibc.write(input, line, line.count) == line.count else { return [] }
    var lines: [String] = []
    var answer = [CChar](repeating: 0, count: 8192)
    while fgets(&answer, Int32(answer.count), output) != nil {
      lines.append(String(decoding: answer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
      if lines.last?.hasPrefix("ok") ?? false || lines.last?.hasPrefix("error") ?? false { break }
    }
    return lines
  }

  func kill() {
    Glibc.kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }
}
