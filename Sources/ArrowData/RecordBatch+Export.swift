import CArrow
import Glibc

extension RecordBatch {
  /// Fills `target` with a struct array of `count` rows from `offset` of these columns (nil: all), zero copy.
  ///
  /// Every node holds a reference of its own to what it needs, so a consumer may move columns out and release the rest.
  /// A range beyond the batch is cut to it; column indices beyond the columns are left out.
  public func export(columns: [Int]? = nil, offset: Int, count: Int, to target: UnsafeMutablePointer<ArrowArray>) {
    let offset = min(max(offset, 0), rowCount)
    let count = min(max(count, 0), rowCount - offset)
    let chosen = columns?.filter(schema.fields.indices.contains)
    let width = chosen?.count ?? columnCount
    var nodeCount = 0
    for position in 0..<width { nodeCount += schema.fields[chosen?[position] ?? position].nodeCount }
    let block = ExportBlock(nodeCount: nodeCount, pointerCount: 1 + width + nodeCount, keeping: (0..<width).map { owner(chosen?[$0] ?? $0) })
    let noValidity = block.takePointers(1)
    noValidity.initialize(to: nil)
    let children = block.takePointers(width)
    for position in 0..<width {
      let index = chosen?[position] ?? position
      let node = block.takeNode()
      block.fill(node, from: column(index).pointee)
      let start = column(index).pointee.start + offset
      node.pointee.null_count = column(index).pointee.nullCount(from: start, count: count, layout: schema.fields[index].layout)
      node.pointee.offset = Int64(start)
      node.pointee.length = Int64(count)
      (children + position).initialize(to: UnsafeMutableRawPointer(node))
    }
    target.initialize(
      to: ArrowArray(
        length: Int64(count), null_count: 0, offset: 0, n_buffers: 1, n_children: Int64(width),
        buffers: UnsafeMutableRawPointer(noValidity).assumingMemoryBound(to: UnsafeRawPointer?.self),
        children: UnsafeMutableRawPointer(children).assumingMemoryBound(to: UnsafeMutablePointer<ArrowArray>?.self),
        dictionary: nil, release: releaseExported, private_data: block.retained()))
  }
}

/// The memory of one export: its nodes and lists of pointers, in one piece; lives until the last node is released.
private final class ExportBlock {
  private let keeping: [ColumnOwner]
  private let nodes: UnsafeMutablePointer<ArrowArray>
  private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var nodesTaken = 0
  private var pointersTaken = 0

  init(nodeCount: Int, pointerCount: Int, keeping: [ColumnOwner]) {
    self.keeping = keeping
    let nodeBytes = nodeCount * MemoryLayout<ArrowArray>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: nodeBytes + pointerCount * MemoryLayout<UnsafeMutableRawPointer?>.stride, alignment: 16)
    nodes = memory.bindMemory(to: ArrowArray.self, capacity: nodeCount)
    pointers = (memory + nodeBytes).bindMemory(to: UnsafeMutableRawPointer?.self, capacity: pointerCount)
  }

  deinit { UnsafeMutableRawPointer(nodes).deallocate() }

  func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  func takeNode() -> UnsafeMutablePointer<ArrowArray> {
    defer { nodesTaken += 1 }
    return nodes + nodesTaken
  }

  func takePointers(_ count: Int) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
    defer { pointersTaken += count }
    return pointers + pointersTaken
  }

  /// Makes `node` a copy of `source` and what is below it; the lists of buffers stay the source's.
  func fill(_ node: UnsafeMutablePointer<ArrowArray>, from source: ArrowArray) {
    var copy = source
    if source.childCount > 0 {
      let children = takePointers(source.childCount)
      for index in 0..<source.childCount {
        guard let child = source.child(index) else { continue }
        let below = takeNode()
        fill(below, from: child.pointee)
        (children + index).initialize(to: UnsafeMutableRawPointer(below))
      }
      copy.children = UnsafeMutableRawPointer(children).assumingMemoryBound(to: UnsafeMutablePointer<ArrowArray>?.self)
    }
    if let values = source.dictionary {
      let below = takeNode()
      fill(below, from: values.pointee)
      copy.dictionary = below
    }
    copy.release = releaseExported
    copy.private_data = retained()
    node.initialize(to: copy)
  }
}

private func releaseExported(_ array: UnsafeMutablePointer<ArrowArray>?) {
  guard let array, array.pointee.release != nil else { return }
  for index in 0..<array.pointee.childCount {
    guard let child = array.pointee.children?[index] else { continue }
    child.pointee.release?(child)
  }
  if let values = array.pointee.dictionary { values.pointee.release?(values) }
  array.pointee.release = nil
  if let block = array.pointee.private_data { Unmanaged<ExportBlock>.fromOpaque(block).release() }
}
