import ArrowData
import Primitives

/// A field of every layout, and of combinations that have gone wrong in other libraries.
func everyType() throws(CacheError) -> [Field] {
  func field(_ format: String, _ children: [Field] = [], dictionary: Field? = nil) throws(CacheError) -> Field {
    try Field(name: "", format: format, children: children, dictionary: dictionary)
  }
  func child(_ name: String, _ format: String, nullable: Bool = true, _ children: [Field] = []) throws(CacheError) -> Field {
    try Field(name: name, format: format, nullable: nullable, children: children)
  }
  let text = try field("u")
  let item = try child("item", "i")
  let pair = try child("entries", "+s", nullable: false, [child("key", "u", nullable: false), child("value", "l")])
  let structure = try field("+s", [child("a", "i"), child("b", "u"), child("c", "b")])
  var types = try [
    "n", "b", "c", "S", "i", "l", "e", "f", "g", "tdD", "tdm", "tsn:Europe/Berlin", "tin", "d:20,2", "d:50,5,256", "w:5", "w:0", "u", "z", "U", "Z",
    "vu", "vz",
  ].map { format throws(CacheError) in try field(format) }
  types += [
    try field("+l", [item]), try field("+L", [text]), try field("+l", [child("bits", "b")]), try field("+m", [pair]),
    try field("+vl", [item]), try field("+vL", [text]), try field("+w:3", [item]), try field("+w:0", [item]), try field("+w:2", [text]),
    structure, try field("+s"), try field("+l", [structure]), try field("+s", [try field("+l", [try field("+s", [text])])]),
    try field("+us:0,1", [item, text]), try field("+ud:3,5", [item, text]), try field("+ud:7", [structure]),
    try field("+l", [try field("+ud:0,1", [item, text])]),
    try field("+r", [child("run_ends", "s", nullable: false), text]), try field("+r", [child("run_ends", "i", nullable: false), item]),
    try field("+r", [child("run_ends", "l", nullable: false), structure]),
    try field("c", dictionary: text), try field("I", dictionary: structure), try field("l", dictionary: try field("+l", [item])),
    try field("s", dictionary: try field("c", dictionary: text)), try field("+l", [try field("i", dictionary: text)]), try field("+l", [try field("vu")]),
  ]
  return types
}

extension Field {
  /// For the names of test cases.
  var summary: String {
    format + (children.isEmpty ? "" : "<" + children.map(\.summary).joined(separator: ",") + ">") + (dictionary.map { "{" + $0.summary + "}" } ?? "")
  }
}
