import CArrow

extension RecordBatch {
  /// About how many bytes rows `offset ..< offset + count` take by themselves: exact for plain columns, a share by rows where
  /// values are not laid out in row order. Dictionaries are not counted: rows share them.
  public func byteCount(offset: Int, count: Int) -> Int {
    let offset = min(max(offset, 0), rowCount)
    let count = min(max(count, 0), rowCount - offset)
    var total = 0
    for (index, field) in schema.fields.enumerated() {
      let node = column(index).pointee
      total = total.addingSaturated(field.byteCount(node, from: node.start + offset, count: count))
    }
    return total
  }
}

extension Field {
  /// The bytes of `count` values of a validated array from element `from` of its buffers; a range beyond the array is cut to it.
  func byteCount(_ node: ArrowArray, from wanted: Int, count wantedCount: Int) -> Int {
    let from = min(max(wanted, node.start), node.start + node.count)
    let count = min(max(wantedCount, 0), node.start + node.count - from)
    guard count > 0 else { return 0 }

    func childBytes(_ index: Int, from: Int, count: Int) -> Int {
      guard let child = node.child(index)?.pointee else { return 0 }
      return children[index].byteCount(child, from: child.start.addingSaturated(from), count: count)
    }
    /// Children whose values are in no known order: their bytes by the share of rows.
    func childShares() -> Int {
      let share = Double(count) / Double(node.count)
      return children.indices.reduce(0) { total, index in
        let whole = childBytes(index, from: 0, count: node.child(index)?.pointee.count ?? 0)
        return total.addingSaturated(Int(exactly: (Double(whole) * share).rounded(.down)) ?? 0)
      }
    }
    func range(_ width: Int) -> (first: Int, count: Int) {
      let first = node.valueOffset(from, width: width)
      let last = node.valueOffset(from + count, width: width)
      return first >= 0 && last > first ? (first, last - first) : (0, 0)
    }

    let bitBytes = (count + 7) >> 3
    let own = layout.hasValidity && node.buffer(0) != nil ? bitBytes : 0
    switch layout {
    case .null: return 0
    case .bits: return own + bitBytes
    case .fixed(let width): return own.addingSaturated(count * width)
    case .binary(let width): return own.addingSaturated(count * width).addingSaturated(range(width).count)
    case .view:
      let data = (0..<node.variadicCount).reduce(0) { $0.addingSaturated(node.variadicSize($1)) }
      let share = Int(exactly: (Double(data) * (Double(count) / Double(node.count))).rounded(.down)) ?? 0
      return own.addingSaturated(count * 16).addingSaturated(share)
    case .list(let width):
      let (first, valueCount) = range(width)
      return own.addingSaturated(count * width).addingSaturated(childBytes(0, from: first, count: valueCount))
    case .listView(let width): return own.addingSaturated(count * width * 2).addingSaturated(childShares())
    case .fixedList(let size): return own.addingSaturated(childBytes(0, from: from * size, count: count * size))
    case .structure:
      return children.indices.reduce(own) { $0.addingSaturated(childBytes($1, from: from, count: count)) }
    case .union(let isDense, _):
      if isDense { return (count * 5).addingSaturated(childShares()) }
      return children.indices.reduce(count) { $0.addingSaturated(childBytes($1, from: from, count: count)) }
    case .runs: return childShares()
    }
  }
}
