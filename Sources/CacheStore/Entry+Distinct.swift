import ArrowData
import Primitives

extension Entry {
  /// About how many different values a column has over a partition, nulls apart (`DistinctSketch`): computed when first asked for, then
  /// kept.
  ///
  /// nil for types whose equal values may have different bytes, and where it is not known yet and the rows are not in memory, or
  /// `computes` is false.
  public func distinctEstimate(partition: Int, column: Int, computes: Bool = true) -> Int? {
    guard partitions.indices.contains(partition), schema.fields.indices.contains(column) else { return nil }
    let key = StatisticsKey(partition: partition, column: column)
    if let known = distinct.withLock({ $0[key] }) { return known }
    let slices = partitions[partition].slices
    guard computes, slices.allSatisfy({ segments[$0.segmentIndex].isInMemory }) else { return nil }
    var sketch = DistinctSketch()
    do throws(CacheError) {
      for slice in slices {
        for rows in try segments[slice.segmentIndex].read(offset: slice.offset, count: slice.count, columns: [column]) {
          guard sketch.add(rows, column: 0) else { return nil }
        }
      }
    } catch {
      return nil
    }
    let estimate = min(sketch.estimate, partitions[partition].rowCount)
    distinct.withLock { $0[key] = estimate }
    return estimate
  }
}
