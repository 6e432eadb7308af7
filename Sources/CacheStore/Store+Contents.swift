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
  /// "memory", "disk", or "memory+disk" where it lies in both.
  public let tier: String
  /// Its share of the bytes of its segments.
  public let bytes: Int
}

extension Store {
  /// The entries that have not expired, in the order of their first put.
  public func contents() -> [EntryContents] {
    let found = change { catalog, now, dropped in
      _ = catalog.expireDue(now, &dropped)
      return catalog.slots.values.map { (sequence: $0.sequence, entry: $0.entry, isPinned: catalog.pins[$0.key] != nil) }
    }
    return found.sorted { $0.sequence < $1.sequence }.map {
      EntryContents(entry: $0.entry, access: $0.entry.access, isPinned: $0.isPinned, memoryBytes: $0.entry.sizeBytes, diskBytes: 0)
    }
  }
}

extension Entry {
  /// Where a partition's rows are now.
  public func place(partition index: Int) -> PartitionPlace {
    guard partitions.indices.contains(index) else { return PartitionPlace(segment: -1, tier: "", bytes: 0) }
    let partition = partitions[index]
    let share = rowCount == 0 ? 0 : Double(sizeBytes) * Double(partition.rowCount) / Double(rowCount)
    return PartitionPlace(segment: partition.slices.first?.batchIndex ?? 0, tier: "memory", bytes: Int(share))
  }
}
