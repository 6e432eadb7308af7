import ArrowData
import CArrow
import Glibc
import Primitives
import Testing

@Suite struct SchemaTests {
  @Test func everyTypeAndItsMetadataComesBack() throws {
    let types = try everyType().enumerated().map { index, type in
      try Field(
        name: index % 3 == 0 ? "same name" : "c\(index)", format: type.format, nullable: index % 2 == 0, dictionaryOrdered: type.dictionary != nil,
        keysSorted: type.format == "+m", metadata: index % 4 == 0 ? [KeyValue(key: [0, 255], value: [])] : [], children: type.children,
        dictionary: type.dictionary)
    }
    let schema = Schema(fields: types, metadata: [KeyValue(key: Array("pandas".utf8), value: Array("{}".utf8)), KeyValue(key: [], value: [0])])
    var exported = ArrowSchema()
    schema.export(to: &exported)
    let imported = try Schema(importing: &exported)
    #expect(imported == schema)
    #expect(exported.release == nil)
    #expect(imported.metadata.text("pandas") == "{}")
    #expect(imported.metadata.text("missing") == nil)
  }

  @Test func someColumnsAreExportedInTheOrderAsked() throws {
    let schema = try schema("i", "u", "g")
    var exported = ArrowSchema()
    schema.export(columns: [2, 0, 9, -1, 2], to: &exported)
    let imported = try Schema(importing: &exported)
    #expect(imported.fields.map(\.name) == ["c2", "c0", "c2"])
    #expect(imported == schema.selecting([2, 0, 9, -1, 2]))
    #expect(schema.selecting(nil) === schema)
  }

  @Test func childrenMovedOutOfAnExportedSchemaLiveOn() throws {
    let schema = Schema(fields: [try Field(name: "s", format: "+s", children: [try Field(name: "a", format: "i", metadata: [KeyValue(key: [1], value: [2])])])])
    var exported = ArrowSchema()
    schema.export(to: &exported)
    let child = try #require(exported.children[0])
    var moved = child.pointee
    child.pointee.release = nil
    exported.release(&exported)
    #expect(String(cString: moved.name) == "s")
    #expect(moved.children[0].map { String(cString: $0.pointee.name) } == "a")
    moved.release(&moved)
    #expect(moved.release == nil)
  }

  @Test func releasingASchemaReleasesWhatIsBelow() throws {
    let field = try Field(name: "d", format: "i", dictionary: try Field(name: "", format: "u"))
    let pair = Schema(fields: [field, try Field(name: "i", format: "i")])
    var exported = ArrowSchema()
    pair.export(to: &exported)
    let seen = Locked(0)
    let column = try #require(exported.children[0])
    let values = try #require(column.pointee.dictionary)
    let other = try #require(exported.children[1])
    for (node, number) in [(column, 1), (values, 10), (other, 100)] {
      let watch = Watch(node.pointee.release) { seen.withLock { $0 += number } }
      node.pointee.private_data = Unmanaged.passRetained(watch).toOpaque()
      node.pointee.release = Watch.release
    }
    exported.release(&exported)
    #expect(seen.withLock { $0 } == 111)
  }

  @Test(arguments: [
    "", "x", "d", "d:", "d:1", "d:1,2,3", "d:a,b", "d:1,2,128,1", "w", "w:", "w:-1", "w:99999999999", "w:9999999999999999999999", "+", "+w:x",
    "+ud:1,1", "+ud:-1", "+us:128", "+us:a", "tsx:", "ii", "+q", "vx", "\u{e9}",
  ])
  func unknownFormatsAreRefused(format: String) {
    #expect(throws: CacheError.self) { try Field(name: "c", format: format) }
    let error = #expect(throws: CacheError.self) { try importing(RawSchema("+s", children: [RawSchema(format)])) }
    #expect(error?.code == .type)
    #expect(error?.message.contains("'\(format)'") ?? false)
  }

  @Test func shapesThatDoNotFitTheTypeAreRefused() {
    let int = RawSchema("i")
    let bad: [RawSchema] = [
      RawSchema("+l"), RawSchema("+l", children: [int, int]), RawSchema("i", children: [int]), RawSchema("+r", children: [int]),
      RawSchema("+r", children: [RawSchema("f"), int]), RawSchema("+m", children: [int]), RawSchema("+m", children: [RawSchema("+s", children: [int])]),
      RawSchema("+ud:0,1", children: [int]), RawSchema("u", dictionary: [int]), RawSchema("+s", dictionary: [int]),
    ]
    for schema in bad {
      let error = #expect(throws: CacheError.self) { try importing(RawSchema("+s", children: [schema])) }
      #expect(error?.code == .type)
    }
  }

  @Test func whatIsNotAStructIsRefused() {
    for schema in [RawSchema("i"), RawSchema("+l", children: [RawSchema("i")]), RawSchema("i", dictionary: [RawSchema("u")])] {
      let error = #expect(throws: CacheError.self) { try importing(schema) }
      #expect(error?.code == .type)
      #expect(error?.message.contains("not rows of columns") ?? false)
    }
  }

