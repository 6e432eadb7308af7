@testable import CacheStore

/// What an entry is to a reference.
struct Subject {
  let key: Int
  let hash: UInt64
  let sequence: Int
  var bytes: Int
  var seconds: Double?
  var expiresAt: Double?
  var reads = 0
  var lastAccess: Int
}

/// A policy the slow and obvious way: everything in arrays, in the words of its paper.
protocol ReferencePolicy: AnyObject {
  func insert(_ subject: Subject)
  func remove(_ key: Int, evicted: Bool)
  /// Read, resized or rescheduled.
  func change(_ subject: Subject, read: Bool)
  func victim(excluding: Int?) -> Int?
}

/// The least by some order goes first.
final class ReferenceOrder<Value: Comparable>: ReferencePolicy {
  private var subjects: [Int: (subject: Subject, value: Value)] = [:]
  private let value: (_ subject: Subject, _ old: Value?, _ held: Int, _ read: Bool) -> Value
  private let evicted: (Value) -> Void

  init(_ value: @escaping (Subject, Value?, Int, Bool) -> Value, evicted: @escaping (Value) -> Void = { _ in }) {
    (self.value, self.evicted) = (value, evicted)
  }

  func insert(_ subject: Subject) { subjects[subject.key] = (subject, value(subject, nil, subjects.count, true)) }

  func remove(_ key: Int, evicted: Bool) {
    guard let old = subjects.removeValue(forKey: key) else { return }
    if evicted { self.evicted(old.value) }
  }

  func change(_ subject: Subject, read: Bool) {
    guard let old = subjects[subject.key] else { return }
    subjects[subject.key] = (subject, value(subject, old.value, subjects.count, read))
  }

  func victim(excluding: Int?) -> Int? {
    subjects.filter { $0.key != excluding }.min { left, right in
      left.value.value != right.value.value
        ? left.value.value < right.value.value : left.value.subject.lastAccess < right.value.subject.lastAccess
    }?.key
  }
}

final class ReferenceSieve: ReferencePolicy {
  private var queue: [(key: Int, visited: Bool)] = []  // the oldest first
  private var hand = 0

  func insert(_ subject: Subject) { queue.append((subject.key, false)) }

  func remove(_ key: Int, evicted: Bool) {
    guard let index = queue.firstIndex(where: { $0.key == key }) else { return }
    queue.remove(at: index)
    if index < hand { hand -= 1 }
    if hand >= queue.count { hand = 0 }
  }

  func change(_ subject: Subject, read: Bool) {
    if read, let index = queue.firstIndex(where: { $0.key == subject.key }) { queue[index].visited = true }
  }

  func victim(excluding: Int?) -> Int? {
    guard queue.contains(where: { $0.key != excluding }) else { return nil }
    while queue[hand].visited || queue[hand].key == excluding {
      queue[hand].visited = false
      hand = (hand + 1) % queue.count
    }
    return queue[hand].key
  }
}

/// Keys without data, by their bytes.
struct ReferenceGhosts {
  var keys: [(key: Int, bytes: Int)] = []
  var bytes: Int { keys.reduce(0) { $0 + $1.bytes } }

  mutating func take(_ key: Int) -> Bool {
    let before = keys.count
    keys.removeAll { $0.key == key }
    return keys.count < before
  }

  mutating func shrink(to limit: Int) { while bytes > limit, !keys.isEmpty { keys.removeFirst() } }
}

final class ReferenceS3FIFO: ReferencePolicy {
  private var small: [(key: Int, bytes: Int, freq: Int)] = []
  private var main: [(key: Int, bytes: Int, freq: Int)] = []
  private var ghosts = ReferenceGhosts()
  private var takesFromSmall: Bool?
  private let capacity: Int?

  init(_ capacity: Int?) { self.capacity = capacity }

  private var total: Int { (small + main).reduce(0) { $0 + $1.bytes } }

  func insert(_ subject: Subject) {
    takesFromSmall = nil
    if ghosts.take(subject.key) { main.append((subject.key, subject.bytes, 0)) } else { small.append((subject.key, subject.bytes, 0)) }
  }

  func remove(_ key: Int, evicted: Bool) {
    takesFromSmall = nil
    if let index = small.firstIndex(where: { $0.key == key }) {
      let old = small.remove(at: index)
      guard evicted else { return }
      ghosts.keys.append((key, old.bytes))
      let limit = capacity ?? total
      ghosts.shrink(to: limit - limit / 10)
    }
    main.removeAll { $0.key == key }
  }

  func change(_ subject: Subject, read: Bool) {
    for index in small.indices where small[index].key == subject.key {
      small[index].bytes = subject.bytes
      if read { small[index].freq = min(3, small[index].freq + 1) }
    }
    for index in main.indices where main[index].key == subject.key {
      main[index].bytes = subject.bytes
      if read { main[index].freq = min(3, main[index].freq + 1) }
    }
  }

  func victim(excluding: Int?) -> Int? {
    let fromSmall = takesFromSmall ?? (10 * small.reduce(0) { $0 + $1.bytes } >= total)
    takesFromSmall = fromSmall
    while true {
      let (s, m) = (small.firstIndex { $0.key != excluding }, main.firstIndex { $0.key != excluding })
      if let s, fromSmall || m == nil {
        if small[s].freq <= 1 { return small[s].key }
        var moved = small.remove(at: s)
        moved.freq = 0
        main.append(moved)
      } else if let m {
        if main[m].freq == 0 { return main[m].key }
        var moved = main.remove(at: m)
        moved.freq -= 1
        main.append(moved)
      } else {
        return nil
      }
    }
  }
}

