import ArrowData
import CArrow
import Primitives
import Testing

/// Tells when it goes, and how many arrays of a counter were live then.
private final class Mark {
  private let counter: ReleaseCounter
  private let told: Locked<[Int]>

  init(_ counter: ReleaseCounter, _ told: Locked<[Int]>) { (self.counter, self.told) = (counter, told) }
  deinit { told.withLock { $0.append(counter.live) } }
}

@Suite struct KeepTests {
  private let counter = ReleaseCounter()
  private let told = Locked<[Int]>([])

  private func batch() throws -> RecordBatch {
    try ArraySpec.table([column([Int32(1), 2, 3]), column(["a", nil, "c"])], length: 3).batch(schema("i", "u"), counter)
  }

  /// A reader of one column keeps that column and the object, and no other column.
  @Test func theObjectLivesAsLongAsTheLastReader() throws {
    var array = ArrowArray()
    var batch: RecordBatch? = try batch().keeping(Mark(counter, told))
    let values = try #require(batch).values(1)
    #expect(batch?.isShared == false)
    try #require(batch).export(columns: [1], offset: 1, count: 2, to: &array)
    #expect(batch?.isShared == true)
    batch = nil
    #expect(counter.live == 1)
    #expect(told.withLock { $0 } == [])
    let child = try #require(array.children[0])
    #expect(Value.all(try Field(name: "", format: "u"), child) == Array(values[1...]))
    array.release(&array)
    #expect(counter.live == 0)
    // It went once, and after the memory.
    #expect(told.withLock { $0 } == [0])
  }

  @Test func selectionsKeepTheObjectAndTheirColumnsAlone() throws {
    var batch: RecordBatch? = try batch().keeping(Mark(counter, told))
    let expected = try #require(batch).values(0)
    var selection: RecordBatch? = try #require(batch).selecting([0, 7, 0, -1])
    #expect(batch?.isShared == true)
    batch = nil
    #expect(counter.live == 1)
    #expect(selection?.schema.fields.map(\.name) == ["c0", "c0"])
    #expect(selection?.values(1) == expected)
    #expect(told.withLock { $0 } == [])
    selection = nil
    #expect(told.withLock { $0 } == [0])
    let whole = try self.batch()
    #expect(whole.selecting(nil) === whole)
    #expect(whole.selecting([]).rowCount == 3)
    #expect(whole.selecting([]).columnCount == 0)
  }

  @Test func objectsAddUp() throws {
    var batch: RecordBatch? = try batch().keeping(Mark(counter, told)).keeping(Mark(counter, told))
    #expect(batch?.isShared == false)
    #expect(batch?.buffers.isEmpty == false)
    batch = nil
    #expect(told.withLock { $0 } == [0, 0])
  }

  /// Whoever reads the memory under what was kept is seen as well.
  @Test func readersOfWhatWasKeptAreSeen() throws {
    var plain: RecordBatch? = try batch()
    #expect(plain?.isShared == false)
    let kept = try #require(plain).keeping(Mark(counter, told))
    let twice = kept.keeping(Mark(counter, told))
    #expect(kept.isShared && twice.isShared && plain?.isShared == true)
    var array = ArrowArray()
    try #require(plain).export(columns: [0], offset: 0, count: 1, to: &array)
    plain = nil
    #expect(kept.isShared)
    array.release(&array)
    #expect(kept.isShared)
    withExtendedLifetime(twice) {}
  }

  @Test func copiesOfSeveralColumnsAreNotSharedByTheirColumns() throws {
    let source = try batch()
    let copy = try source.copied(columns: nil, offset: 0, count: 3)
    #expect(!copy.isShared)
    #expect(!(try source.copied(columns: nil, offset: 0, count: 3).keeping(Mark(counter, told))).isShared)
    #expect(!source.isShared)
    // A column that is not copied has two readers.
    let half = try source.copied(columns: [0], offset: 0, count: 3)
    #expect(half.isShared && source.isShared)
    #expect(!RecordBatch(emptyOf: source.schema).isShared)
  }

  @Test func sharingIsAskedForWhileOthersExport() throws {
    let batch = try batch().keeping(Mark(counter, told))
    try parallel(count: 8, threads: 4) { thread, _ throws(CacheError) in
      for _ in 0..<200 {
        if thread == 0 {
          _ = batch.isShared
        } else {
          var array = ArrowArray()
          batch.export(columns: thread == 1 ? nil : [1], offset: 0, count: 3, to: &array)
          array.release(&array)
        }
      }
    }
    #expect(!batch.isShared)
    #expect(told.withLock { $0 } == [])
  }
}
