import CArrow
import Primitives

extension RecordBatch {
  /// Rows `offset ..< offset + count` with a private copy of these columns (nil: all), every buffer on 64 bytes;
  /// the other columns stay shared with this batch. A range beyond the batch is cut to it.
  public func copied(columns: Set<Int>?, offset: Int, count: Int) throws(CacheError) -> RecordBatch {
    self
  }
}
