import Primitives
import Testing

@testable import ArrowData

/// Columns that the cache has dictionary-encoded, in its files.
@Suite struct EncodedColumnTests {
  @Test(arguments: IPCCompression.allCases, ["u", "U", "vu", "z"]) func theyAreReadAsWhatTheyWere(compression: IPCCompression, format: String) throws {
    let folder = try TestFolder()
    let plain = try repeatedTexts(format, count: 4000)
    let encoded = try #require(try plain.encoded(columns: nil))
    #expect(encoded.schema.fields.allSatisfy { $0.encodedFormat == format })
    var options = IPCWriteOptions()
    options.compression = compression
    for (number, (offset, rows)) in [(0, 4000), (1500, 2500), (7, 0)].enumerated() {
      let path = folder["\(number)"]
      try IPCWriter(options: options).write([RecordBatchSlice(encoded, offset: offset, count: rows)], schema: encoded.schema, to: path)
      let file = try IPCFile(path)
      #expect(file.schema == encoded.schema && file.schema.plain == plain.schema)
      let read = try file.batch(0)
      #expect(render(try read.plain(offset: 0, count: rows)) == render(plain, offset: offset, count: rows))
      let statistics = ColumnStatistics(of: read, column: 0, offset: 3, count: 99)
      #expect(statistics == ColumnStatistics(of: plain, column: 0, offset: offset + min(3, rows), count: min(99, rows)))
    }
  }

  /// Texts of 0 to 30 bytes that are 21 altogether, every fifth of them null.
  private func repeatedTexts(_ format: String, count: Int) throws -> RecordBatch {
    let memory = ArrayMemory()
    let words = (0..<21).map { [UInt8](repeating: UInt8(65 + $0), count: $0 * 3 / 2) }
    let values = (0..<count).map { $0 % 5 == 0 ? nil : words[$0 % 21] }
    var buffers: [[UInt8]?] = [bits(values.map { $0 != nil })]
    var data: [UInt8] = []
    var positions: [Int] = [0]
    for value in values {
      data += value ?? []
      positions.append(data.count)
    }
    if format == "vu" {
      var views: [UInt8] = []
      for (value, start) in zip(values, positions) {
        let text = value ?? []
        views += bytes([Int32(text.count)])
        views += text.count <= 12 ? text + [UInt8](repeating: 0, count: 12 - text.count) : text[..<4] + bytes([0, Int32(start)])
      }
      buffers += [views, data, bytes([Int64(data.count)])]
    } else {
      buffers += [format == "U" ? bytes(positions.map { Int64($0) }) : bytes(positions.map { Int32($0) }), data]
    }
    let array = memory.array(count, nulls: values.count { $0 == nil }, buffers)
    return makeBatch([(try Field(name: "text", format: format), array)], rowCount: count, memory: memory)
  }
}
