/// Owns a handle of DuckDB's that is freed with the object.
///
/// Swift may free an object after its last use, which reading the handle is: so the handle is only lent, for the time of a call.
protocol HandleOwner: AnyObject {
  var rawHandle: OpaquePointer? { get }
}

extension HandleOwner {
  @inline(__always)
  func lend<Result, Failure: Error>(_ body: (OpaquePointer?) throws(Failure) -> Result) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) -> Result in try body(rawHandle) }
  }
}

extension Array where Element: HandleOwner {
  func lend<Result, Failure: Error>(_ body: ([OpaquePointer?]) throws(Failure) -> Result) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) -> Result in try body(map(\.rawHandle)) }
  }
}
