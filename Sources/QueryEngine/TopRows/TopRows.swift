import ArrowData
import CacheStore
import Primitives

/// The first rows of an order that a statement wants of its only table: a scan may leave out blocks that cannot hold one of them.
struct TopRows: Sendable {
  let statement: TopStatement
  let rowCount: Int

  init?(_ tokens: [SQLTokens.Token], _ parameters: QueryParameters) {
    guard let statement = TopStatement(tokens), let rowCount = statement.rowCount(parameters) else { return nil }
    (self.statement, self.rowCount) = (statement, rowCount)
  }

  /// The blocks of each stretch that may hold a wanted row; nil where nothing can be left out.
  func blocks(of source: any ScanSource, columns: [ScanColumn]) -> [UInt64]? {
    // Where all rows are wanted, or as good as all, looking for them is for nothing.
    guard rowCount < source.rowCount / 4,
      let column = columns.firstIndex(where: { $0.name.folded == statement.column.folded })
    else { return nil }
    // What DuckDB has in a coarser unit than the column may be equal there.
    let format = source.schema.fields[column].format
    guard !format.hasPrefix("tdm"), !format.hasPrefix("tsn:") || format == "tsn:" else { return nil }
    let stretches = source.stretches.all.indices
    let found = Locked([BlockStatistics?](repeating: nil, count: stretches.count))
    let known = source.knownBlocks(column: column)
    let missing = stretches.filter { !known.indices.contains($0) || known[$0] == nil }
    parallelWithoutErrors(count: missing.count) { index in
      let made = source.blockStatistics(stretch: missing[index], column: column)
      found.withLock { $0[missing[index]] = made }
    }
    let made = found.withLock { $0 }
    let statistics = stretches.map { known.indices.contains($0) ? known[$0] ?? made[$0] : made[$0] }
    return TopBlocks.find(statistics, rowCount: rowCount, isDescending: statement.isDescending, nullsFirst: statement.nullsFirst)
  }

  private func parallelWithoutErrors(count: Int, _ body: (Int) -> Void) {
    do throws(CacheError) { try parallel(count: count, threads: count > 1 ? 2 : 1) { _, index in body(index) } } catch {}
  }
}
