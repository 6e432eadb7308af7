import ArrowData
import CArrow
import CacheStore
import Primitives

/// How a `LateStatement` is answered: DuckDB says which rows of the entries are wanted and calculates, the other columns are taken from the
/// entries' own buffers.
struct LatePlan {
  /// What the scan calls the numbers of the rows.
  static let numbers = "arrow_cache_row_number"
  /// With fewer rows there is nothing to be gained.
  private static let fewRows = 50_000
  /// What the number of a row takes: columns that take little more are left to DuckDB.
  private static let numberBytes = 4
  /// Tables that differ less in size are alike: the rows of both may lie anywhere in memory, where DuckDB carries numbers along faster than
  /// they are fetched; texts not.
  private static let likeFactor = 2

  /// An entry some of whose columns are late.
  struct Table {
    let entry: Entry
    /// Its late columns, each once.
    let columns: [Int]
    /// As the result has them.
    let fields: [Field]
  }

  /// A column of the result: one of a table's late columns, or as DuckDB makes it.
  private enum Column {
    case late(table: Int, place: Int, Field)
    case made
  }

  /// All that the statement reads.
  let entries: [Entry]
  /// Those with late columns, the largest first; DuckDB gives the numbers of their rows in this order.
  let tables: [Table]
  let sql: String
  private let columns: [Column]

  init?(_ sql: String, _ snapshot: QuerySnapshot) {
    guard let statement = LateStatement(sql), let columns = LateColumn.columns(of: statement, snapshot) else { return nil }
    let entries = columns.entries
    let late = entries.indices.map { table in Set(columns.all.compactMap { $0.late?.table == table ? $0.late?.index : nil }).sorted() }
    let rowCounts = entries.map(\.rowCount)
    let isAlike = entries.count > 1 && (rowCounts.min() ?? 0) > (rowCounts.max() ?? 0) / Self.likeFactor
    let order = entries.indices.filter { Self.isWorthIt(entries[$0], late[$0], needsText: isAlike) }.sorted { entries[$0].rowCount > entries[$1].rowCount }
    guard let first = order.first, entries[first].rowCount >= Self.fewRows else { return nil }
    tables = order.map { table in
      Table(entry: entries[table], columns: late[table], fields: late[table].compactMap { index in
        columns.all.lazy.compactMap(\.late).first { $0.table == table && $0.index == index }?.field
      })
    }
    var texts = order.map { entries.count == 1 ? Self.numbers : "\(LateStatement.quoted(statement.tables[$0].name)).\(Self.numbers)" }
    var made: [Column] = []
    for column in columns.all {
      if let late = column.late, let table = order.firstIndex(of: late.table), let place = tables[table].columns.firstIndex(of: late.index) {
        made.append(.late(table: table, place: place, late.field))
      } else {
        texts.append(column.text)
        made.append(.made)
      }
    }
    guard let text = statement.sql(texts, without: Self.numbers) else { return nil }
    (self.entries, self.columns, self.sql) = (entries, made, text)
  }

  /// Whether the columns take more than the numbers, and taking rows takes no memory but the result's: what is on disk would be read and held at once.
  private static func isWorthIt(_ entry: Entry, _ columns: [Int], needsText: Bool) -> Bool {
    let bytes = columns.reduce(0) { $0 + Self.bytes(entry.schema.fields[$1]) }
    if needsText, !columns.contains(where: { if case .binary = entry.schema.fields[$0].layout { true } else { false } }) { return false }
    return bytes > 2 * numberBytes && entry.rowCount > 0 && entry.rowCount <= Int(UInt32.max) && entry.isInMemory
      && !ScanBinding.columnNames(entry.schema).contains { $0.folded == numbers }
  }

  private static func bytes(_ field: Field) -> Int {
    if case .fixed(let width) = field.layout { width } else { field.format == "b" ? 1 : 16 }
  }

  /// The result's rows, from those that DuckDB has found. nil: it has made other columns than it was asked for.
  func rows(_ result: any QueryResult, threads: Int, cancellation: Cancellation?) throws(CacheError) -> LateRows? {
    let produced = try importSchema(of: result)
    let madeCount = columns.count { if case .made = $0 { true } else { false } }
    guard produced.fields.count == tables.count + madeCount, produced.fields.prefix(tables.count).allSatisfy({ $0.format == "I" }) else { return nil }
    var made = tables.count - 1
    let fields = columns.map { column in
      if case .late(_, _, let field) = column { return field }
      made += 1
      return produced.fields[made]
    }
    var found: [RecordBatch] = []
    var array = ArrowArray()
    while try result.next(into: &array) {
      found.append(try RecordBatch(importing: &array, schema: produced))
      if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
    }
    // Pieces point into what has been found.
    defer { withExtendedLifetime(found) {} }
    let schema = Schema(fields: fields, metadata: produced.metadata)
    return entries.count == 1
      ? try fetched(found, schema, hasOthers: madeCount > 0, threads, cancellation) : try joined(found, schema, threads, cancellation)
  }

  private func fetched(
    _ found: [RecordBatch], _ schema: Schema, hasOthers: Bool, _ threads: Int, _ cancellation: Cancellation?
  ) throws(CacheError) -> LateRows {
    let table = tables[0]
    let fetch = LateFetch(entry: table.entry, columns: table.columns, hasOthers: hasOthers, fields: table.fields)
    let pieces = try fetch.pieces(of: found)
    let batches = try batches(pieces.count, schema, threads, cancellation) { (_, index) throws(CacheError) in
      let piece = pieces[index]
      return (piece.found, piece.offset, piece.count, [try fetch.fetch(piece)])
    }
    return LateRows(schema: schema, batches: batches, isEntrysOwn: pieces.contains(where: \.isWhole))
  }

  private func joined(_ found: [RecordBatch], _ schema: Schema, _ threads: Int, _ cancellation: Cancellation?) throws(CacheError) -> LateRows? {
    guard let join = try LateJoin(tables, threads: threads) else { return nil }
    let pieces = try join.pieces(of: found)
    let batches = try batches(pieces.count, schema, threads, cancellation) { (thread, index) throws(CacheError) in
      (pieces[index].found, pieces[index].offset, pieces[index].count, try join.fetch(pieces[index], thread: thread))
    }
    return LateRows(schema: schema, batches: batches, isEntrysOwn: pieces.contains(where: \.isWhole))
  }

  /// What DuckDB has made and, by table, what has been fetched, side by side; made by several threads.
  private func batches(
    _ count: Int, _ schema: Schema, _ threads: Int, _ cancellation: Cancellation?,
    _ piece: (_ thread: Int, _ index: Int) throws(CacheError) -> (found: RecordBatch, offset: Int, count: Int, late: [(batch: RecordBatch, offset: Int)])
  ) throws(CacheError) -> [RecordBatch] {
    let batches = Locked([RecordBatch?](repeating: nil, count: count))
    try parallel(count: count, threads: threads) { (thread, index) throws(CacheError) in
      if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
      let piece = try piece(thread, index)
      var made = tables.count - 1
      let parts = columns.map { column in
        if case .late(let table, let place, _) = column { return (batch: piece.late[table].batch, column: place, offset: piece.late[table].offset) }
        made += 1
        return (batch: piece.found, column: made, offset: piece.offset)
      }
      let batch = RecordBatch(sideBySide: parts, rowCount: piece.count, schema: schema)
      batches.withLock { $0[index] = batch }
    }
    return batches.withLock { $0.compactMap { $0 } }
  }
}
