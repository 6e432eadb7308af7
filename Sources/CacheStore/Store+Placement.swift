/// Where a partition's rows are, since when, and why.
public struct PartitionPlacement: Sendable {
  public let firstRow: Int
  public let rowCount: Int
  public let place: PartitionPlace
  /// Seconds since 1970 of the last move of any of its rows, or of the put.
  public let since: Double
  public let cause: String
  /// How often its rows have moved.
  public let moveCount: Int
}

extension Store {
  /// An entry and what it takes where; nil where there is none. Is no access.
  public func contents(of key: String) -> EntryContents? {
    let name = CacheKey(key)
    return tiers.change { catalog, now, dropped in
      guard let slot = catalog.live(name, now, &dropped) else { return nil }
      let occupied = slot.occupied
      return EntryContents(
        entry: slot.entry, access: slot.entry.access, isPinned: catalog.pins[name] != nil, memoryBytes: occupied.memory,
        diskBytes: occupied.disk)
    }
  }
}

extension Entry {
  /// Where each partition is now, in the order of the rows.
  public func placements() -> [PartitionPlacement] {
    partitions.indices.map { index in
      let partition = partitions[index]
      let moves = partition.slices.map { segments[$0.segmentIndex].placement }
      let last = moves.max { $0.since < $1.since }
      return PartitionPlacement(
        firstRow: partition.firstRow, rowCount: partition.rowCount, place: place(partition: index), since: last?.since ?? createdAt,
        cause: last?.cause ?? "put", moveCount: moves.reduce(0) { max($0, $1.moveCount) })
    }
  }
}
