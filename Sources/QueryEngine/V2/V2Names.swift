import CDuckDB
import CacheStore
import Primitives

/// `_cache_<key>` in SQL of DuckDB's second API: a replacement scan, asked for every name the catalog does not know.
enum V2Names {
  static func makeReplacementScan(factory: OpaquePointer?, store: Store) throws(V2Failure) -> OpaquePointer? {
    var scan: OpaquePointer?
    try v2Call { v2.pointee.replacement_scan_create(factory, &scan, $0) }
    var data = v2Owned(store)
    try v2Call { v2.pointee.replacement_scan_set_user_data(scan, &data, $0) }
    try v2Call { v2.pointee.replacement_scan_set_callback(scan, replace, $0) }
    return scan
  }

  private static let replace: duckdb_v2_callback = { info, context, error in
    var data: UnsafeMutableRawPointer?
    _ = v2.pointee.replacement_scan_get_user_data(info, &data, nil)
    guard let store = borrowed(data, as: Store.self), let parts = nameParts(info), let name = parts.last else { return }
    switch TableName.resolve(name, store: store, isQualified: parts.count > 1) {
    case .notOurs: return
    case .failure(let message): v2Fail(error, message)
    case .entry(let entry):
      guard Self.places.contains(parts.dropLast().map(\.folded)) else { return v2Fail(error, CachedTableMessage.qualified(parts, entry)) }
      do throws(V2Failure) { try claim(info, context, key: entry.key) } catch let failure { v2Fail(error, failure.message) }
    }
  }

  private static func claim(_ info: OpaquePointer?, _ context: OpaquePointer?, key: String) throws(V2Failure) {
    var factory: OpaquePointer?
    try v2Call { v2.pointee.context_get_factory(context, &factory, $0) }
    // Qualified: a macro of the user's with this name must not stand in for the scan.
    var function: OpaquePointer?
    try withTexts(["system", "main", TableName.scanFunction]) { (parts) throws(V2Failure) in
      try v2Call { v2.pointee.qname_create(parts, UInt64(parts.count), &function, $0) }
    }
    defer { _ = v2.pointee.qname_destroy(&function) }
    try v2Call { v2.pointee.replacement_scan_set_function_name(info, function, $0) }
    let argument = try V2Value.make(.text(key), factory: factory)
    try argument.lend { (argument) throws(V2Failure) in
      try v2Call { v2.pointee.replacement_scan_add_argument(info, argument, $0) }
    }
  }

  /// What may stand before a name: a schema of DuckDB's own, in which the tables would lie.
  private static let places: Set<[String]> = [[], ["main"], ["memory"], ["memory", "main"]]

  /// The name as written, after its catalog and schema.
  private static func nameParts(_ info: OpaquePointer?) -> [String]? {
    var name: OpaquePointer?
    guard v2.pointee.replacement_scan_get_name(info, &name, nil) == 0 else { return nil }
    defer { _ = v2.pointee.qname_destroy(&name) }
    var count: UInt64 = 0
    guard v2.pointee.qname_get_part_count(name, &count, nil) == 0 else { return nil }
    var parts: [String] = []
    for index in 0..<count {
      var part = duckdb_v2_text()
      guard v2.pointee.qname_get_part(name, index, &part, nil) == 0 else { return nil }
      parts.append(v2String(part))
    }
    return parts
  }
}