final class ReferenceARC: ReferencePolicy {
  private var t1: [(key: Int, bytes: Int)] = []
  private var t2: [(key: Int, bytes: Int)] = []
  private var b1 = ReferenceGhosts()
  private var b2 = ReferenceGhosts()
  private var p = 0.0
  private let capacity: Int?

  init(_ capacity: Int?) { self.capacity = capacity }

  private func sum(_ list: [(key: Int, bytes: Int)]) -> Int { list.reduce(0) { $0 + $1.bytes } }
  private var c: Int { capacity ?? sum(t1) + sum(t2) }

  func insert(_ subject: Subject) {
    let (one, two) = (Double(b1.bytes), Double(b2.bytes))
    if b1.take(subject.key) {
      p = min(Double(c), p + Double(subject.bytes) * max(1, two / max(1, one)))
      t2.append((subject.key, subject.bytes))
    } else if b2.take(subject.key) {
      p = max(0, p - Double(subject.bytes) * max(1, one / max(1, two)))
      t2.append((subject.key, subject.bytes))
    } else {
      t1.append((subject.key, subject.bytes))
    }
    trim()
  }

  func remove(_ key: Int, evicted: Bool) {
    if let index = t1.firstIndex(where: { $0.key == key }) {
      let old = t1.remove(at: index)
      if evicted { b1.keys.append(old) }
    } else if let index = t2.firstIndex(where: { $0.key == key }) {
      let old = t2.remove(at: index)
      if evicted { b2.keys.append(old) }
    }
    if evicted { trim() }
  }

  private func trim() {
    b1.shrink(to: max(0, c - sum(t1)))
    b2.shrink(to: max(0, 2 * c - sum(t1) - sum(t2) - b1.bytes))
  }

  func change(_ subject: Subject, read: Bool) {
    let new = (key: subject.key, bytes: subject.bytes)
    for index in t1.indices where t1[index].key == new.key { t1[index] = new }
    for index in t2.indices where t2[index].key == new.key { t2[index] = new }
    guard read, (t1 + t2).contains(where: { $0.key == new.key }) else { return }
    t1.removeAll { $0.key == new.key }
    t2.removeAll { $0.key == new.key }
    t2.append(new)
  }

  func victim(excluding: Int?) -> Int? {
    let order = Double(sum(t1)) > p ? [t1, t2] : [t2, t1]
    return order.joined().first { $0.key != excluding }?.key
  }
}

/// With exact counts in place of the sketch.
final class ReferenceTinyLFU: ReferencePolicy {
  private typealias List = [(key: Int, bytes: Int)]
  private var window: List = []
  private var probation: List = []
  private var protected: List = []
  private var counts: [Int: Int] = [:]
  private var counted = 0
  private var owed = 0
  private let sample: Int

  init(sample: Int) { self.sample = sample }

  private func sum(_ list: List) -> Int { list.reduce(0) { $0 + $1.bytes } }
  private var main: List { probation + protected }

  private func count(_ key: Int) {
    counts[key] = min(15, counts[key, default: 0] + 1)
    counted += 1
    guard counted >= sample else { return }
    counted /= 2
    counts = counts.mapValues { $0 / 2 }
  }

  func insert(_ subject: Subject) {
    count(subject.key)
    window.append((subject.key, subject.bytes))
  }

  func remove(_ key: Int, evicted: Bool) {
    if let old = main.first(where: { $0.key == key }) { owed = max(0, owed - old.bytes) } else if evicted { count(key) }
    window.removeAll { $0.key == key }
    probation.removeAll { $0.key == key }
    protected.removeAll { $0.key == key }
    if main.isEmpty { owed = 0 }
  }

  func change(_ subject: Subject, read: Bool) {
    let new = (key: subject.key, bytes: subject.bytes)
    for index in window.indices where window[index].key == new.key { window[index] = new }
    for index in probation.indices where probation[index].key == new.key { probation[index] = new }
    for index in protected.indices where protected[index].key == new.key { protected[index] = new }
    guard read, (window + main).contains(where: { $0.key == new.key }) else { return }
    count(new.key)
    if let index = window.firstIndex(where: { $0.key == new.key }) {
      window.append(window.remove(at: index))
    } else if let index = protected.firstIndex(where: { $0.key == new.key }) {
      protected.append(protected.remove(at: index))
    } else {
      probation.removeAll { $0.key == new.key }
      protected.append(new)
      while Double(sum(protected)) > 0.8 * Double(sum(main)), protected.count > 1 { probation.append(protected.removeFirst()) }
    }
  }

  func victim(excluding: Int?) -> Int? {
    while owed == 0, Double(sum(window)) >= 0.01 * Double(sum(window) + sum(main)),
      let index = window.firstIndex(where: { $0.key != excluding })
    {
      let candidate = window[index]
      if Double(sum(main) + candidate.bytes) > 0.9 * Double(sum(window) + sum(main)) {
        var victims: List = []
        for victim in main where victim.key != excluding && sum(victims) < candidate.bytes { victims.append(victim) }
        let against = victims.reduce(0) { $0 + counts[$1.key, default: 0] }
        let votes = counts[candidate.key, default: 0]
        let wins = against < votes || (votes == 15 && against == 15)
        guard !victims.isEmpty, sum(victims) >= candidate.bytes, wins else { return candidate.key }
        owed = candidate.bytes
      }
      probation.append(window.remove(at: index))
    }
    return (main + window).first { $0.key != excluding }?.key
  }
}
