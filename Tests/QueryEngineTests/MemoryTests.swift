import ArrowData
import CArrow
import CacheStore
import Glibc
import Primitives
import Testing

@testable import QueryEngine

/// What DuckDB may take of memory and disk.
@Suite struct MemoryTests {
  /// Sorts more than 100 MB can hold.
  static let large = "CREATE OR REPLACE TABLE sorted AS SELECT i, hash(i)::VARCHAR || repeat('x', 20) AS s FROM range(4000000) t(i) ORDER BY hash(i)"

  private func options(_ engineName: String, memory: Int = 100 << 20) -> QueryOptions {
    var options = QueryOptions()
    options.usesStableAPI = engineName == "v1"
    options.threadCount = 2
    options.memoryLimitBytes = memory
    return options
  }

  @Test(arguments: engineNames)
  func temporaryFilesGoWithTheDatabase(engineName: String) throws {
    let folder = TestFolder()
    var options = options(engineName)
    let asked = Locked(0)
    options.temporaryFolder = { [path = folder.path] in
      asked.withLock { $0 += 1 }
      return path + "/it's queries"
    }
    var engine: QueryEngine? = try QueryEngine(store: try Store(options: StoreOptions()), options: options)
    #expect(asked.withLock { $0 } == 0)
    #expect(folder.files == [:])
    func run(_ sql: String) throws {
      var stream = ArrowArrayStream()
      try engine?.run(sql, into: &stream)
      stream.release?(&stream)
    }
    try run("SELECT 1")
    #expect(asked.withLock { $0 } == 1)
    #expect(try SystemFiles().list(folder.path) == [])
    try run(MemoryTests.large)
    #expect(folder.files.values.reduce(0, +) > 20 << 20)
    #expect(folder.files.keys.allSatisfy { $0.hasPrefix("it's queries/") })
    #expect(asked.withLock { $0 } == 1)
    engine?.close()
    engine = nil
    #expect(try SystemFiles().list(folder.path) == [])
  }

  @Test(arguments: engineNames)
  func withoutAFolderAQueryThatNeedsOneSaysSo(engineName: String) throws {
    let fixture = try Fixture(engineName, queryOptions: options(engineName))
    let error = #expect(throws: CacheError.self) { try fixture.run(MemoryTests.large) }
    #expect(error?.code == .memoryLimit)
    #expect(error?.message.contains("query_memory_limit") == true && error?.message.contains("spill_to_disk") == true, "\(String(describing: error))")
    #expect(try fixture.rows("SELECT current_setting('temp_directory')") == [[""]])
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  @Test(arguments: engineNames)
  func whatDoesNotFitAtOnceSaysSo(engineName: String) throws {
    let folder = TestFolder()
    var options = options(engineName)
    options.temporaryFolder = { [path = folder.path] in path + "/queries" }
    let fixture = try Fixture(engineName, queryOptions: options)
    let error = #expect(throws: CacheError.self) { try fixture.run("SELECT list(i) FROM range(40000000) t(i)") }
    #expect(error?.code == .memoryLimit)
    #expect(error?.message.contains("query_memory_limit") == true && error?.cause?.hasPrefix("Out of Memory") == true, "\(String(describing: error))")
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }

  @Test(arguments: engineNames)
  func aFolderThatCannotBeMadeLeavesMemory(engineName: String) throws {
    let folder = TestFolder()
    var options = options(engineName)
    let isReady = Locked(false)
    options.temporaryFolder = { [path = folder.path] () throws(CacheError) in
      guard isReady.withLock({ $0 }) else { throw CacheError(.storage, "cannot create the folder there: no permission") }
      return path + "/queries"
    }
    let fixture = try Fixture(engineName, queryOptions: options)
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
    let error = #expect(throws: CacheError.self) { try fixture.run(MemoryTests.large) }
    #expect(error?.code == .memoryLimit)
    #expect(error?.message.contains("spill_directory") == true && error?.cause?.contains("no permission") == true, "\(String(describing: error))")
    isReady.withLock { $0 = true }
    try fixture.run(MemoryTests.large)
    #expect(try fixture.rows("SELECT count(*) FROM sorted") == [["4000000"]])
  }

  @Test(arguments: engineNames)
  func temporaryFilesStayBelowWhatIsLeftOfTheDisk(engineName: String) throws {
    let folder = TestFolder()
    var options = options(engineName)
    let room = Locked(20 << 20)
    options.temporaryFolder = { [path = folder.path] in path + "/queries" }
    options.temporaryLimitBytes = { room.withLock { $0 } }
    let fixture = try Fixture(engineName, queryOptions: options)
    let error = #expect(throws: CacheError.self) { try fixture.run(MemoryTests.large) }
    #expect(error?.code == .memoryLimit)
    #expect(error?.message.contains("disk_limit") == true, "\(String(describing: error))")
    // A file is a little larger than what is used of it.
    #expect(folder.files.values.reduce(0, +) <= 24 << 20)
    room.withLock { $0 = 1 << 30 }
    try fixture.run(MemoryTests.large)
    #expect(try fixture.rows("SELECT current_setting('max_temp_directory_size')") == [["1.0 GiB"]])
    // Less than DuckDB uses already, by the table: what is there stays, more is refused, and small queries go on.
    room.withLock { $0 = 0 }
    let used = folder.files.values.reduce(0, +)
    #expect(throws: CacheError.self) { try fixture.run("CREATE TABLE another AS SELECT i + 1 AS i, s || 'y' AS s FROM sorted ORDER BY s") }
    #expect(folder.files.values.reduce(0, +) <= used + (8 << 20))
    #expect(try fixture.rows("SELECT count(*) FROM sorted") == [["4000000"]])
  }

  @Test(arguments: engineNames)
  func aFolderThatGoesMissingIsAnError(engineName: String) throws {
    let folder = TestFolder()
    var options = options(engineName)
    options.temporaryFolder = { [path = folder.path] in path + "/gone/queries" }
    let fixture = try Fixture(engineName, queryOptions: options)
    let error = #expect(throws: CacheError.self) { try fixture.run(MemoryTests.large) }
    #expect(error?.code == .storage)
    #expect(error?.message.contains("spill_directory") == true, "\(String(describing: error))")
    #expect(try fixture.rows("SELECT 1 AS x") == [["1"]])
  }
}
