import Primitives
import Testing

@testable import CacheStore

@Suite struct ResolveTests {
  private func keys(_ resolution: Store.Resolution) -> [String] {
    switch resolution {
    case .entry(let entry): [entry.key]
    case .ambiguous(let keys): ["?"] + keys
    case .missing, .failure: []
    }
  }

  @Test func namesMatchAsWrittenFirstThenFolded() throws {
    let fixture = try Fixture()
    for key in ["Flights", "PLANES", "planes", "sales 2024", "ÄRA", "ß"] { try fixture.put(key) }
    for (name, expected) in [
      ("Flights", ["Flights"]), ("flights", ["Flights"]), ("FLIGHTS", ["Flights"]), ("planes", ["planes"]), ("PLANES", ["PLANES"]),
      ("Planes", ["?", "PLANES", "planes"]), ("SALES 2024", ["sales 2024"]), ("Ära", ["ÄRA"]), ("ära", []), ("SS", []), ("", []), ("flight", []),
    ] { #expect(keys(fixture.store.resolve(name)) == expected, "\(name)") }
  }

  @Test func resolvingIsAnAccess() throws {
    let fixture = try Fixture()
    let entry = try fixture.put("Big")
    _ = fixture.store.resolve("big")
    _ = fixture.store.resolve("Big")
    _ = fixture.store.resolve("small")
    #expect(entry.access.accessCount == 2)
    #expect((fixture.store.status().hits, fixture.store.status().misses) == (2, 1))
  }

  @Test func whatHasGoneIsNotFound() throws {
    let fixture = try Fixture()
    try fixture.put("Planes", ttl: 10)
    try fixture.put("PLANES", ttl: 20)
    try fixture.put("planes")
    _ = fixture.store.remove("planes")
    #expect(keys(fixture.store.resolve("planes")) == ["?", "Planes", "PLANES"])
    fixture.clock.advance(by: 10)
    #expect(keys(fixture.store.resolve("planes")) == ["PLANES"])
    #expect(keys(fixture.store.resolve("Planes")) == ["PLANES"])
    fixture.clock.advance(by: 10)
    #expect(keys(fixture.store.resolve("planes")) == [])
    try fixture.put("planes")
    _ = fixture.store.clear()
    #expect(keys(fixture.store.resolve("PLANES")) == [])
  }
}
