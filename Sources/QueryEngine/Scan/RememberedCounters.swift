import Synchronization

/// How often rows that are remembered have answered, and what they take.
public final class RememberedCounters: Sendable {
  private let hits = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)
  private let rows = Atomic<Int>(0)

  /// Stretches of rows whose wanted ones were known without a look at a value.
  public var hitCount: Int { hits.load(ordering: .relaxed) }
  /// What is kept, beside all entries together.
  public var byteCount: Int { bytes.load(ordering: .relaxed) }
  /// Rows that were read where they lie, and not handed to DuckDB since they could not satisfy a filter.
  public var rowsLeftOut: Int { rows.load(ordering: .relaxed) }

  func countHit() { hits.wrappingAdd(1, ordering: .relaxed) }
  func count(rowsLeftOut count: Int) { rows.wrappingAdd(count, ordering: .relaxed) }
  func change(bytes count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }
}
