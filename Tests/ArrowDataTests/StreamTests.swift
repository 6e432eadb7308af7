import ArrowData
import CArrow
import Primitives
import Testing

@Suite struct StreamTests {
  private func spec(_ batchCount: Int) throws -> StreamSpec {
    StreamSpec(schema: try schema("i"), batches: (0..<batchCount).map { .table([column([Int32($0), nil])], length: 2) })
  }

  @Test(arguments: [0, 1, 3]) func everyBatchIsReadAndTheStreamIsReleasedAtItsEnd(count: Int) throws {
    let counter = ReleaseCounter()
    do {
      let reader = try spec(count).reader(counter)
      var values: [Value] = []
      while let batch = try reader.next() { values += batch.values(0) }
      #expect(values.count == 2 * count)
      #expect(counter.live == 0)
      #expect(try reader.next() == nil)
    }
    #expect(counter.live == 0)
  }

  @Test func aReaderThatIsDroppedReleasesItsStream() throws {
    let counter = ReleaseCounter()
    var batch: RecordBatch?
    do { batch = try spec(3).reader(counter).next() }
    #expect(counter.live == 1)
    #expect(batch?.rowCount == 2)
    batch = nil
    #expect(counter.live == 0)
  }

  @Test func closingReleasesTheStreamOnce() throws {
    let counter = ReleaseCounter()
    let reader = try spec(3).reader(counter)
    reader.close()
    reader.close()
    #expect(counter.live == 0)
    #expect(try reader.next() == nil)
  }

  @Test(arguments: [0, 1, 2], ["disk on fire", nil]) func aFailureHasTheProducersWords(batch: Int, message: String?) throws {
    let counter = ReleaseCounter()
    var spec = try spec(3)
    spec.failure = (batch, message)
    let reader = try spec.reader(counter)
    for _ in 0..<batch { #expect(try reader.next() != nil) }
    let error = #expect(throws: CacheError.self) { try reader.next() }
    #expect(error?.code == .stream)
    #expect(error?.cause == message ?? "error 5")
    #expect(counter.live == 0)
    #expect(try reader.next() == nil)
  }

  @Test func aMissingLastErrorIsNotCalled() throws {
    var spec = try spec(1)
    spec.failure = (0, "unheard")
    spec.lacksLastError = true
    let reader = try spec.reader(ReleaseCounter())
    let error = #expect(throws: CacheError.self) { try reader.next() }
    #expect(error?.cause == "error 5")
  }

  @Test func brokenStreamsAreRefusedAndReleased() throws {
    let good = try spec(1)
    var noSchema = good
    noSchema.schemaFailure = "no table"
    var lacksGetSchema = good
    lacksGetSchema.lacksGetSchema = true
    var lacksGetNext = good
    lacksGetNext.lacksGetNext = true
    var released = good
    released.isReleased = true
    for (spec, cause) in [(noSchema, "no table"), (lacksGetSchema, nil), (lacksGetNext, nil), (released, nil)] as [(StreamSpec, String?)] {
      let counter = ReleaseCounter()
      let error = #expect(throws: CacheError.self) { try spec.reader(counter) }
      #expect(error?.code == .stream)
      #expect(error?.cause == cause)
      #expect(counter.live == 0)
    }
  }

  @Test func aBatchThatDoesNotFitTheSchemaEndsTheStream() throws {
    let counter = ReleaseCounter()
    var spec = try spec(1)
    spec.batches.append(.table([column(["text"])], length: 1))
    let reader = try spec.reader(counter)
    #expect(try reader.next()?.rowCount == 2)
    #expect(throws: CacheError.self) { try reader.next() }
    #expect(counter.live == 0)
  }

  @Test(arguments: [nil, [1], [1, 0, 1], []] as [[Int]?]) func anExportedStreamGivesWhatItsSourceHas(columns: [Int]?) throws {
    let counter = ReleaseCounter()
    do {
      let schema = try schema("i", "u")
      let batches = try (0..<3).map { try ArraySpec.table([column([Int32($0)]), column(["\($0)"])], length: 1).batch(schema, counter) }
      var stream = ArrowArrayStream()
      exportStream(ListSource(schema, batches), columns: columns, to: &stream)
      let reader = try StreamReader(moving: &stream)
      #expect(reader.schema == schema.selecting(columns))
      for batch in batches {
        let read = try #require(try reader.next())
        #expect(read.rowCount == 1)
        #expect(read.schema.fields.indices.map { read.values($0) } == (columns ?? [0, 1]).map { batch.values($0) })
      }
      #expect(try reader.next() == nil)
    }
    #expect(counter.live == 0)
  }

  @Test func aSourcesErrorIsKeptForTheConsumer() throws {
    let source = ListSource(try schema("i"), [], failure: CacheError(.interrupted, "stopped", cause: "by hand"))
    var stream = ArrowArrayStream()
    exportStream(source, columns: nil, to: &stream)
    var array = ArrowArray()
    #expect(stream.get_last_error(&stream) == nil)
    #expect(stream.get_next(&stream, &array) != 0)
    #expect(stream.get_last_error(&stream).map { String(cString: $0) } == "stopped: by hand")
    #expect(array.release == nil)
    #expect(stream.get_next(&stream, &array) != 0, "rows that are missing are no end")
    var schema = ArrowSchema()
    #expect(stream.get_schema(&stream, &schema) == 0)
    schema.release(&schema)
    stream.release(&stream)
    #expect(stream.release == nil)
  }

  @Test func aReleasedStreamLetsGoOfItsSource() throws {
    var stream = ArrowArrayStream()
    weak var held: ListSource?
    do {
      let source = ListSource(try schema("i"), [])
      held = source
      exportStream(source, columns: nil, to: &stream)
    }
    #expect(held != nil)
    stream.release(&stream)
    #expect(held == nil)
  }
}

private final class ListSource: BatchSource {
  let schema: Schema
  private var batches: [RecordBatch]
  /// Thrown once.
  private var failure: CacheError?

  init(_ schema: Schema, _ batches: [RecordBatch], failure: CacheError? = nil) {
    (self.schema, self.batches, self.failure) = (schema, batches, failure)
  }

  func next(into array: UnsafeMutablePointer<ArrowArray>) throws(CacheError) -> Bool {
    if let failure {
      self.failure = nil
      throw failure
    }
    guard !batches.isEmpty else { return false }
    let batch = batches.removeFirst()
    batch.export(offset: 0, count: batch.rowCount, to: array)
    return true
  }
}
