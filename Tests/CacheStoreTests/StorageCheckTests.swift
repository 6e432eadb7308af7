import ArrowData
import Glibc
import Primitives
import Testing

@testable import CacheStore

@Suite struct StorageCheckTests {
  @Test func damageIsNamedAndRepaired() throws {
    let place = try SpillPlace()
    let fixture = try Fixture { $0.partitionSizeRows = 100 }
    for key in ["good", "cut", "flipped", "late", "stray"] {
      try fixture.put(key, [(0..<250).map { $0 }])
      try fixture.store.persist(key, in: place.path)
    }
    #expect(try checkStorage(place.path).map(\.problems) == [[], [], [], [], []])
    func folder(_ key: String) -> PersistedFolder { PersistedFolder(key: key, in: place.path, files: SystemFiles()) }
    func part(_ key: String) throws -> String {
      let names = try SystemFiles().list(folder(key).path).filter { $0.hasPrefix("part-000001") }
      return "\(folder(key).path)/\(try #require(names.first))"
    }
    #expect(truncate(try part("cut"), 100) == 0)
    let path = try part("flipped")
    let file = open(path, O_RDWR)
    var byte: UInt8 = 0
    #expect(pread(file, &byte, 1, 600) == 1)
    byte ^= 4
    #expect(pwrite(file, &byte, 1, 600) == 1)
    close(file)
    let late = "\(folder("late").path)/\(Manifest.name)"
    var bytes = try SystemFiles().read(late, limitBytes: .max)
    bytes.replaceSubrange(0..<16, with: Array("{\"arrow_cache\":7".utf8))
    bytes.replaceSubrange(25..<33, with: Array("00000000".utf8))
    let seal = String(bytes.withUnsafeBytes { CRC32C($0).value }, radix: 16)
    bytes.replaceSubrange(25..<33, with: Array((String(repeating: "0", count: 8 - seal.count) + seal).utf8))
    let written = open(late, O_WRONLY | O_TRUNC)
    #expect(Glibc.write(written, bytes, bytes.count) == bytes.count)
    close(written)
    try place.touch("\(folder("stray").path.dropFirst(place.path.count + 1))/part-000009-new.arrow")
    try place.touch("foreign")

    for repairs in [false, true] {
      let found = try checkStorage(place.path, repairs: repairs)
      #expect(found.count == 5)
      for finding in found {
        let isGood = finding.path == folder("good").path
        #expect(finding.problems.isEmpty == isGood, "\(finding)")
        #expect(finding.problems.allSatisfy { $0.contains(finding.path) }, "\(finding)")
        #expect(finding.isRepaired == (repairs && !isGood && finding.path != folder("late").path), "\(finding)")
      }
      #expect(found.contains { $0.key == "flipped" && $0.problems.contains { $0.contains(path) } })
      #expect(found.contains { $0.problems.contains { $0.contains("format version 7") } })
    }
    let left = try checkStorage(place.path)
    #expect(Set(left.map(\.path)) == [folder("good").path, folder("stray").path, folder("late").path])
    #expect(left.filter { !$0.problems.isEmpty }.map(\.path) == [folder("late").path])
    #expect(place.names.contains("foreign"))
    #expect(try fixture.store.load("stray", from: place.path, isVerified: true))
  }

  @Test func whatIsNoFolderOrInUse() throws {
    let place = try SpillPlace()
    try place.touch("file")
    for path in [place["file"], place["nowhere"]] {
      #expect(#expect(throws: CacheError.self) { try checkStorage(path) }?.message.contains(path) == true)
    }
    let fixture = try Fixture { $0.storagePath = place["x"] }
    try fixture.put("a")
    #expect(try checkStorage(place["x"]).map(\.problems) == [[]])
    #expect(#expect(throws: CacheError.self) { try checkStorage(place["x"], repairs: true) }?.message.contains("in use") == true)
  }
}
