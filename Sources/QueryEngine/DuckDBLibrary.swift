import CDuckDB
import Glibc
import Primitives

// The one global state of the engine: DuckDB's functions. DuckDB's callbacks arrive with nothing but its own handles, and one
// process has one DuckDB (the user's own `import duckdb` and ours are the same library).
nonisolated(unsafe) private var loadedV1: UnsafePointer<duckdb_v1_functions>?
nonisolated(unsafe) private var loadedV2: UnsafePointer<duckdb_v2_functions>?
private let loading = Locked<DuckDBLibrary?>(nil)

/// DuckDB's stable API. Valid once a `DuckDBLibrary` has been loaded, which every caller's existence implies.
var v1: UnsafePointer<duckdb_v1_functions> { loadedV1.unsafelyUnwrapped }
/// DuckDB's second API. Valid once a `DuckDBLibrary` with a `secondAPI` has been loaded.
var v2: UnsafePointer<duckdb_v2_functions> { loadedV2.unsafelyUnwrapped }

/// DuckDB's shared object, found and loaded at run time.
final class DuckDBLibrary: Sendable {
  let path: String
  /// As DuckDB says it: "v2.0.0".
  let version: String
  /// Its second API; nil: it has none, or one that is not known here.
  let secondAPI: V2Edition?

  private init(path: String, version: String, secondAPI: V2Edition?) {
    (self.path, self.version, self.secondAPI) = (path, version, secondAPI)
  }

  /// The loaded library; the first call loads it.
  ///
  /// - Parameter path: DuckDB's shared object: of the Python wheel, or a `libduckdb.so`. Default: `$ARROW_CACHE_LIBDUCKDB`, then
  ///   `libduckdb.so` where the loader finds it. A wheel's object needs a Python library beside it in programs that are not
  ///   Python: `$ARROW_CACHE_LIBPYTHON`.
  static func load(path: String?) throws(CacheError) -> DuckDBLibrary {
    try loading.withLock { (loaded) throws(CacheError) -> DuckDBLibrary in
      if let loaded { return loaded }
      let library = try open(path ?? environment("ARROW_CACHE_LIBDUCKDB") ?? "libduckdb.so")
      loaded = library
      return library
    }
  }

  private static func open(_ path: String) throws(CacheError) -> DuckDBLibrary {
    var handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD)
    if handle == nil {
      if let python = environment("ARROW_CACHE_LIBPYTHON"), dlopen(python, RTLD_NOW | RTLD_GLOBAL) == nil {
        throw CacheError(.duckdb, "cannot load the Python library \(python) named by ARROW_CACHE_LIBPYTHON", cause: loaderError())
      }
      handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)
    }
    guard let handle else {
      throw CacheError(
        .duckdb, "cannot load DuckDB from \(path): install the duckdb package (1.5 or later), or name libduckdb.so in ARROW_CACHE_LIBDUCKDB",
        cause: loaderError())
    }
    let first = UnsafeMutablePointer<duckdb_v1_functions>.allocate(capacity: 1)
    let missing = resolve(duckdb_v1_names(), prefix: "duckdb_", in: handle, into: UnsafeMutableRawPointer(first))
    guard missing.isEmpty else {
      throw CacheError(
        .duckdb, "DuckDB at \(path) is too old: \(missing.count) functions are missing (\(missing.prefix(5).joined(separator: ", "))); install DuckDB 1.5 or later")
    }
    loadedV1 = UnsafePointer(first)
    let version = text(first.pointee.library_version())
    let second = UnsafeMutablePointer<duckdb_v2_functions>.allocate(capacity: 1)
    guard let edition = V2Edition(rawValue: version),
      resolve(duckdb_v2_names(), prefix: "duckdb_v2_", in: handle, into: UnsafeMutableRawPointer(second)).isEmpty
    else {
      second.deallocate()
      return DuckDBLibrary(path: path, version: version, secondAPI: nil)
    }
    loadedV2 = UnsafePointer(second)
    return DuckDBLibrary(path: path, version: version, secondAPI: edition)
  }

  /// Fills a table of function pointers; returns the names that are missing.
  private static func resolve(
    _ names: UnsafePointer<UnsafePointer<CChar>?>?, prefix: String, in handle: UnsafeMutableRawPointer, into table: UnsafeMutableRawPointer
  ) -> [String] {
    var missing: [String] = []
    var index = 0
    while let name = names?[index] {
      let symbol = prefix + String(cString: name)
      let function = dlsym(handle, symbol)
      if function == nil { missing.append(symbol) }
      table.storeBytes(of: function, toByteOffset: index * MemoryLayout<UnsafeRawPointer?>.stride, as: UnsafeMutableRawPointer?.self)
      index += 1
    }
    return missing
  }
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
private func loaderError() -> String? { dlerror().map { String(cString: $0) } }

/// A C string of DuckDB's as text; "" for NULL.
func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
