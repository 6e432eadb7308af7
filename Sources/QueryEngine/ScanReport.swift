/// What the scans of a statement read, as a table of text.
enum ScanReport {
  static func text(_ scans: [StatementScan], skips: Bool) -> String {
    guard !scans.isEmpty else { return "\nNo cached table was read.\n" }
    let head = ["table", "rows", "of", "partitions", "skipped", "blocks", "skipped", "from memory", "from disk", "partitions on disk"]
    let rows = scans.map { scan in
      let counters = scan.counters
      return [
        scan.table, grouped(counters.rowsScanned), grouped(scan.tableRows), grouped(counters.partitionsScanned), grouped(counters.partitionsSkipped),
        grouped(counters.blocksScanned), grouped(counters.blocksSkipped), size(counters.memoryBytesRead), size(counters.diskBytesRead),
        grouped(counters.partitionsFromDisk),
      ]
    }
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }.joined(separator: "  ") + "\n"
    }
    var text = "\nScans of cached tables\n" + line(head)
    for (scan, row) in zip(scans, rows) {
      text += line(row)
      let wanted = scan.predicates.map { PredicateText.of($0, scan.schema) }.filter { !$0.isEmpty }
      if scan.readsTop { text += "  reads the blocks that can hold the first rows of ORDER BY … LIMIT\n" }
      if !wanted.isEmpty { text += "  skips what cannot have \(wanted.joined(separator: " AND "))\n" }
    }
    return skips ? text : text + "DuckDB 1 tells scans no filters: nothing is skipped.\n"
  }

  /// 1234567 as 1,234,567.
  private static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.enumerated().reduce(into: "") { text, digit in
      if digit.offset > 0, (digits.count - digit.offset) % 3 == 0 { text += "," }
      text.append(digit.element)
    }
  }

  private static func size(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    var (value, unit) = (Double(bytes), 0)
    let units = ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.95, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
