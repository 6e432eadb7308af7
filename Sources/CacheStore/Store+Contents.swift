/// One entry of a store at one instant.
public struct EntryContents: Sendable {
  public let entry: Entry
  public let access: AccessRecord
  public let isPinned: Bool
  /// Bytes of the entry that are in memory, and in files.
  public let memoryBytes: Int
  public let diskBytes: Int
}

/// Where the rows of a partition are.
public struct PartitionPlace: Hashable, Sendable {
  /// The first segment that it lies in.
  public let segment: Int
  /// "memory", "disk", or "memory+disk" where some of it, or all of it twice, lies in both.
  public let tier: String
  /// Its share of the bytes of its segments.
  public let bytes: Int
}

extension Store {
  /// The entries that have not expired, in the order of their first put.
  public func contents() -> [EntryContents] {
    let found = tiers.change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return catalog.slots.values.map { (ordinal: $0.ordinal, slot: $0, isPinned: catalog.pins[$0.key] != nil) }
    }
    return found.sorted { $0.ordinal < $1.ordinal }.map {
      let occupied = $0.slot.occupied
      return EntryContents(
        entry: $0.slot.entry, access: $0.slot.entry.access, isPinned: $0.isPinned, memoryBytes: occupied.memory, diskBytes: occupied.disk)
    }
  }
}

extension Entry {
  /// Where a partition's rows are now.
  public func place(partition index: Int) -> PartitionPlace {
    guard partitions.indices.contains(index) else { return PartitionPlace(segment: -1, tier: "", bytes: 0) }
    var bytes = 0.0
    var tiers: Set<Tier> = []
    for slice in partitions[index].slices {
      let segment = segments[slice.segmentIndex]
      bytes += Double(segment.byteCount) * Double(slice.count) / Double(segment.rowCount)
      tiers.insert(segment.placement.tier)
    }
    let tier = tiers.count == 1 ? tiers.first ?? .both : .both
    return PartitionPlace(
      segment: partitions[index].slices.first?.segmentIndex ?? 0, tier: tier == .both ? "memory+disk" : tier.rawValue,
      bytes: Int(exactly: bytes.rounded(.down)) ?? .max)
  }
}
