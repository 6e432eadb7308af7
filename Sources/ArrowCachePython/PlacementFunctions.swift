import ArrowCache
import CPython

let placement: PyCFunctionFast = { _, values, count in
  function("placement", values, count, of: 2) { arguments throws(Failure) in
    let (cache, key) = (try arguments.cache(), try arguments.text("key"))
    let found = try engine { () throws(CacheError) in
      try cache.contents(of: key).map { (contents: $0, partitions: $0.entry.placements()) }
    }
    guard let (contents, partitions) = found else { return none() }
    let entry = contents.entry
    return try dictionary([
      ("key", .text(entry.key)),
      ("version", .integer(Int(clamping: entry.version))),
      ("num_rows", .integer(entry.rowCount)),
      ("size_bytes", .integer(entry.sizeBytes)),
      ("memory_bytes", .integer(contents.memoryBytes)),
      ("disk_bytes", .integer(contents.diskBytes)),
      ("pinned", .bool(contents.isPinned)),
      ("partitions", .sequence(partitions.enumerated().map { index, partition in .mapping(facts(of: partition, index)) })),
    ])
  }
}

private func facts(of partition: PartitionPlacement, _ index: Int) -> [(key: String, value: PythonValue)] {
  [
    ("partition", .integer(index)),
    ("first_row", .integer(partition.firstRow)),
    ("num_rows", .integer(partition.rowCount)),
    ("size_bytes", .integer(partition.place.bytes)),
    ("segment", .integer(partition.place.segment)),
    ("tier", .text(partition.place.tier)),
    ("since", .double(partition.since)),
    ("cause", .text(partition.cause)),
    ("moves", .integer(partition.moveCount)),
  ]
}
