/// Values as DuckDB writes them; times of zones in UTC.
enum ValueText {
  /// A value that Arrow keeps as an integer.
  static func of(_ value: Int64, _ format: String) -> String {
    switch format {
    case "b": return value == 0 ? "false" : "true"
    case "tdD": return infinity(value, largest: Int64(Int32.max)) ?? date(value)
    case "tdm": return date(floored(value, 86_400_000).quotient)
    case "tts": return time(value, unitsPerSecond: 1)
    case "ttm": return time(value, unitsPerSecond: 1000)
    case "ttu": return time(value, unitsPerSecond: 1_000_000)
    case "ttn": return time(value, unitsPerSecond: 1_000_000_000)
    case _ where format.hasPrefix("d:"): return decimal(value, format)
    case _ where format.hasPrefix("ts"): return timestamp(value, format)
    default: return "\(value)"
    }
  }

  static func of(_ bytes: [UInt8]) -> String {
    String(validating: bytes, as: UTF8.self) ?? "\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// In units of the last digit: "d:", the digits, a comma, those after the point.
  static func decimal(_ value: some BinaryInteger, _ format: String) -> String {
    let scale = format.split(separator: ",").dropFirst().first.flatMap { Int($0) } ?? 0
    let digits = "\(value.magnitude)"
    let sign = value < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits + (value == 0 ? "" : String(repeating: "0", count: Int(Swift.min(scale.magnitude, 76)))) }
    let padded = String(repeating: "0", count: Swift.max(0, Swift.min(scale, 76) + 1 - digits.count)) + digits
    return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
  }

  private static func timestamp(_ value: Int64, _ format: String) -> String {
    let units: Int64 =
      switch format.dropFirst(2).first {
      case "m": 1000
      case "u": 1_000_000
      case "n": 1_000_000_000
      default: 1
      }
    if let text = infinity(value, largest: .max) { return text }
    let (days, rest) = floored(value, 86_400 * units)
    // "ts", the unit, a colon, the zone.
    return "\(date(days)) \(time(rest, unitsPerSecond: units))\(format.utf8.count > 4 ? "+00" : "")"
  }

  private static func infinity(_ value: Int64, largest: Int64) -> String? {
    value == largest ? "infinity" : value == -largest ? "-infinity" : nil
  }

  /// Days since 1970 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
  private static func date(_ days: Int64) -> String {
    guard days.magnitude < 1 << 50 else { return "day \(days)" }
    let (era, day) = floored(days + 719_468, 146_097)
    let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let number = (month < 10 ? month + 3 : month - 9)
    let year = yearOfEra + era * 400 + (number <= 2 ? 1 : 0)
    let text = "\(padded(year > 0 ? year : 1 - year, 4))-\(padded(number, 2))-\(padded(dayOfYear - (153 * month + 2) / 5 + 1, 2))"
    return year > 0 ? text : text + " (BC)"
  }

  /// With as many digits of the second as it has.
  private static func time(_ value: Int64, unitsPerSecond units: Int64) -> String {
    guard value >= 0 else { return "\(value)" }
    let seconds = value / units
    var text = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    guard value % units != 0 else { return text }
    var digits = padded(value % units, "\(units)".utf8.count - 1)
    while digits.hasSuffix("0") { digits.removeLast() }
    text += "." + digits
    return text
  }

  private static func floored(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, rest: Int64) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = "\(value)"
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
