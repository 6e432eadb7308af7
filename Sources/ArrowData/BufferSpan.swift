/// One buffer behind an array: where it starts and how many of its bytes the array can reach.
public struct BufferSpan: Hashable, Sendable {
  public let address: UInt
  public let byteCount: Int

  public init(address: UInt, byteCount: Int) { (self.address, self.byteCount) = (address, byteCount) }
}

extension RecordBatch {
  public var buffers: [BufferSpan] { [] }
}