  @Test func brokenStructuresAreRefusedAndReleased() {
    var noFormat = RawSchema("i")
    noFormat.format = nil
    var negative = RawSchema("+s")
    negative.claimedChildren = -1
    var claimsMore = RawSchema("+s")
    claimsMore.claimedChildren = 1
    claimsMore.hasNoList = true
    var nullChild = RawSchema("+s")
    nullChild.claimedChildren = 1
    nullChild.hasNullChild = true
    var releasedChild = RawSchema("i")
    releasedChild.isReleased = true
    var badName = RawSchema("i")
    badName.name = [0xff, 0xfe]
    var badMetadata = RawSchema("i")
    badMetadata.metadata = bytes([Int32(1), -5])
    for schema in [noFormat, negative, claimsMore, nullChild, releasedChild, badName, badMetadata] {
      #expect(throws: CacheError.self) { try importing(RawSchema("+s", children: [RawSchema("u"), schema])) }
    }
  }

  @Test(arguments: [(62, true), (63, true), (64, false), (500, false)])
  func depthIsLimited(levels: Int, isFine: Bool) {
    var schema = RawSchema("i")
    for _ in 0..<levels { schema = RawSchema("+l", children: [schema]) }
    let table = RawSchema("+s", children: [schema])
    if isFine {
      #expect(throws: Never.self) { try importing(table) }
    } else {
      let error = #expect(throws: CacheError.self) { try importing(table) }
      #expect(error?.message.contains("64 levels") ?? false)
    }
  }

  @Test func aReleasedSchemaIsRefused() {
    var schema = ArrowSchema()
    #expect(throws: CacheError.self) { try Schema(importing: &schema) }
  }
}

/// Stands before a schema's own release and tells when it is called.
private final class Watch {
  private let original: (@convention(c) (UnsafeMutablePointer<ArrowSchema>?) -> Void)?
  private let told: () -> Void

  init(_ original: (@convention(c) (UnsafeMutablePointer<ArrowSchema>?) -> Void)?, _ told: @escaping () -> Void) {
    (self.original, self.told) = (original, told)
  }

  static let release: @convention(c) (UnsafeMutablePointer<ArrowSchema>?) -> Void = { schema in
    guard let data = schema?.pointee.private_data else { return }
    let watch = Unmanaged<Watch>.fromOpaque(data).takeRetainedValue()
    watch.told()
    schema?.pointee.release = watch.original
    watch.original?(schema)
  }
}

/// A schema as a producer may hand it over: right or wrong.
private struct RawSchema {
  var format: String?
  var name: [UInt8] = Array("n".utf8)
  var metadata: [UInt8]?
  var children: [RawSchema] = []
  var dictionary: [RawSchema] = []
  var claimedChildren: Int64?
  var hasNoList = false
  var hasNullChild = false
  var isReleased = false

  init(_ format: String, children: [RawSchema] = [], dictionary: [RawSchema] = []) {
    (self.format, self.children, self.dictionary) = (format, children, dictionary)
  }

  func export(_ counter: ReleaseCounter, to target: UnsafeMutablePointer<ArrowSchema>) {
    counter.make()
    var node = ArrowSchema()
    node.format = format.map { UnsafePointer(strdup($0)) }
    node.name = UnsafePointer(strdup((name + [0]).map { CChar(bitPattern: $0) }))
    if let metadata {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: metadata.count)
      for (index, byte) in metadata.enumerated() { copy[index] = CChar(bitPattern: byte) }
      node.metadata = UnsafePointer(copy)
    }
    node.n_children = claimedChildren ?? Int64(children.count)
    if !hasNoList {
      let list = UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>.allocate(capacity: children.count + 1)
      list[0] = nil
      for (index, child) in children.enumerated() {
        let below = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
        child.export(counter, to: below)
        list[index] = below
      }
      node.children = list
    }
    if let values = dictionary.first {
      let below = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
      values.export(counter, to: below)
      node.dictionary = below
    }
    node.private_data = Unmanaged.passRetained(SchemaMemory(counter, children.count)).toOpaque()
    node.release = releaseRaw
    target.initialize(to: node)
    if isReleased { releaseRaw(target) }
  }
}

private final class SchemaMemory {
  let counter: ReleaseCounter
  let children: Int
  init(_ counter: ReleaseCounter, _ children: Int) { (self.counter, self.children) = (counter, children) }
}

private func releaseRaw(_ schema: UnsafeMutablePointer<ArrowSchema>?) {
  guard let schema, schema.pointee.release != nil, let data = schema.pointee.private_data else { return }
  let memory = Unmanaged<SchemaMemory>.fromOpaque(data).takeRetainedValue()
  free(UnsafeMutableRawPointer(mutating: schema.pointee.format))
  free(UnsafeMutableRawPointer(mutating: schema.pointee.name))
  schema.pointee.metadata?.deallocate()
  for index in 0..<memory.children {
    guard let child = schema.pointee.children[index] else { continue }
    child.pointee.release?(child)
    child.deallocate()
  }
  schema.pointee.children?.deallocate()
  if let values = schema.pointee.dictionary {
    values.pointee.release?(values)
    values.deallocate()
  }
  schema.pointee.release = nil
  memory.counter.release()
}

/// Imports and checks that everything has been released, whatever came of it.
@discardableResult
private func importing(_ raw: RawSchema) throws -> Schema {
  let counter = ReleaseCounter()
  var schema = ArrowSchema()
  raw.export(counter, to: &schema)
  defer {
    #expect(counter.live == 0)
    #expect(schema.release == nil)
  }
  return try Schema(importing: &schema)
}
