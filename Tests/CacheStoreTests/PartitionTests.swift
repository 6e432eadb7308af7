import ArrowData
import CArrow
import Primitives
import Testing

@testable import CacheStore

@Suite struct PartitionTests {
  /// Every row in exactly one partition, in order, none too large, none smaller than it need be.
  private func check(_ partitions: [Partition], batchRows: [Int], maximumRows: Int, maximumBytes: Int, rowBytes: Int) {
    var row = 0
    var next = (batch: 0, offset: 0)
    for (index, partition) in partitions.enumerated() {
      #expect(partition.firstRow == row)
      #expect(partition.rowCount == partition.slices.reduce(0) { $0 + $1.count })
      #expect(partition.rowCount > 0 && partition.rowCount <= maximumRows)
      #expect(partition.rowCount == 1 || partition.rowCount * rowBytes <= maximumBytes)
      for slice in partition.slices {
        #expect(slice.count > 0)
        #expect((slice.segmentIndex, slice.offset) == next)
        next = slice.offset + slice.count == batchRows[slice.segmentIndex] ? (slice.segmentIndex + 1, 0) : (slice.segmentIndex, slice.offset + slice.count)
      }
      row += partition.rowCount
      if index + 1 < partitions.count {
        #expect(partition.rowCount == maximumRows || (partition.rowCount + 1) * rowBytes > maximumBytes, "closed too early")
      }
    }
    #expect(row == batchRows.reduce(0, +))
    #expect(next == (batchRows.count, 0))
  }

  @Test(arguments: [[], [1], [10], [3, 3, 3, 3], [1, 1, 1, 1, 1, 1, 1], [100], [7, 20, 1]], [(1, 1 << 40), (3, 1 << 40), (1000, 24), (1000, 1), (5, 32), (1000, 1 << 40)])
  func rowsAreCutByRowsAndBytes(batchRows: [Int], limits: (rows: Int, bytes: Int)) throws {
    let fixture = try Fixture {
      $0.partitionSizeRows = limits.rows
      $0.partitionSizeBytes = limits.bytes
    }
    var value: Int64 = 0
    let batches = batchRows.map { count in
      (0..<count).map { _ -> Int64? in
        value += 1
        return value
      }
    }
    let entry = try fixture.put("a", batches)
    check(entry.partitions, batchRows: batchRows, maximumRows: limits.rows, maximumBytes: limits.bytes, rowBytes: 8)
    #expect(entry.segments.count == batchRows.count)
    #expect(fixture.store.status().partitionCount == entry.partitions.count)

    // Copied: the same partitions over the same batches.
    let copied = try fixture.put("b", batches, copyAll: true)
    #expect(copied.partitions.map(\.firstRow) == entry.partitions.map(\.firstRow))
    #expect(copied.partitions.map(\.rowCount) == entry.partitions.map(\.rowCount))
    #expect(copied.segments.count == batchRows.count)
    check(copied.partitions, batchRows: batchRows, maximumRows: limits.rows, maximumBytes: limits.bytes, rowBytes: 8)
    #expect(try copied.numbers() == batches.flatMap { $0 })
    #expect(fixture.counter.live == batchRows.count)

    let whole = try fixture.put("c", batches, autoPartition: false)
    #expect(whole.partitions.count == (batchRows.isEmpty ? 0 : 1))
    fixture.audit()
  }

  @Test func withoutAutoPartitionAPutMayStillAskForIt() throws {
    let fixture = try Fixture {
      $0.partitionSizeRows = 2
      $0.autoPartition = false
    }
    #expect(try fixture.put("a").partitions.count == 1)
    #expect(try fixture.put("a", autoPartition: true).partitions.count == 2)
  }

  @Test func textRowsCountWithTheirText() throws {
    let fixture = try Fixture { $0.partitionSizeBytes = 1000 }
    let texts = [String?](repeating: String(repeating: "x", count: 96), count: 30)
    let schema = Schema(fields: [try Field(name: "t", format: "u")])
    let entry = try fixture.put("a", StreamSpec(schema: schema, batches: [.table([column(texts)], length: 30)]))
    #expect(entry.partitions.map(\.rowCount) == [10, 10, 10])
  }

  @Test func copiesOfSomeColumnsShareTheRest() throws {
    let fixture = try Fixture { $0.partitionSizeRows = 2 }
    let schema = Schema(fields: [try Field(name: "a", format: "l"), try Field(name: "b", format: "l")])
    let table = ArraySpec.table([column([Int64(1), 2, 3]), column([Int64(4), 5, 6])], length: 3)
    let entry = try fixture.put("a", StreamSpec(schema: schema, batches: [table]), copyColumns: [0])
    #expect(entry.segments.map(\.rowCount) == [3])
    #expect(entry.partitions.map(\.slices) == [[SegmentSlice(segmentIndex: 0, offset: 0, count: 2)], [SegmentSlice(segmentIndex: 0, offset: 2, count: 1)]])
    // The source's column a is gone, its column b is held.
    #expect(fixture.counter.live == 1)
    #expect(entry.sizeBytes == 24 + 24)
    fixture.audit()
    #expect(try fixture.put("a", StreamSpec(schema: schema, batches: [table]), copyColumns: []).segments.count == 1)
  }

  /// A column of nulls has any length and no memory: the number of partitions stays within bounds.
  @Test func rowsBeyondCountingMakeNoMorePartitionsThanCanBeHeld() throws {
    let fixture = try Fixture { $0.partitionSizeRows = 1 }
    let count = 1 << 40
    let schema = Schema(fields: [try Field(name: "n", format: "n")])
    let nulls = ArraySpec(length: Int64(count), nullCount: Int64(count), buffers: [])
    let entry = try fixture.put("a", StreamSpec(schema: schema, batches: [.table([nulls], length: count)]))
    #expect(entry.rowCount == count)
    #expect(entry.partitions.count == PartitionPlan.maximumCount + 1)
    #expect(entry.partitions.last.map { $0.firstRow + $0.rowCount } == count)
    let endless = ArraySpec(length: .max / 128, nullCount: .max / 128, buffers: [])
    let overflow = StreamSpec(schema: schema, batches: [ArraySpec](repeating: .table([endless], length: .max / 128), count: 130))
    #expect(throws: CacheError.self) { try fixture.put("b", overflow, autoPartition: false) }
    #expect(fixture.store.keys() == ["a"])
  }
}
