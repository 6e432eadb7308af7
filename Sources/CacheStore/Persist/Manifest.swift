import ArrowData
import Primitives

/// How the rows of parts are written.
public enum PartFormat: String, Sendable {
  case arrow
  case parquet

  /// Of a file of this name.
  init?(of name: String) {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
    self.init(rawValue: String(name[name.utf8.index(after: dot)...]))
  }
}

/// What a folder of a persisted entry says about it: which files have its rows, in order, and all that is not in these themselves.
///
/// A JSON file that begins with its format version and a seal, the CRC-32C of its bytes with zeros in place of the seal. It takes the place
/// of the one before in one step; what it names is on the disk before that. See docs/storage-format.md.
struct Manifest {
  /// A file with the rows of one partition.
  struct Part {
    let name: String
    let byteCount: Int
    /// What the rows take in memory.
    let memoryBytes: Int
    /// The rows of each of its record batches.
    let batchRows: [Int]
    /// What is known of columns.
    let statistics: [Int: ColumnStatistics]
    /// CRC-32C of the whole file, of formats that have none of their own.
    var checksum: UInt32?

    var rowCount: Int { batchRows.reduce(0) { $0.saturatingSum($1) } }
  }

  static let name = "manifest.json"
  /// Readers take their own version and all before it.
  static let format = 2
  static let limitBytes = 1 << 30
  private static let head = [UInt8]("{\"arrow_cache\":".utf8)

  let key: String
  let kind: String
  let userMetadata: String
  /// Seconds since 1970, as the next one.
  let createdAt: Double
  let expiresAt: Double?
  let buildSeconds: Double?
  let compression: IPCCompression
  /// Of all parts.
  var format = PartFormat.arrow
  /// Whether it was persisted by name, so that closing a cache does not remove it.
  let isKept: Bool
  /// Its place among the entries of a storage, by first put; nil: before all that have one, by `createdAt`.
  let order: Int?
  /// `Schema.encoded` of all parts, in Base64; nil in what earlier engines have written, where a part says it.
  var schema: String?
  let parts: [Part]

  // MARK: writing

  var encoded: [UInt8] {
    var members: [(name: String, value: JSON)] = [
      ("key", .text(key)), ("kind", .text(kind)), ("metadata", .text(userMetadata)), ("created_at", .double(createdAt)),
      ("expires_at", expiresAt.map(JSON.double) ?? .null), ("build_seconds", buildSeconds.map(JSON.double) ?? .null),
      ("compression", .text(compression.rawValue)), ("kept", .bool(isKept)), ("order", order.map(JSON.integer) ?? .null),
      ("rows", .integer(parts.reduce(0) { $0.saturatingSum($1.rowCount) })),
    ]
    if let schema { members.append(("schema", .text(schema))) }
    if format != .arrow { members.append(("format", .text(format.rawValue))) }
    members.append(("partitions", .list(parts.map(\.json))))
    let body = JSON.object(members).encoded
    var bytes = Self.head + "\(format == .arrow ? 1 : Self.format),\"seal\":\"00000000\",".utf8 + body.dropFirst() + "\n".utf8
    let place = Self.sealPlace(bytes)
    if let place { bytes.replaceSubrange(place, with: Self.digits(bytes.withUnsafeBytes { CRC32C($0).value })) }
    return bytes
  }

  private static func digits(_ checksum: UInt32) -> [UInt8] {
    let text = String(checksum, radix: 16)
    return [UInt8]((String(repeating: "0", count: 8 - text.utf8.count) + text).utf8)
  }

  /// The eight digits after the format version.
  private static func sealPlace(_ bytes: [UInt8]) -> Range<Int>? {
    guard bytes.starts(with: head), let comma = bytes[head.count...].prefix(16).firstIndex(of: UInt8(ascii: ",")) else { return nil }
    let lead = [UInt8]("\"seal\":\"".utf8)
    let start = comma + 1 + lead.count
    guard bytes.count >= start + 8, bytes[(comma + 1)...].starts(with: lead) else { return nil }
    return start..<start + 8
  }

  /// The checksum with zeros in its own place.
  private static func seal(_ bytes: [UInt8], _ place: Range<Int>) -> UInt32 {
    bytes.withUnsafeBytes { bytes in
      var checksum = CRC32C(UnsafeRawBufferPointer(rebasing: bytes[..<place.lowerBound]))
      "00000000".utf8.withContiguousStorageIfAvailable { checksum.add(UnsafeRawBufferPointer($0)) }
      checksum.add(UnsafeRawBufferPointer(rebasing: bytes[place.upperBound...]))
      return checksum.value
    }
  }

  // MARK: reading

