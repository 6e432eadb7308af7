import CacheStore
import Primitives
import Testing

@testable import QueryEngine

/// What a statement's scans have read, each by itself.
@Suite struct StatementScanTests {
  /// The scans of a statement that is run to its end.
  private func scans(_ engineName: String, _ sql: String, partitionRows: Int = 10_000) throws -> (own: [StatementScan], whole: ScanCounters) {
    var options = StoreOptions()
    options.partitionSizeRows = partitionRows
    let fixture = try Fixture(engineName, storeOptions: options)
    try fixture.put("a", "SELECT range AS id, range * 2 AS twice FROM range(100000)")
    try fixture.put("b", "SELECT range AS id FROM range(50000)")
    let counters = ScanCounters()
    var queryOptions = QueryOptions()
    queryOptions.usesStableAPI = engineName == "v1"
    let pool = try QueryEngine.open(try DuckDBLibrary.load(path: nil), fixture.store, counters, queryOptions)
    let snapshot = QuerySnapshot(store: fixture.store)
    try snapshot.run { () throws(CacheError) in
      _ = try CollectedResult(try pool.take().connection.execute(sql, parameters: .none), cancellation: nil)
    }
    return (snapshot.scans, counters)
  }

  @Test(arguments: engineNames)
  func eachReferenceCountsItsOwn(engineName: String) throws {
    let sql = "SELECT sum(id) FROM _cache_a WHERE twice < 10 UNION ALL SELECT sum(id) FROM _cache_a UNION ALL SELECT sum(id) FROM _cache_b WHERE id >= 45000"
    let (own, whole) = try scans(engineName, sql)
    #expect(own.map(\.table) == ["_cache_a", "_cache_a", "_cache_b"])
    #expect(own.reduce(0) { $0 + $1.counters.rowsScanned } == whole.rowsScanned && whole.rowsScanned > 0)
    #expect(own.reduce(0) { $0 + $1.counters.blocksScanned } == whole.blocksScanned)
    for scan in own {
      let partitions = scan.table == "_cache_a" ? 10 : 5
      #expect(scan.tablePartitions == partitions && scan.tableRows == partitions * 10_000)
      #expect(scan.counters.partitionsScanned + scan.counters.partitionsSkipped == partitions, "\(scan.table)")
      #expect(scan.counters.blocksScanned + scan.counters.blocksSkipped == partitions * 5, "\(scan.table)")
      #expect(scan.counters.memoryBytesRead > 0 && scan.counters.diskBytesRead == 0)
    }
    #expect(own.map(\.counters.partitionsSkipped) == (engineName == "v2" ? [9, 0, 4] : [0, 0, 0]))
  }

  @Test(arguments: engineNames)
  func whatIsOnlyDescribedIsNoScan(engineName: String) throws {
    let (own, _) = try scans(engineName, "DESCRIBE SELECT * FROM _cache_a")
    #expect(own.isEmpty)
  }

  /// A statement that wants a few rows leaves most of them unread.
  @Test(arguments: engineNames)
  func aLimitStopsTheScan(engineName: String) throws {
    let (own, _) = try scans(engineName, "SELECT * FROM _cache_a LIMIT 10")
    #expect(own.count == 1)
    let rows = own[0].counters.rowsScanned
    #expect(rows >= 10 && rows <= 30_000, "\(rows)")
  }
}
