import ArrowData
import CacheStore
import Primitives

/// A column of a `LateStatement`'s result, now that its tables are known.
struct LateColumn {
  /// How DuckDB is asked for it.
  let text: String
  /// The column of a table that it is, and what it is in the result; nil: DuckDB has to make it.
  let late: (table: Int, index: Int, field: Field)?

  /// What the result has; nil: the statement reads other things than entries, or it is not certain what its names stand for.
  static func columns(of statement: LateStatement, _ snapshot: QuerySnapshot) -> (entries: [Entry], all: [LateColumn])? {
    let entries = statement.tables.compactMap { table in if case .entry(let entry) = snapshot.resolve(table.key) { entry } else { nil } }
    guard entries.count == statement.tables.count, entries.count == 1 || entries[0] !== entries[1] else { return nil }
    let names = entries.map { ScanBinding.columnNames($0.schema) }
    let folded = names.map { $0.map(\.folded) }
    let isQualified = statement.items.contains { item in
      switch item {
      case .column(let table, _, _, _): table != nil
      case .all: true
      case .other: false
      }
    }
    // A column could be meant, of which a field is named.
    if isQualified || entries.count > 1, folded.contains(where: { names in statement.tables.contains { names.contains($0.name.folded) } }) { return nil }

    // Those would be decoded, all of their rows at once.
    let encoded = entries.map { Set($0.encodedColumns) }
    func column(_ table: Int, _ index: Int, alias: String?, text: String) -> LateColumn {
      let own = entries[table].schema.fields[index]
      guard !encoded[table].contains(index), let format = format(own), let field = try? Field(name: alias ?? names[table][index], format: format)
      else {
        return LateColumn(text: text, late: nil)
      }
      return LateColumn(text: text, late: (table, index, field))
    }
    guard folded.allSatisfy({ statement.shared.isSubset(of: $0) }) else { return nil }
    var all: [LateColumn] = []
    for item in statement.items {
      switch item {
      case .other(let text): all.append(LateColumn(text: text, late: nil))
      case .all(let table):
        let tables = table.map { $0...$0 } ?? 0...entries.count - 1
        for table in tables {
          let name = LateStatement.quoted(statement.tables[table].name)
          for index in names[table].indices where tables.count == 1 || table == 0 || !statement.shared.contains(folded[table][index]) {
            all.append(column(table, index, alias: nil, text: "\(name).\(LateStatement.quoted(names[table][index]))"))
          }
        }
      case .column(let table, let name, let alias, let text):
        let table = table ?? (statement.shared.contains(name.folded) ? 0 : nil)
        let owners = (table.map { $0...$0 } ?? 0...entries.count - 1).filter { folded[$0].contains(name.folded) }
        if owners.count == 1, let index = folded[owners[0]].firstIndex(of: name.folded) {
          all.append(column(owners[0], index, alias: alias, text: text))
        } else {
          all.append(LateColumn(text: text, late: nil))
        }
      }
    }
    return (entries, all)
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
}