  /// The manifest in a folder; nil where there is none. Throws `.storage` where it is damaged, `.type` where it is of a later format.
  static func read(in folder: String, files: any FileSystem) throws(CacheError) -> Manifest? {
    let path = "\(folder)/\(name)"
    let bytes: [UInt8]
    do throws(CacheError) {
      bytes = try files.read(path, limitBytes: limitBytes)
    } catch {
      guard error.isMissingFile else { throw error }
      return nil
    }
    return try Manifest(bytes, path)
  }

  init(_ bytes: [UInt8], _ path: String) throws(CacheError) {
    func damaged(_ what: String) -> CacheError {
      CacheError(.storage, "cannot read '\(path)': \(what); persist the entry anew or restore the folder from a copy")
    }
    guard let place = Self.sealPlace(bytes) else { throw damaged("it is no manifest of arrow_cache, or its beginning is damaged") }
    guard bytes[place].elementsEqual(Self.digits(Self.seal(bytes, place))) else {
      throw damaged("it has another checksum than it says")
    }
    guard let json = JSON(bytes), let format = json["arrow_cache"]?.int, format > 0 else { throw damaged("it has no format version") }
    guard format <= Self.format else {
      throw CacheError(
        .type, "cannot read '\(path)': it has format version \(format), this engine reads up to \(Self.format): use a newer arrow_cache")
    }
    guard let key = json["key"]?.text, let kind = json["kind"]?.text, let userMetadata = json["metadata"]?.text,
      let createdAt = json["created_at"]?.double, let compression = json["compression"]?.text.flatMap(IPCCompression.init(rawValue:)),
      let list = json["partitions"]?.list, !list.isEmpty
    else { throw damaged("it lacks what a manifest has") }
    guard let partFormat = PartFormat(rawValue: json["format"]?.text ?? PartFormat.arrow.rawValue) else { throw damaged("its files are of a format that is not known") }
    self.format = partFormat
    var parts: [Part] = []
    for item in list {
      guard let part = Part(item), PartFormat(of: part.name) == partFormat, partFormat == .arrow || part.checksum != nil else { throw damaged("its partition \(parts.count) is not described as it should be") }
      parts.append(part)
    }
    (self.key, self.kind, self.userMetadata, self.createdAt) = (key, kind, userMetadata, createdAt)
    (expiresAt, buildSeconds) = (json["expires_at"]?.double, json["build_seconds"]?.double)
    (self.compression, isKept, self.parts) = (compression, json["kept"]?.bool ?? true, parts)
    order = json["order"]?.int.flatMap { (1..<1 << 52).contains($0) ? $0 : nil }
    schema = json["schema"]?.text
  }

  init(
    _ entry: Entry, expiresAt: Double?, compression: IPCCompression, isKept: Bool, order: Int?, parts: [Part], format: PartFormat = .arrow
  ) throws(CacheError) {
    self.format = format
    schema = base64(try entry.schema.encoded)
    (key, kind, userMetadata, createdAt) = (entry.key, entry.kind, entry.userMetadata, entry.createdAt)
    (self.expiresAt, buildSeconds) = (expiresAt, entry.buildSeconds)
    (self.compression, self.isKept, self.order, self.parts) = (compression, isKept, order, parts)
  }
}

extension Manifest {
  /// Whether its entry comes before another's among the keys of a storage.
  func isBefore(_ other: Manifest) -> Bool {
    if order != other.order { return (order ?? 0) < (other.order ?? 0) }
    return createdAt != other.createdAt ? createdAt < other.createdAt : key.utf8.lexicographicallyPrecedes(other.key.utf8)
  }
}

extension Manifest.Part {
  fileprivate var json: JSON {
    .object([
      ("file", .text(name)), ("bytes", .integer(byteCount)), ("memory_bytes", .integer(memoryBytes)),
      ("rows", .list(batchRows.map(JSON.integer))),
      ("checksum", checksum.map { .integer(Int($0)) } ?? .null),
      ("statistics", .object(statistics.sorted { $0.key < $1.key }.map { (name: "\($0.key)", value: $0.value.json) })),
    ])
  }

  fileprivate init?(_ json: JSON) {
    guard let name = json["file"]?.text, PersistedFolder.isPart(name), let byteCount = json["bytes"]?.int, byteCount >= 0,
      let memoryBytes = json["memory_bytes"]?.int, memoryBytes >= 0, let rows = json["rows"]?.list, let members = json["statistics"]?.members
    else { return nil }
    var batchRows: [Int] = []
    var total = 0
    for count in rows {
      guard let count = count.int, count > 0, !total.addingReportingOverflow(count).overflow else { return nil }
      total += count
      batchRows.append(count)
    }
    var statistics: [Int: ColumnStatistics] = [:]
    for member in members {
      guard let column = Int(member.name), let known = ColumnStatistics(json: member.value) else { return nil }
      statistics[column] = known
    }
    self.init(
      name: name, byteCount: byteCount, memoryBytes: memoryBytes, batchRows: batchRows, statistics: statistics,
      checksum: json["checksum"]?.int.flatMap { UInt32(exactly: $0) })
  }
}
