import Glibc

/// How much memory this process may use.
public enum MachineMemory {
  /// Bytes: the machine's, or its container's where that is less (control groups of both versions, and those above them).
  public static var byteCount: Int {
    let files = SystemFiles()
    return limit(physical: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) { path in
      do throws(CacheError) { return String(decoding: try files.read(path, limitBytes: 1 << 16), as: UTF8.self) } catch { return "" }
    }
  }

  /// The least of what the machine has and what any control group of this process allows.
  ///
  /// - Parameter text: a file's text, "" where there is none.
  static func limit(physical: Int, text: (_ path: String) -> String) -> Int {
    var least = physical > 0 ? physical : .max
    for path in limitFiles(groups: text("/proc/self/cgroup")) {
      // "max" where nothing is set.
      if let bytes = Int(text(path).filter { !$0.isWhitespace }), bytes > 0 { least = min(least, bytes) }
    }
    return least
  }

  /// Every file that can hold a limit for this process, of its own group and of those above it.
  private static func limitFiles(groups: String) -> [String] {
    var paths: [String] = []
    for line in groups.split(whereSeparator: \.isNewline) {
      // hierarchy:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else { continue }
      let (root, name) = parts[1].isEmpty ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      var names = parts[2].split(separator: "/")
      while true {
        paths.append(([root] + names.map(String.init) + [name]).joined(separator: "/"))
        if names.popLast() == nil { break }
      }
    }
    return paths
  }
}
