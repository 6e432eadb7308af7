import ArrowData

/// A column of texts in any of the formats that have them, after `offset` values that do not belong to it.
func textColumn(_ values: [[UInt8]?], format: String, offset: Int = 0) -> ArraySpec {
  let junk = [[UInt8]?](repeating: Array("not of the column".utf8), count: offset)
  let all = junk + values
  let nulls = values.count { $0 == nil }
  var spec = ArraySpec(length: Int64(values.count), nullCount: Int64(nulls), offset: Int64(offset), buffers: [])
  spec.buffers.append(nulls > 0 ? bytes(all.map { $0 != nil }) : nil)
  guard format.hasPrefix("v") else {
    var offsets = [5]
    var data = [UInt8](repeating: 1, count: 5)
    for value in all {
      data += value ?? []
      offsets.append(data.count)
    }
    spec.buffers.append(format == "U" || format == "Z" ? bytes(offsets.map { Int64($0) }) : bytes(offsets.map { Int32($0) }))
    spec.buffers.append(data)
    return spec
  }
  var views: [UInt8] = []
  var data: [[UInt8]] = [[1, 2, 3], []]
  for (index, value) in all.enumerated() {
    guard let value else {
      views += [UInt8](repeating: 0xee, count: 16)
      continue
    }
    if value.count <= 12 {
      views += bytes([Int32(value.count)]) + value + [UInt8](repeating: 0, count: 12 - value.count)
    } else {
      let buffer = index % 2
      views += bytes([Int32(value.count)]) + value[..<4] + bytes([Int32(buffer), Int32(data[buffer].count)])
      data[buffer] += value
    }
  }
  spec.buffers += [views, data[0], data[1], bytes(data.map { Int64($0.count) })]
  return spec
}
