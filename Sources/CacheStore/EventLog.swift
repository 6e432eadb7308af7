import Primitives
import Synchronization

/// Something that happened to what a store holds.
public struct StoreEvent: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case put, replaced, removed, evicted, expired, spilled, loaded, refused, persisted
    case spillFailed = "spill failed"
    /// A change that could not be written to the storage.
    case persistFailed = "persist failed"
    /// A spilled table whose file cannot be read.
    case lost
  }

  /// Grows by one with each event.
  public let number: UInt64
  /// Seconds since 1970.
  public let time: Double
  public let kind: Kind
  public let key: String
  public let version: UInt64
  /// nil: about the whole entry.
  public let segment: Int?
  /// In memory or on disk, by kind.
  public let bytes: Int
  public let from: Tier?
  public let to: Tier?
  /// Why, in a word or the system's words.
  public let cause: String
  /// How long it took; nil: no time that counts.
  public let seconds: Double?
}

extension StoreEvent {
  /// One of a store of before.
  public init(
    time: Double, kind: Kind, key: String, version: UInt64, segment: Int?, bytes: Int, from: Tier?, to: Tier?, cause: String, seconds: Double?
  ) {
    self.init(
      number: 0, time: time, kind: kind, key: key, version: version, segment: segment, bytes: bytes, from: from, to: to, cause: cause,
      seconds: seconds)
  }

  fileprivate func numbered(_ number: UInt64) -> StoreEvent {
    StoreEvent(
      number: number, time: time, kind: kind, key: key, version: version, segment: segment, bytes: bytes, from: from, to: to, cause: cause,
      seconds: seconds)
  }
}

/// The last events, in a ring.
final class EventLog: Sendable {
  static let capacity = 10_000

  private struct State {
    var events: [StoreEvent] = []
    var next = 0
    var count: UInt64 = 0
  }

  private let state = Locked(State())
  let listener = Locked<(@Sendable () -> Void)?>(nil)
  /// Whether the listener has been called and has not looked yet.
  private let isPending = Atomic(false)

  /// The events that are kept, oldest first.
  var events: [StoreEvent] { state.withLock { Array($0.events[$0.next...] + $0.events[..<$0.next]) } }

  func record(
    _ kind: StoreEvent.Kind, _ key: String, version: UInt64, segment: Int? = nil, bytes: Int, from: Tier? = nil, to: Tier? = nil,
    cause: String, seconds: Double? = nil, at time: Double
  ) {
    state.withLock { state in
      state.count += 1
      let event = StoreEvent(
        number: state.count, time: time, kind: kind, key: key, version: version, segment: segment, bytes: bytes, from: from, to: to,
        cause: cause, seconds: seconds)
      if state.events.count < Self.capacity {
        state.events.append(event)
      } else {
        state.events[state.next] = event
        state.next = (state.next + 1) % Self.capacity
      }
    }
    if !isPending.load(ordering: .relaxed), !isPending.exchange(true, ordering: .acquiringAndReleasing) { listener.withLock { $0 }?() }
  }

  func lookedAt() { isPending.store(false, ordering: .releasing) }

  /// Puts events of before in front of all.
  func prepend(_ events: [StoreEvent]) {
    guard !events.isEmpty else { return }
    state.withLock { state in
      let own = Array(state.events[state.next...] + state.events[..<state.next])
      let all = (events + own).suffix(Self.capacity)
      state.events = all.enumerated().map { $1.numbered(UInt64($0) + 1) }
      (state.next, state.count) = (0, UInt64(all.count))
    }
  }
}
