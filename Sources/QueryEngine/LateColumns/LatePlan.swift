import ArrowData
import CArrow
import CacheStore
import Primitives

/// How a `LateStatement` is answered: DuckDB says which rows of the entry are wanted and calculates, the other columns are taken from the
/// entry's own buffers.
struct LatePlan {
  /// What the scan calls the numbers of the rows.
  static let numbers = "arrow_cache_row_number"
  /// With fewer rows there is nothing to be gained.
  private static let fewRows = 50_000
  /// What the number of a row takes: columns that take no more are left to DuckDB.
  private static let numberBytes = 4

  let entry: Entry
  let sql: String
  /// By the columns of the result: which of the entry's it is (nil: DuckDB makes it), and what it is called.
  private let columns: [(source: Int, field: Field)?]
  /// Those of the entry that are wanted, each once.
  private let wanted: [Int]

  init?(_ sql: String, _ snapshot: QuerySnapshot) {
    guard let statement = LateStatement(sql), case .entry(let entry) = snapshot.resolve(statement.key), entry.rowCount >= Self.fewRows,
      entry.rowCount <= Int(UInt32.max)
    else { return nil }
    let names = ScanBinding.columnNames(entry.schema)
    let folded = names.map(\.folded)
    columns = statement.items.map { item in
      guard case .column(let name, let alias) = item, let index = folded.firstIndex(of: name.folded),
        let format = Self.format(entry.schema.fields[index]), let field = try? Field(name: alias ?? names[index], format: format)
      else { return nil }
      return (index, field)
    }
    wanted = Set(columns.compactMap { $0?.source }).sorted()
    let bytes = wanted.reduce(0) { $0 + Self.bytes(entry.schema.fields[$1]) }
    guard bytes > 2 * Self.numberBytes, Self.isAtHand(entry, wanted), !folded.contains(Self.numbers),
      let text = statement.sql(numbers: Self.numbers, isLate: columns.map { $0 != nil })
    else { return nil }
    (self.entry, self.sql) = (entry, text)
  }

  /// The type in which DuckDB would give the column, where that is the entry's own or nearly; nil: DuckDB has to.
  private static func format(_ field: Field) -> String? {
    guard !field.isExtension, field.dictionary == nil, field.isGathered else { return nil }
    return switch field.format {
    case "U": "u"
    case "Z": "z"
    default: WholeTable.formats.contains(field.format) ? field.format : nil
    }
  }

  /// Whether taking rows takes no memory but the result's: all that is wanted of an entry would be decoded, or read from the disk, and held at once.
  private static func isAtHand(_ entry: Entry, _ columns: [Int]) -> Bool {
    entry.isInMemory && Set(entry.encodedColumns).isDisjoint(with: columns)
  }

  private static func bytes(_ field: Field) -> Int {
    if case .fixed(let width) = field.layout { width } else { field.format == "b" ? 1 : 16 }
  }

  /// The result's rows, from those that DuckDB has found. nil: it has made other columns than it was asked for.
  func rows(_ result: any QueryResult, threads: Int, cancellation: Cancellation?) throws(CacheError) -> LateRows? {
    let produced = try importSchema(of: result)
    guard produced.fields.count == 1 + columns.count(where: { $0 == nil }), produced.fields[0].format == "I" else { return nil }
    var made = 0
    let fields = columns.map { column in
      if let column { return column.field }
      made += 1
      return produced.fields[made]
    }
    var found: [RecordBatch] = []
    var array = ArrowArray()
    while try result.next(into: &array) {
      found.append(try RecordBatch(importing: &array, schema: produced))
      if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
    }
    let schema = Schema(fields: fields, metadata: produced.metadata)
    let wantedFields = wanted.compactMap { index in columns.lazy.compactMap { $0 }.first { $0.source == index }?.field }
    let fetch = LateFetch(entry: entry, columns: wanted, hasOthers: made > 0, fields: wantedFields)
    // Pieces point into what has been found.
    defer { withExtendedLifetime(found) {} }
    let pieces = try fetch.pieces(of: found)
    let places = columns.map { column in column.flatMap { wanted.firstIndex(of: $0.source) } }
    let batches = Locked([RecordBatch?](repeating: nil, count: pieces.count))
    try parallel(count: pieces.count, threads: threads) { (_, index) throws(CacheError) in
      if cancellation?.isCancelled == true { throw CacheError(.interrupted, "the query was interrupted") }
      let piece = pieces[index]
      let (late, offset) = try fetch.fetch(piece)
      var made = 0
      let parts = places.map { place in
        if let place { return (batch: late, column: place, offset: offset) }
        made += 1
        return (batch: piece.found, column: made, offset: piece.offset)
      }
      let batch = RecordBatch(sideBySide: parts, rowCount: piece.count, schema: schema)
      batches.withLock { $0[index] = batch }
    }
    return LateRows(schema: schema, batches: batches.withLock { $0.compactMap { $0 } }, isEntrysOwn: pieces.contains(where: \.isWhole))
  }
}

/// Rows that are there.
final class LateRows: BatchSource {
  let schema: Schema
  private let batches: [RecordBatch]
  private var position = 0
  /// Whether some are the entry's own buffers.
  let isEntrysOwn: Bool

  init(schema: Schema, batches: [RecordBatch], isEntrysOwn: Bool) {
    (self.schema, self.batches, self.isEntrysOwn) = (schema, batches, isEntrysOwn)
  }

  var rowCount: Int { batches.reduce(0) { $0 + $1.rowCount } }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    guard position < batches.count else { return false }
    batches[position].export(offset: 0, count: batches[position].rowCount, to: array)
    position += 1
    return true
  }
}
