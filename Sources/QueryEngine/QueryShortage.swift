import Primitives

/// DuckDB's errors of too little memory or disk, in the words of the cache's options.
enum QueryShortage {
  /// - Parameters:
  ///   - folder: where DuckDB puts temporary files, if anywhere.
  ///   - folderFailure: why there is no such folder, where there should be one.
  ///   - isAllowed: whether DuckDB may write temporary files at all.
  /// - Returns: nil where the error is of another kind.
  static func explained(_ error: CacheError, folder: String?, folderFailure: CacheError?, isAllowed: Bool) -> CacheError? {
    let message = error.message
    let fact = message.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? message
    if message.hasPrefix("IO Error"), let folder, message.firstRange(of: folder) != nil {
      return CacheError(
        .storage, "DuckDB could not use its temporary files in spill_directory: see that the directory is there and writable, and that its disk has room",
        cause: fact)
    }
    guard message.hasPrefix("Out of Memory") else { return nil }
    if message.firstRange(of: "max_temp_directory_size") != nil {
      return CacheError(
        .memoryLimit, "the query needs more temporary files than disk_limit leaves room for: raise disk_limit or query_memory_limit, or free disk by removing entries",
        cause: fact)
    }
    if let folderFailure {
      return CacheError(
        .memoryLimit, "the query needs more than query_memory_limit, and spill_directory cannot be used: raise query_memory_limit, or name another spill_directory",
        cause: "\(fact); \(folderFailure.description)")
    }
    guard isAllowed else {
      return CacheError(
        .memoryLimit, "the query needs more than query_memory_limit, and spill_to_disk is off: raise query_memory_limit, or let DuckDB write to spill_directory with spill_to_disk",
        cause: fact)
    }
    return CacheError(
      .memoryLimit, "the query needs more than query_memory_limit at once, which temporary files in spill_directory cannot replace: raise query_memory_limit, or lower thread_count",
      cause: fact)
  }
}

extension QueryShortage {
  /// The bytes in DuckDB's refusal to lower its limit of temporary files below what it uses, "currently used space (491.5 MiB)", rounded up.
  static func usedBytes(_ message: String) -> Int? {
    let mark = "currently used space ("
    guard let range = message.firstRange(of: mark) else { return nil }
    let parts = message[range.upperBound...].prefix { $0 != ")" }.split(separator: " ")
    let units = ["bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
    guard parts.count == 2, let number = Double(parts[0]), let shift = units[String(parts[1])] else { return nil }
    return Int(exactly: ((number + 0.1) * Double(1 << shift)).rounded(.up))
  }
}
