/// What went wrong: a code that callers can act on, a message with the fact, the number and the remedy, and the words of
/// whoever failed underneath (DuckDB, the operating system, a stream's producer).
public struct CacheError: Error, CustomStringConvertible, Sendable {
  /// One code per kind of failure; each maps to one Python exception.
  public enum Code: String, Sendable, CaseIterable {
    case argument  // a value that the call does not take
    case type  // data of a kind that cannot be kept
    case keyNotFound
    case keyExists
    case configuration
    case memoryLimit
    case storage
    case readOnly  // a change to what is open for reading only
    case query
    case interrupted
    case timeout  // a query that was stopped at its time limit
    case stream  // an Arrow stream that is malformed or failed while it was read
    case closed
    case fork  // the cache was made in another process
    case duckdb  // DuckDB is missing, too old, or broke
  }

  public let code: Code
  public let message: String
  public let cause: String?
  /// The operating system's error number (`errno`), where a call to it is what failed.
  public let systemError: Int32?

  public init(_ code: Code, _ message: String, cause: String? = nil, systemError: Int32? = nil) {
    (self.code, self.message, self.cause, self.systemError) = (code, message, cause, systemError)
  }

  public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
