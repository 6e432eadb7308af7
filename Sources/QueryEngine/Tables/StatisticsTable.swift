import ArrowData
import CacheStore
import Primitives

extension InternalTable {
  /// What is known of the columns of each partition: it is computed when a query first asks for it. How many different values they have
  /// is estimated when this table is first read, where `estimates` says so.
  static func statistics(estimates: Bool, _ contents: @escaping @Sendable () throws(CacheError) -> [EntryContents]) -> InternalTable {
    InternalTable(name: "statistics") { () throws(CacheError) in
      var rows: [Row] = []
      for contents in try contents() {
        for (partition, columns) in contents.entry.knownStatistics.sorted(by: { $0.key < $1.key }) {
          for (column, known) in columns.sorted(by: { $0.key < $1.key }) where contents.entry.schema.fields.indices.contains(column) {
            rows.append(Row(entry: contents.entry, partition: partition, column: column, known: known))
          }
        }
      }
      return try RecordBatch(columns: [
        ("key", .text(rows.map(\.entry.key))), ("version", .int64(rows.map { Int64(clamping: $0.entry.version) })),
        ("partition", .int64(rows.map { Int64($0.partition) })), ("column_index", .int64(rows.map { Int64($0.column) })),
        ("column_name", .text(rows.map(\.field.name))), ("arrow_format", .text(rows.map(\.field.format))),
        ("row_count", .int64(rows.map { Int64($0.known.rowCount) })), ("null_count", .int64(rows.map { $0.known.nullCount.map(Int64.init) })),
        ("min", .text(rows.map(\.bounds.min))), ("max", .text(rows.map(\.bounds.max))), ("exact", .bool(rows.map(\.bounds.isExact))),
        ("ascending", .bool(rows.map { $0.entry.blocksAscend(partition: $0.partition, column: $0.column) })),
        ("distinct_estimate", .int64(rows.map { row in
          row.entry.distinctEstimate(partition: row.partition, column: row.column, computes: estimates).map { Int64($0) }
        })),
      ])
    }
  }

  private struct Row {
    let entry: Entry
    let partition: Int
    let column: Int
    let known: ColumnStatistics

    var field: Field { entry.schema.fields[column] }

    /// As text, since columns are of all types; of geometries the corners of the box around them. Null where there is none.
    var bounds: (min: String?, max: String?, isExact: Bool?) {
      switch known.bounds {
      case .unknown, .noValues: (nil, nil, nil)
      case .int(let min, let max): (number(min), number(max), true)
      case .uint(let min, let max): ("\(min)", "\(max)", true)
      // NaN is above all numbers.
      case .double(let min, let max, let hasNaN): (min > max ? "nan" : "\(min)", hasNaN ? "nan" : "\(max)", true)
      case .bytes(let min, let max, let isExact): (Self.text(min), max.map(Self.text), isExact)
      case .box(let box): ("\(box.minX) \(box.minY)", "\(box.maxX) \(box.maxY)", true)
      }
    }

    /// Decimals with their point; dates and times as the numbers that are stored.
    private func number(_ value: Int64) -> String {
      let parts = field.format.split(separator: ":")
      guard parts.count == 2, parts[0] == "d", let scale = parts[1].split(separator: ",").dropFirst().first.flatMap({ Int($0) }), scale > 0 else {
        return "\(value)"
      }
      let digits = "\(value.magnitude)"
      let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
      return (value < 0 ? "-" : "") + padded.dropLast(scale) + "." + padded.suffix(scale)
    }

    private static func text(_ bytes: [UInt8]) -> String {
      String(validating: bytes, as: UTF8.self) ?? "\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
