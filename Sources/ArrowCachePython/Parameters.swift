import ArrowCache
import CPython

/// How deep lists and structures may be nested in a parameter.
private let depthLimit = 64

func queryParameters(_ object: Object?) throws(Failure) -> QueryParameters {
  guard let object else { return .none }
  if isMapping(object) {
    var values: [(name: String, value: QueryValue)] = []
    try forEachItem(of: object, "parameters") { name, value throws(Failure) in
      values.append((name, try queryValue(value, "parameters[\"\(name)\"]", depth: 0)))
    }
    return .named(values)
  }
  return .positional(try queryValues(object, "parameters", depth: 0))
}

private func queryValues(_ object: Object, _ name: String, depth: Int) throws(Failure) -> [QueryValue] {
  var values: [QueryValue] = []
  try forEach(in: object, name) { index, value throws(Failure) in
    values.append(try queryValue(value, "\(name)[\(index)]", depth: depth))
  }
  return values
}

private func queryValue(_ parameter: Object, _ name: String, depth: Int) throws(Failure) -> QueryValue {
  guard depth <= depthLimit else { throw .argument("\(name) is nested deeper than \(depthLimit) levels") }
  let pair = try tuple(parameter, of: 2, name)
  let (tag, value) = (try text(pair[0], "the tag of \(name)"), pair[1])
  switch tag {
  case "null": return .null
  case "bool": return .bool(try bool(value, name))
  case "int": return .int(Int64(try integer(value, name)))
  case "ubigint": return .uint(try unsignedInteger(value, name))
  case "hugeint": return .hugeInt(try wideInteger(value, name))
  case "double": return .double(try double(value, name))
  case "text": return .text(try text(value, name))
  case "blob": return .blob(try bytes(value, name))
  case "date": return .date(try integer(value, as: Int32.self, name))
  case "time": return .time(Int64(try integer(value, name)))
  case "timestamp": return .timestamp(Int64(try integer(value, name)))
  case "timestamptz": return .timestampTZ(Int64(try integer(value, name)))
  case "timestamp_ns": return .timestampNanos(Int64(try integer(value, name)))
  case "interval": return try interval(value, name)
  case "decimal": return try decimal(value, name)
  case "uuid": return .uuid(try text(value, name))
  case "list": return .list(try queryValues(value, name, depth: depth + 1))
  case "struct": return .structure(try members(value, name, depth: depth + 1))
  default: throw .argument("\(name) has the unknown tag \"\(tag)\"")
  }
}

private func unsignedInteger(_ object: Object, _ name: String) throws(Failure) -> UInt64 {
  let digits = try text(object, name)
  guard let value = UInt64(digits) else {
    throw .argument("\(name) is \"\(digits.prefix(80))\": it must be an integer within 0...\(UInt64.max)")
  }
  return value
}

private func wideInteger(_ object: Object, _ name: String) throws(Failure) -> Int128 {
  let digits = try text(object, name)
  guard let value = Int128(digits) else {
    throw .argument("\(name) is \"\(digits.prefix(80))\": it must be an integer within 128 bits")
  }
  return value
}

private func interval(_ object: Object, _ name: String) throws(Failure) -> QueryValue {
  let parts = try tuple(object, of: 3, name)
  return .interval(
    months: try integer(parts[0], as: Int32.self, "the months of \(name)"),
    days: try integer(parts[1], as: Int32.self, "the days of \(name)"),
    micros: Int64(try integer(parts[2], "the microseconds of \(name)")))
}

private func decimal(_ object: Object, _ name: String) throws(Failure) -> QueryValue {
  let parts = try tuple(object, of: 3, name)
  let unscaled = try wideInteger(parts[0], "the digits of \(name)")
  let (width, scale) = (try integer(parts[1], "the width of \(name)"), try integer(parts[2], "the scale of \(name)"))
  guard (1...38).contains(width), (0...width).contains(scale) else {
    throw .argument("\(name) is DECIMAL(\(width), \(scale)): the width must be within 1...38 and the scale within 0...width")
  }
  guard String(unscaled.magnitude).utf8.count <= width else {
    throw .argument("\(name) has more digits than DECIMAL(\(width), \(scale)) holds")
  }
  return .decimal(unscaled, width: width, scale: scale)
}

private func members(_ object: Object, _ name: String, depth: Int) throws(Failure) -> [(name: String, value: QueryValue)] {
  var members: [(name: String, value: QueryValue)] = []
  try forEach(in: object, name) { index, member throws(Failure) in
    let pair = try tuple(member, of: 2, "\(name)[\(index)]")
    let memberName = try text(pair[0], "the name of \(name)[\(index)]")
    members.append((memberName, try queryValue(pair[1], "\(name).\(memberName)", depth: depth)))
  }
  return members
}
