import ArrowData
import CArrow
import Primitives

@testable import CacheStore

/// Operations that read, and rows that stay with who has read them.
extension DiskModel {
  func get(_ key: String) {
    let entry = store.lookup(key)
    if entry == nil { hits.1 += 1 } else { hits.0 += 1 }
    guard let entry, let known = known[key] else {
      if (entry == nil) != (known[key] == nil) { fail("found \(entry != nil), known \(known[key] != nil)") }
      return
    }
    if entry.version != known.version { fail("version \(entry.version) of \(known.version)") }
    let columns = randomColumns()
    let first = chance(50) ? 0 : random(0...max(0, known.table.rowCount - 1))
    let limit = chance(50) ? nil : random(0...max(1, known.table.rowCount))
    check(entry.reader(offset: first, limit: limit, columns: columns), known.table, columns, first, min(limit ?? .max, known.table.rowCount - first)) {
      self.mayFail(entry, known.table, isPartitioned: known.isPartitioned)
    }
  }

  func randomColumns() -> [Int] { chance(50) ? [0, 1, 2] : [[0], [2, 1], [1], []][random(0...3)] }

  /// Reads to the end and compares every value.
  func check(
    _ reader: any BatchSource, _ table: SampleTable, _ columns: [Int], _ first: Int, _ count: Int, mayFail: (() -> Bool)
  ) {
    var row = first
    do throws(CacheError) {
      var array = ArrowArray()
      while try reader.next(into: &array) {
        if let difference = table.difference(array, firstRow: row, columns: columns) { fail("table \(table.tag): \(difference)") }
        row += Int(array.length)
        array.release?(&array)
      }
      if row - first != count { fail("\(row - first) rows of \(count)") }
    } catch {
      tally("read failed")
      if !mayFail() { fail("a read failed: \(error)") }
    }
  }

  /// Whether reading may fail: a call for a file has just failed, a file has been removed, or pins leave no room to decompress.
  func mayFail(_ entry: Entry, _ table: SampleTable, isPartitioned: Bool) -> Bool {
    if hasFailedNow { return true }
    if setting.compression != .none, !pins.isEmpty || !isPartitioned && table.rowCount > 150 { return true }
    return entry.segments.contains { segment in !segment.isInMemory && segment.file.map { outside.removedPaths.contains($0.path) } ?? false }
  }

  func hold(_ key: String) {
    guard leases.count < 12, let entry = store.peek(key), let known = known[key] else { return }
    let columns = randomColumns()
    switch random(0...2) {
    case 0: leases.append(Lease(table: known.table, columns: columns, firstRow: 0, entry: entry))
    case 1:
      let first = random(0...max(0, known.table.rowCount - 1))
      leases.append(Lease(table: known.table, columns: columns, firstRow: first, reader: entry.reader(offset: first, columns: columns), entry: entry))
    default: if let lease = rows(of: entry, known, columns) { leases.append(lease) }
    }
  }

  /// Rows of one segment, as a caller gets them.
  func rows(of entry: Entry, _ known: Known, _ columns: [Int]) -> Lease? {
    guard !entry.segments.isEmpty, !columns.isEmpty else { return nil }
    let index = random(0...(entry.segments.count - 1))
    let segment = entry.segments[index]
    let offset = random(0...(segment.rowCount - 1))
    let firstRow = entry.segments[..<index].reduce(0) { $0 + $1.rowCount } + offset
    let resident = segment.residentBatches
    do throws(CacheError) {
      let slices = try segment.readPlain(offset: offset, count: random(1...(segment.rowCount - offset)), columns: columns, isLent: true)
      var buffers = BufferSet()
      let isFromFile = resident.isEmpty
      for batch in resident { buffers.insert(batch) }
      if isFromFile, setting.compression != .none { for slice in slices { buffers.insert(slice.batch) } }
      let encoded = columns.indices.filter { segment.schema.fields[columns[$0]].encodedFormat != nil }
      if !encoded.isEmpty { for slice in slices { buffers.insert(slice.batch.selecting(encoded)) } }
      let spans = buffers.spans.filter { !isFromFile || segment.file?.maps($0.address) == false }
      return Lease(
        table: known.table, columns: columns, firstRow: firstRow, slices: slices, spans: spans, path: isFromFile ? segment.file?.path : nil)
    } catch {
      tally("read failed")
      if !mayFail(entry, known.table, isPartitioned: known.isPartitioned) { fail("\(error)") }
      return nil
    }
  }

  func release() {
    guard !leases.isEmpty else { return }
    leases.remove(at: random(0...(leases.count - 1)))
  }

  func checkLease() {
    guard !leases.isEmpty else { return }
    let index = random(0...(leases.count - 1))
    let lease = leases[index]
    let columns = lease.columns
    if let entry = lease.entry {
      let reader = lease.reader ?? entry.reader(columns: columns)
      if lease.reader != nil { leases.remove(at: index) }
      check(reader, lease.table, columns, lease.firstRow, lease.table.rowCount - lease.firstRow) {
        self.mayFail(entry, lease.table, isPartitioned: false)
      }
      return
    }
    var row = lease.firstRow
    for slice in lease.slices {
      var array = ArrowArray()
      slice.batch.export(offset: slice.offset, count: slice.count, to: &array)
      if let difference = lease.table.difference(array, firstRow: row, columns: columns) { fail("rows held of table \(lease.table.tag): \(difference)") }
      row += slice.count
      array.release?(&array)
    }
  }

  func statistics(_ key: String) {
    guard let entry = store.peek(key), let known = known[key], !entry.partitions.isEmpty else { return }
    let index = random(0...(entry.partitions.count - 1))
    let partition = entry.partitions[index]
    let statistics = entry.statistics(partition: index, column: 0)
    if statistics.rowCount != partition.rowCount { fail("statistics of \(statistics.rowCount) rows") }
    let nulls = (partition.firstRow..<partition.firstRow + partition.rowCount).count { SampleTable.isNull($0) }
    switch statistics.nullCount {
    case nil: if !mayFail(entry, known.table, isPartitioned: known.isPartitioned) { fail("statistics are not known") }
    case let count?: if count != nulls { fail("\(count) nulls of \(nulls)") }
    }
  }
}
