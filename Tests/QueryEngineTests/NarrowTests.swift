import CArrow
import CacheStore
import Testing

@testable import ArrowData
@testable import QueryEngine

/// Whole numbers that scans read from fewer bytes when they read them again, against DuckDB's own tables.
@Suite struct NarrowTests {
  /// Each type with numbers near its ends, in a small range somewhere, with nulls, and in ranges that differ by place.
  private static let types = [
    "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ",
    "DECIMAL(4, 1)", "DECIMAL(9, 2)", "DECIMAL(18, 3)", "DECIMAL(30, 2)",
  ]

  private static func table(_ type: String) -> String {
    let (least, most): (String, String) =
      switch type {
      case "SMALLINT": ("(-32768)", "32767")
      case "USMALLINT": ("0", "65535")
      case "INTEGER": ("(-2147483648)", "2147483647")
      case "UINTEGER": ("0", "4294967295")
      case "BIGINT": ("(-9223372036854775808)::HUGEINT", "9223372036854775807")
      case "UBIGINT": ("0", "18446744073709551615")
      case "DECIMAL(4, 1)": ("(-999.9)", "999.9")
      case "DECIMAL(9, 2)": ("(-9999999.99)", "9999999.99")
      case "DECIMAL(18, 3)": ("(-999999999999999.999)", "999999999999999.999")
      case "DECIMAL(30, 2)": ("(-9999999999999999999999999999.99)", "9999999999999999999999999999.99")
      default: ("0", "0")
      }
    if type == "DATE" { return times { "DATE '1970-01-01' + CAST(\($0) AS INTEGER)" } }
    if type == "TIME" { return times { "TIME '00:00:00' + to_microseconds(\($0))" } }
    if type.hasPrefix("TIMESTAMP") { return times { "CAST(TIMESTAMP '1969-12-31 23:00:00' + to_seconds(\($0)) AS \(type))" } }
    let step = type.hasPrefix("DECIMAL") ? "* 0.1" : ""
    return """
      SELECT CAST(\(least) + (i * 31 % 200) \(step) AS \(type)) AS low, CAST(\(most) - (i * 37 % 300) \(step) AS \(type)) AS high,
        CAST(CASE WHEN i % 7 = 0 THEN NULL ELSE i * 13 % 255 END AS \(type)) AS few, CAST(CASE WHEN i < 60000 THEN i % 90 ELSE i % 250 + 300 END AS \(type)) AS parts,
        CAST(CASE WHEN i = 77777 THEN \(most) ELSE \(least) END AS \(type)) AS wide, CAST(NULL AS \(type)) AS none, i
      FROM range(130000) r(i)
      """
  }

  private static func times(_ value: (String) -> String) -> String {
    """
    SELECT \(value("i * 31 % 200")) AS low, \(value("86399 - i * 37 % 300")) AS high, CASE WHEN i % 7 = 0 THEN NULL ELSE \(value("i * 13 % 255")) END AS few,
      \(value("CASE WHEN i < 60000 THEN i % 90 ELSE i % 250 + 300 END")) AS parts, \(value("i % 86399")) AS wide, CASE WHEN i < 0 THEN \(value("1")) END AS none, i
    FROM range(130000) r(i)
    """
  }

