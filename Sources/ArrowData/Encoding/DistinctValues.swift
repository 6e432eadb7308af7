import Glibc

/// The distinct values among those added, numbered in the order in which they came: an open-addressing table over bytes that stay where
/// they are. A slot has the first and the last eight bytes of its value, so that up to sixteen bytes compare without a look at them.
struct DistinctValues: ~Copyable {
  struct Value {
    let start: UnsafeRawPointer
    let count: Int
  }

  private struct Slot {
    var head: UInt64
    var tail: UInt64
    var start: UnsafeRawPointer?
    var count: UInt32
    /// The value's number and one; 0: free.
    var code: UInt32
  }

  /// What stands for a number where there is no room for one more.
  static let full = UInt32.max

  private let maximumCount: Int
  private let maximumBytes: Int
  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  private var values: UnsafeMutablePointer<Value>
  private var valueCapacity: Int
  /// Against values that were made to collide.
  private let seed = UInt64.random(in: .min ... .max)

  private(set) var count = 0
  /// Bytes of the values together.
  private(set) var byteCount = 0

  init(maximumCount: Int, maximumBytes: Int) {
    (self.maximumCount, self.maximumBytes) = (maximumCount, maximumBytes)
    mask = 1023
    slots = .allocate(capacity: mask + 1)
    memset(slots, 0, (mask + 1) * MemoryLayout<Slot>.stride)
    valueCapacity = 512
    values = .allocate(capacity: valueCapacity)
  }

  deinit {
    slots.deallocate()
    values.deallocate()
  }

  func value(_ code: Int) -> Value { values[code] }

  /// The number of a value, a new one where it is new; `full` where it is new and there is no room.
  @inline(__always)
  mutating func code(_ value: TextValue) -> UInt32 {
    let (head, tail) = Self.ends(value)
    var index = Int(truncatingIfNeeded: hash(head, tail, value.start, value.count)) & mask
    while true {
      let slot = slots + index
      if slot.pointee.code == 0 { return insert(head, tail, value, at: index) }
      if slot.pointee.head == head, slot.pointee.tail == tail, Int(slot.pointee.count) == value.count,
        value.count <= 16 || isSameMiddle(slot.pointee.start, value)
      {
        return slot.pointee.code - 1
      }
      index = (index + 1) & mask
    }
  }

  private func isSameMiddle(_ start: UnsafeRawPointer?, _ value: TextValue) -> Bool {
    guard let start else { return false }
    return memcmp(start + 8, value.start + 8, value.count - 16) == 0
  }

  private mutating func insert(_ head: UInt64, _ tail: UInt64, _ value: TextValue, at index: Int) -> UInt32 {
    guard count < maximumCount, value.count <= maximumBytes - byteCount, let length = UInt32(exactly: value.count) else { return Self.full }
    slots[index] = Slot(head: head, tail: tail, start: value.start, count: length, code: UInt32(count + 1))
    if count == valueCapacity { growValues() }
    (values + count).initialize(to: Value(start: value.start, count: value.count))
    count += 1
    byteCount += value.count
    if count * 2 > mask { growSlots() }
    return UInt32(count - 1)
  }

  private mutating func growValues() {
    let larger = UnsafeMutablePointer<Value>.allocate(capacity: valueCapacity * 4)
    larger.moveInitialize(from: values, count: count)
    values.deallocate()
    values = larger
    valueCapacity *= 4
  }

  private mutating func growSlots() {
    let old = slots
    let oldCount = mask + 1
    mask = oldCount * 4 - 1
    slots = .allocate(capacity: mask + 1)
    memset(slots, 0, (mask + 1) * MemoryLayout<Slot>.stride)
    for slot in UnsafeBufferPointer(start: old, count: oldCount) where slot.code != 0 {
      guard let start = slot.start else { continue }
      var index = Int(truncatingIfNeeded: hash(slot.head, slot.tail, start, Int(slot.count))) & mask
      while slots[index].code != 0 { index = (index + 1) & mask }
      slots[index] = slot
    }
    old.deallocate()
  }

  /// The first and the last eight bytes; of a shorter value its bytes and zero.
  @inline(__always)
  private static func ends(_ value: TextValue) -> (head: UInt64, tail: UInt64) {
    let count = value.count
    if count >= 8 {
      return (value.start.loadUnaligned(as: UInt64.self), (value.start + count - 8).loadUnaligned(as: UInt64.self))
    }
    if count == 0 { return (0, 0) }
    if value.readableEnd - value.start >= 8 {
      return (value.start.loadUnaligned(as: UInt64.self) & (1 << UInt64(count &* 8) &- 1), 0)
    }
    var head: UInt64 = 0
    for index in 0..<count { head |= UInt64(value.start.load(fromByteOffset: index, as: UInt8.self)) << UInt64(index &* 8) }
    return (head, 0)
  }

  /// Multiply and fold, eight bytes at a time, as wyhash does.
  @inline(__always)
  private func hash(_ head: UInt64, _ tail: UInt64, _ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var hash = Self.folded(head ^ seed, 0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: count))
    hash = Self.folded(hash ^ tail, 0xe703_7ed1_a0b4_28db)
    var offset = 8
    while offset < count - 8 {
      hash = Self.folded(hash ^ start.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0x8ebc_6af0_9c88_c6e3)
      offset += 8
    }
    return hash
  }

  @inline(__always)
  private static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
