import CArrow
import Glibc

extension Field {
  /// Fills `schema`; every node owns its memory, so consumers may move children out.
  func export(to schema: UnsafeMutablePointer<ArrowSchema>) {
    exportSchema(
      to: schema, format: format, name: name, metadata: metadata,
      flags: (dictionaryOrdered ? 1 : 0) | (nullable ? 2 : 0) | (keysSorted ? 4 : 0), children: children, dictionary: dictionary)
  }
}

func exportSchema(
  to schema: UnsafeMutablePointer<ArrowSchema>, format: String, name: String, metadata: KeyValues, flags: Int64, children: [Field],
  dictionary: Field?
) {
  let pointers = UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>.allocate(capacity: max(1, children.count))
  for (index, child) in children.enumerated() {
    let node = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
    child.export(to: node)
    pointers[index] = node
  }
  var values: UnsafeMutablePointer<ArrowSchema>?
  if let dictionary {
    let node = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
    dictionary.export(to: node)
    values = node
  }
  var encoded: UnsafeMutablePointer<CChar>?
  if !metadata.isEmpty {
    let bytes = metadata.encoded
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyMemory(from: $0) }
    encoded = copy
  }
  schema.initialize(
    to: ArrowSchema(
      format: UnsafePointer(strdup(format)), name: UnsafePointer(strdup(name)), metadata: encoded, flags: flags,
      n_children: Int64(children.count), children: pointers, dictionary: values, release: releaseSchema, private_data: nil))
}

private func releaseSchema(_ schema: UnsafeMutablePointer<ArrowSchema>?) {
  guard let schema, schema.pointee.release != nil else { return }
  free(UnsafeMutableRawPointer(mutating: schema.pointee.format))
  free(UnsafeMutableRawPointer(mutating: schema.pointee.name))
  schema.pointee.metadata?.deallocate()
  if let children = schema.pointee.children {
    for index in 0..<Int(schema.pointee.n_children) { dropSchema(children[index]) }
    children.deallocate()
  }
  dropSchema(schema.pointee.dictionary)
  schema.pointee.release = nil
}

private func dropSchema(_ node: UnsafeMutablePointer<ArrowSchema>?) {
  guard let node else { return }
  node.pointee.release?(node)
  node.deallocate()
}