  @Test(arguments: types, [20_000, 200_000])
  func rowsStayWhatTheyAre(type: String, partitionRows: Int) throws {
    guard engineNames.contains("v2") else { return }
    var options = StoreOptions()
    options.partitionSizeRows = partitionRows
    let fixture = try Fixture("v2", storeOptions: options)
    try fixture.put("t", Self.table(type))
    try fixture.run("CREATE TABLE t AS \(Self.table(type))")
    for query in [
      "SELECT md5(string_agg(concat_ws('|', low, high, few, parts, wide, none), ';' ORDER BY i)) FROM {t}", "SELECT few, count(*) FROM {t} GROUP BY few ORDER BY few",
      "SELECT min(low), max(low), min(high), max(high), min(wide), max(wide), count(none), min(parts), max(parts) FROM {t}",
      "SELECT * FROM {t} WHERE i % 1000 = 7 ORDER BY i", "SELECT low, high, few, parts FROM {t} WHERE few IS NULL AND i > 129000 ORDER BY i",
      "SELECT count(*) FROM {t} a JOIN {t} b ON a.i = b.i WHERE a.parts = b.parts AND a.wide = b.wide", "SELECT i, wide FROM {t} LIMIT 5 OFFSET 77775",
    ] {
      func named(_ name: String) -> String { query.split(separator: "{t}", omittingEmptySubsequences: false).joined(separator: name) }
      let expected = try fixture.rows(named("t"))
      for _ in 0..<3 { #expect(try fixture.rows(named("_cache_t")) == expected, "\(query)") }
    }
    let made = try #require((fixture.store.peek("t")?.memo(CompactColumns.memoName) as? CompactColumns)?.columns)
    // Decimals that DuckDB keeps in 16 bytes stay; of two bytes and of decimals in two, a byte is left; microseconds of a day need 8.
    let isKept = type != "DECIMAL(30, 2)"
    #expect(made.isSuperset(of: isKept ? [6] : []))
    if isKept, !["TIMESTAMP_NS"].contains(type) { #expect(made.contains(2) && made.contains(5)) }
  }

  @Test func distancesAreCountedFromTheLeast() throws {
    for (format, values) in [("i", [-5, 250, 7]), ("l", [.max - 200, .max, .max - 3]), ("l", [.min, .min + 255, .min + 1]), ("s", [-100, 155, 0])] as [(String, [Int64])] {
      let batch = try numbers(format, values)
      let narrow = try #require(try batch.narrowed(column: 0, offset: 0, count: 3, decimalBytes: nil))
      #expect(narrow.schema.fields[0].format == "C")
      #expect(narrow.schema.fields[0].narrowBase == values.min().map { Int128($0) })
      let distances = try #require(narrow.column(0).pointee.buffers?[1]?.assumingMemoryBound(to: UInt8.self))
      #expect((0..<3).map { values.min()! + Int64(distances[$0]) } == values)
    }
    #expect(try numbers("l", [.min, .max, 0]).narrowed(column: 0, offset: 0, count: 3, decimalBytes: nil) == nil)
    #expect(try numbers("i", [0, 1 << 16, 0]).narrowed(column: 0, offset: 0, count: 3, decimalBytes: nil) == nil)
    #expect(try numbers("g", [0, 1, 2]).narrowed(column: 0, offset: 0, count: 3, decimalBytes: nil) == nil)
    #expect(try numbers("l", [0, 1, 2]).narrowed(column: 0, offset: 1, count: 3, decimalBytes: nil) == nil)
    #expect(try numbers("l", [0, 1, 2]).narrowed(column: 1, offset: 0, count: 3, decimalBytes: nil) == nil)
  }

  private func numbers(_ format: String, _ values: [Int64]) throws -> RecordBatch {
    let memory = CopyMemory(expectedBytes: 64)
    var node = try memory.node(bufferCount: 2, childCount: 0)
    node.length = Int64(values.count)
    let target = try memory.buffer(byteCount: values.count * 8)
    for (index, value) in values.enumerated() {
      switch format {
      case "s": target.storeBytes(of: Int16(value), toByteOffset: index * 2, as: Int16.self)
      case "i": target.storeBytes(of: Int32(value), toByteOffset: index * 4, as: Int32.self)
      default: target.storeBytes(of: value, toByteOffset: index * 8, as: Int64.self)
      }
    }
    node.buffers?[1] = UnsafeRawPointer(target)
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
    columns.initialize(to: node)
    return RecordBatch(schema: Schema(fields: [try Field(name: "n", format: format)]), rowCount: values.count, columns: columns, owners: [ColumnInShared(memory)])
  }
}
