import Glibc

/// How far a file is believed.
public enum IPCTrust: Hashable, Sendable {
  /// A sealed file as `sealed`, any other as `structure`.
  case automatic
  /// Only files with the seal of this engine. Footer and metadata are verified by their checksums, values are taken as they are.
  case sealed
  /// As `sealed`, and all bytes are verified by their checksums before they are used.
  case checksums
  /// Any file: a pass over what is read makes sure that no offset, index or length leads out of the values.
  case structure
}

/// How an Arrow file is read.
public struct IPCReadOptions: Sendable {
  public var trust = IPCTrust.automatic
  /// Threads that verify and decompress, the caller's among them.
  public var threadCount = 1
  /// The most that decompressing what one call asks for may take; the machine's memory at first.
  public var decompressionLimitBytes = IPCReadOptions.machineBytes
  /// What errors tell to do about a damaged file.
  public var remedy = "restore it from a copy or remove it"

  public init() {}

  private static let machineBytes: Int = {
    let (byteCount, overflow) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
    return overflow || byteCount <= 0 ? .max : byteCount
  }()
}
