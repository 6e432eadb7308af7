import CArrow
import Glibc
import Testing

@testable import ArrowCache

@Suite struct StreamRelayTests {
  @Test func readsAndReleasesWhatIsBehindIt() throws {
    let producer = Producer(batchCount: 3)
    var stream = producer.stream()
    var pulls = 0
    StreamRelay(
      around: &stream,
      pull: { next in
        pulls += 1
        return next()
      })
    #expect(columnNames(&stream) == ["n"])
    #expect(try integers(&stream) == [0, 1, 2])
    #expect(pulls == 4)
    #expect(producer.released == 1)
  }

  @Test func releasedUnread() {
    let producer = Producer(batchCount: 3)
    var stream = producer.stream()
    StreamRelay(around: &stream)
    #expect(producer.released == 0)
    stream.release(&stream)
    #expect((producer.released, producer.asked) == (1, 0))
    #expect(stream.release == nil)
  }

  @Test func checkpointEndsTheStreamForGood() {
    let producer = Producer(batchCount: 3)
    var stream = producer.stream()
    let relay = StreamRelay(around: &stream, checkpoint: { () throws(CacheError) in throw CacheError(.interrupted, "stop here") })
    var array = ArrowArray()
    for _ in 0..<2 {
      #expect(stream.get_next(&stream, &array) == ECANCELED)
      #expect(stream.get_last_error(&stream).map { String(cString: $0) } == "stop here")
    }
    #expect(relay.failure?.code == .interrupted)
    #expect(producer.asked == 0)
    stream.release(&stream)
    #expect(producer.released == 1)
  }

  @Test func errorOfTheProducerPassesThrough() {
    let producer = Producer(batchCount: 3)
    producer.beforeBatch = { _ in EIO }
    var stream = producer.stream()
    StreamRelay(around: &stream)
    #expect(throws: StreamFailure.self) { try integers(&stream) }
    #expect(producer.released == 1)
  }
}
