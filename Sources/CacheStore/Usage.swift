import Synchronization

/// How an entry is used; written under the catalog's lock, read without: each value by itself is whole.
final class Usage: Sendable {
  private let lastAccessedAt: Atomic<UInt64>
  private let count = Atomic(0)
  private let expiry: Atomic<UInt64>

  init(createdAt: Double, expiresAt: Double?) {
    lastAccessedAt = Atomic(createdAt.bitPattern)
    expiry = Atomic((expiresAt ?? .infinity).bitPattern)
  }

  var accessCount: Int { count.load(ordering: .relaxed) }

  var record: AccessRecord {
    let expiresAt = Double(bitPattern: expiry.load(ordering: .relaxed))
    return AccessRecord(
      lastAccessedAt: Double(bitPattern: lastAccessedAt.load(ordering: .relaxed)), accessCount: accessCount,
      expiresAt: expiresAt == .infinity ? nil : expiresAt)
  }

  func recordAccess(_ now: Double) {
    lastAccessedAt.store(now.bitPattern, ordering: .relaxed)
    count.wrappingAdd(1, ordering: .relaxed)
  }

  func restore(lastAccessedAt: Double, accessCount: Int) {
    self.lastAccessedAt.store(lastAccessedAt.bitPattern, ordering: .relaxed)
    count.store(accessCount, ordering: .relaxed)
  }

  func recordExpiry(_ expiresAt: Double?) { expiry.store((expiresAt ?? .infinity).bitPattern, ordering: .relaxed) }
}
