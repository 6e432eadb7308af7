import ArrowData
import CacheStore
import Primitives

/// `SELECT * FROM _cache_x`, word for word: its rows are the entry's, and so are its buffers where DuckDB's types are the entry's own.
enum WholeTable {
  /// Types that DuckDB stores as Arrow does, or builds from the same bytes: what goes in comes out.
  private static let formats: Set<String> = [
    "b", "c", "C", "s", "S", "i", "I", "l", "L", "f", "g", "tdD", "ttu", "tss:", "tsm:", "tsu:", "tsn:", "u", "z",
  ]

  /// With fewer rows looking for tables of that name would cost more than it spares.
  private static let fewRows = 50_000

  /// Whether the statement is of that form. What DuckDB binds it to tells whether it is about an entry; but it hands names to the stable API
  /// without their schema, so that an entry's name within a view could be taken for the view's own: there no table or view may have the name.
  static func isMeant(by sql: String, _ parameters: QueryParameters, on connection: any Connection, of database: any Database, _ store: Store) -> Bool {
    guard let name = name(in: sql, parameters), let key = TableName.key(name) else { return false }
    guard database.engineName == "v1" else { return true }
    guard case .entry(let entry) = store.resolve(key), entry.rowCount >= fewRows else { return false }
    let text = name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    let count = """
      SELECT count(*) FROM (SELECT view_name AS name FROM duckdb_views() UNION ALL SELECT table_name FROM duckdb_tables())
      WHERE lower(name) = lower('\(text)')
      """
    return (try? readInt64(CollectedResult(connection.execute(count, parameters: .none), cancellation: nil))) == 0
  }

  /// The table that the statement names, where it is of that form.
  static func name(in sql: String, _ parameters: QueryParameters) -> String? {
    guard case .none = parameters else { return nil }
    var scanner = Scanner(sql)
    if scanner.take(word: "select") {
      guard scanner.take("*") else { return nil }
    }
    guard scanner.take(word: "from"), let name = scanner.takeName() else { return nil }
    while scanner.take(";") {}
    return scanner.isAtEnd && TableName.key(name) != nil ? name : nil
  }

  /// The rows of the one entry that the statement has been bound to, in place of those that DuckDB would produce; nil where they could
  /// differ in anything but their batches.
  static func rows(inPlaceOf result: any QueryResult, _ snapshot: QuerySnapshot, cancellation: Cancellation?) throws(CacheError) -> CollectedResult? {
    guard let entry = snapshot.onlyEntry else { return nil }
    let schema = try importSchema(of: result)
    guard schema.fields.count == entry.schema.fields.count, zip(schema.fields, entry.schema.fields).allSatisfy(isSame) else { return nil }
    return try CollectedResult(of: entry.reader(), schema: schema, cancellation: cancellation)
  }

  private static func isSame(_ produced: Field, _ kept: Field) -> Bool {
    guard !produced.isExtension, !kept.isExtension, produced.dictionary == nil, kept.dictionary == nil else { return false }
    // Of a time with a zone DuckDB keeps the instant alone, and shows it in the session's zone.
    if [produced.format, kept.format].allSatisfy({ $0.hasPrefix("tsu:") && $0 != "tsu:" }) { return true }
    return produced.format == kept.format && formats.contains(kept.format)
  }
}

/// Reads SQL from left to right, past white space.
private struct Scanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = Substring(text).utf8 }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return rest.isEmpty
    }
  }

  private mutating func skipSpace() {
    // As DuckDB has it: other white space of Unicode is left to DuckDB.
    rest = rest.drop { $0 == 32 || ($0 >= 9 && $0 <= 13) }
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// A word in any case that nothing else follows at once but a space, a quote or a star.
  mutating func take(word: String) -> Bool {
    skipSpace()
    let length = word.utf8.count
    guard rest.count > length, zip(rest, word.utf8).allSatisfy({ $0 | 32 == $1 }), !Self.isOfName(rest.dropFirst(length).first ?? 0) else { return false }
    rest = rest.dropFirst(length)
    return true
  }

  /// A name, as SQL would have it: plain, or in double quotes.
  mutating func takeName() -> String? {
    skipSpace()
    guard rest.first == UInt8(ascii: "\"") else {
      let name = rest.prefix(while: Self.isOfName)
      guard let first = name.first, !(48...57).contains(first) else { return nil }
      rest = rest.dropFirst(name.count)
      return String(decoding: name, as: UTF8.self)
    }
    rest.removeFirst()
    var name: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") {
        guard rest.first == byte else { return String(decoding: name, as: UTF8.self) }
        rest.removeFirst()
      }
      name.append(byte)
    }
    return nil
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    byte == 95 || (48...57).contains(byte) || (97...122).contains(byte | 32)
  }
}
