// Objects of ours that DuckDB holds, as the untyped pointers it takes.

/// Hands one reference over; `releaseOwned` gives it back.
func owned(_ object: AnyObject) -> UnsafeMutableRawPointer { Unmanaged.passRetained(object).toOpaque() }

/// The object behind a pointer that DuckDB gave back, without its reference.
func borrowed<Object: AnyObject>(_ pointer: UnsafeMutableRawPointer?, as type: Object.Type) -> Object? {
  pointer.map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
}

let releaseOwned: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
  if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
}
