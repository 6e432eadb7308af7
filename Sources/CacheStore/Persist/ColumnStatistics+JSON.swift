import ArrowData
import Primitives

extension ColumnStatistics {
  var json: JSON {
    var members: [(name: String, value: JSON)] = [("rows", .integer(rowCount)), ("nulls", nullCount.map(JSON.integer) ?? .null)]
    switch bounds {
    case .unknown: break
    case .noValues: members.append(("bounds", .text("none")))
    case .int(let min, let max): members += [("bounds", .text("int")), ("min", .integer(min)), ("max", .integer(max))]
    case .uint(let min, let max): members += [("bounds", .text("uint")), ("min", .integer(min)), ("max", .integer(max))]
    case .double(let min, let max, let hasNaN):
      members += [("bounds", .text("double")), ("min", .double(min)), ("max", .double(max)), ("nan", .bool(hasNaN))]
    case .bytes(let min, let max, let isExact):
      members += [("bounds", .text("bytes")), ("min", .text(hexadecimal(min))), ("max", max.map { .text(hexadecimal($0)) } ?? .null)]
      members.append(("exact", .bool(isExact)))
    case .box(let box):
      members += [("bounds", .text("box")), ("box", .list([box.minX, box.minY, box.maxX, box.maxY].map(JSON.double)))]
    }
    return .object(members)
  }

  init?(json: JSON) {
    guard let rowCount = json["rows"]?.int, rowCount >= 0 else { return nil }
    let nullCount = json["nulls"]?.int
    guard json["nulls"] == .null || nullCount.map({ (0...rowCount).contains($0) }) ?? false, let bounds = Self.bounds(json) else { return nil }
    self.init(rowCount: rowCount, nullCount: nullCount, bounds: bounds)
  }

  private static func bounds(_ json: JSON) -> Bounds? {
    let (min, max) = (json["min"], json["max"])
    switch json["bounds"]?.text {
    case nil: return .unknown
    case "none": return .noValues
    case "int":
      guard let min = min?.int64, let max = max?.int64 else { return nil }
      return .int(min: min, max: max)
    case "uint":
      guard let min = min?.uint64, let max = max?.uint64 else { return nil }
      return .uint(min: min, max: max)
    case "double":
      guard let min = min?.double, let max = max?.double, let hasNaN = json["nan"]?.bool else { return nil }
      return .double(min: min, max: max, hasNaN: hasNaN)
    case "bytes":
      guard let min = min?.text.flatMap(bytes), let isExact = json["exact"]?.bool else { return nil }
      if max == .null { return .bytes(min: min, max: nil, isExact: isExact) }
      guard let max = max?.text.flatMap(bytes) else { return nil }
      return .bytes(min: min, max: max, isExact: isExact)
    case "box":
      guard let sides = json["box"]?.list?.compactMap(\.double), sides.count == 4 else { return nil }
      return .box(BoundingBox(minX: sides[0], minY: sides[1], maxX: sides[2], maxY: sides[3]))
    default: return .unknown  // of a later engine: knowing nothing is never wrong
    }
  }

  private func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  private static func bytes(_ digits: String) -> [UInt8]? {
    let digits = Array(digits.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
