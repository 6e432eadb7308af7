import CArrow

extension RecordBatch {
  /// A batch without rows, for whoever needs an array to look at where a table has none.
  public convenience init(emptyOf schema: Schema) {
    let arrays = EmptyArrays()
    let columns = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, schema.fields.count))
    for (index, field) in schema.fields.enumerated() { (columns + index).initialize(to: arrays.node(field)) }
    self.init(schema: schema, rowCount: 0, columns: columns, owners: schema.fields.map { _ in ColumnInShared(arrays) })
  }
}

/// The memory of arrays without values: every buffer is the same few zero bytes, which any first offset may be read from.
private final class EmptyArrays {
  private let zeros = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
  private var allocations: [UnsafeMutableRawPointer] = []

  init() { zeros.initializeMemory(as: UInt8.self, repeating: 0, count: 64) }

  deinit {
    zeros.deallocate()
    allocations.forEach { $0.deallocate() }
  }

  func node(_ field: Field) -> ArrowArray {
    let bufferCount = field.layout.bufferCount
    let buffers = allocate(UnsafeRawPointer?.self, bufferCount)
    for index in 0..<bufferCount { (buffers + index).initialize(to: UnsafeRawPointer(zeros)) }
    let children = allocate(UnsafeMutablePointer<ArrowArray>?.self, field.children.count)
    for (index, child) in field.children.enumerated() { (children + index).initialize(to: boxed(child)) }
    return ArrowArray(
      length: 0, null_count: 0, offset: 0, n_buffers: Int64(bufferCount), n_children: Int64(field.children.count), buffers: buffers,
      children: children, dictionary: field.dictionary.map(boxed), release: nil, private_data: nil)
  }

  private func boxed(_ field: Field) -> UnsafeMutablePointer<ArrowArray> {
    let box = allocate(ArrowArray.self, 1)
    box.initialize(to: node(field))
    return box
  }

  private func allocate<Element>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, count))
    allocations.append(UnsafeMutableRawPointer(memory))
    return memory
  }
}
