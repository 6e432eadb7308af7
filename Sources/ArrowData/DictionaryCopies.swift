import CArrow

/// Copies of dictionaries made so far, so that batches which share a dictionary go on sharing it when they are copied.
/// Remembers the last one of each field. For one thread at a time.
public final class DictionaryCopies {
  struct Copy {
    let node: UnsafeMutablePointer<ArrowArray>
    let memory: CopyMemory
  }

  private struct Known {
    let addresses: [UInt]
    let copy: Copy
    /// Held so that no other dictionary can come to lie at the same addresses.
    let source: AnyObject
  }

  private var known: [ObjectIdentifier: Known] = [:]

  public init() {}

  func copy(of dictionary: ArrowArray, field: Field) -> Copy? {
    guard let found = known[ObjectIdentifier(field)], found.addresses == addresses(dictionary) else { return nil }
    return found.copy
  }

  func remember(_ copy: Copy, of dictionary: ArrowArray, field: Field, source: AnyObject) {
    known[ObjectIdentifier(field)] = Known(addresses: addresses(dictionary), copy: copy, source: source)
  }

  /// What tells one dictionary from another while both live: where its values lie and which of them it has.
  private func addresses(_ node: ArrowArray) -> [UInt] {
    var result = [UInt(bitPattern: node.start), UInt(bitPattern: node.count)]
    for index in 0..<node.bufferCount { result.append(UInt(bitPattern: node.buffer(index))) }
    for index in 0..<node.childCount { if let child = node.child(index) { result += addresses(child.pointee) } }
    if let values = node.dictionary { result += addresses(values.pointee) }
    return result
  }
}
