/// A value bound to a parameter of a statement.
public indirect enum QueryValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// Beyond `int`, within 64 bits.
  case uint(UInt64)
  /// Beyond 64 bits.
  case hugeInt(Int128)
  case double(Double)
  case text(String)
  case blob([UInt8])
  /// Days since 1970-01-01.
  case date(Int32)
  /// Microseconds since midnight.
  case time(Int64)
  /// Microseconds since 1970-01-01 00:00:00, without a zone.
  case timestamp(Int64)
  /// Microseconds since 1970-01-01 00:00:00 UTC.
  case timestampTZ(Int64)
  /// Nanoseconds since 1970-01-01 00:00:00, without a zone.
  case timestampNanos(Int64)
  case interval(months: Int32, days: Int32, micros: Int64)
  /// `unscaled` / 10^scale.
  case decimal(Int128, width: Int, scale: Int)
  /// In the form 8-4-4-4-12 of hexadecimal digits.
  case uuid(String)
  case list([QueryValue])
  case structure([(name: String, value: QueryValue)])
}

/// The values of a statement's parameters, by position (`?`, `$1`) or by name (`$name`).
public enum QueryParameters: Sendable {
  case none
  case positional([QueryValue])
  case named([(name: String, value: QueryValue)])
}
