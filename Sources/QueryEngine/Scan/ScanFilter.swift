import ArrowData
import CacheStore
import Primitives

/// The conditions of one scan that are tested here, so that rows which cannot be wanted never reach DuckDB.
final class ScanFilter: Sendable {
  /// Each of them narrows the rows: the cheaper ones first.
  private let conditions: [Predicate]
  /// All of them; nil where there is one only.
  private let whole: Predicate?
  /// The columns of the table that they look at.
  let columns: [Int]
  private let remembered: RememberedRows?
  private let entry: Entry?
  /// Of the conditions, then the whole: whether their rows are to be kept.
  private let keeps: [Bool]
  /// Of the conditions: what testing a row costs, about.
  private let costs: [Double]
  private let counters: RememberedCounters

  /// nil where nothing is understood of what is asked.
  init?(_ predicates: [Predicate], source: any ScanSource, remembers: Bool, counters: RememberedCounters) {
    let conditions = Self.canonical(predicates)
    let columns = conditions.reduce(into: Set<Int>()) { $0.formUnion($1.columns) }.sorted()
    guard !conditions.isEmpty, columns.allSatisfy(source.schema.fields.indices.contains) else { return nil }
    (self.conditions, self.columns, self.counters) = (conditions, columns, counters)
    whole = conditions.count > 1 ? .and(conditions) : nil
    costs = conditions.map { condition in
      condition.columns.reduce(0) { $0 + source.schema.fields[$1].testCost } * Double(condition.cost + 1)
    }
    let entry = remembers ? source as? Entry : nil
    let remembered = entry.flatMap { RememberedRows.of($0, counters) }
    (self.entry, self.remembered) = (entry, remembered)
    let asked = conditions + [whole].compactMap(\.self)
    keeps = remembered.map { remembered in asked.map { remembered.ask($0) } } ?? asked.map { _ in false }
  }

  deinit { if let entry { remembered?.charge(to: entry) } }

  /// The parts that must all hold, those about one column together, in an order that does not depend on how the query says it.
  private static func canonical(_ predicates: [Predicate]) -> [Predicate] {
    var parts: Set<Predicate> = []
    func add(_ predicate: Predicate) {
      if case .and(let inner) = predicate { inner.forEach(add) } else if predicate.isUnderstood { parts.insert(predicate) }
    }
    predicates.forEach(add)
    let byColumns = Dictionary(grouping: parts) { $0.columns.sorted() }
    let conditions = byColumns.map { columns, parts in
      let sorted = parts.sorted { $0.hashValue < $1.hashValue }
      return (columns: columns, cost: parts.map(\.cost).max() ?? 0, condition: sorted.count == 1 ? sorted[0] : .and(sorted))
    }
    return conditions.sorted { $0.cost != $1.cost ? $0.cost < $1.cost : $0.columns.lexicographicallyPrecedes($1.columns) }.map(\.condition)
  }

  /// What is remembered of a stretch of rows; nil where its values must be looked at.
  func known(_ slice: SegmentSlice) -> RowSet? {
    guard let remembered else { return nil }
    var found = remembered.rows(whole ?? conditions[0], slice)
    if found == nil, whole != nil {
      var mask = RowMask(count: slice.count, isFull: true)
      guard conditions.allSatisfy({ remembered.rows($0, slice)?.narrow(&mask) ?? false }) else { return nil }
      found = RowSet(mask)
    }
    if found != nil { counters.countHit() }
    return found
  }

  /// Tests the values of a stretch of rows, and keeps what comes of it where it has been asked before.
  ///
  /// - Parameters:
  ///   - rows: of the stretch, `columns` among them.
  ///   - place: where they have a column of the table.
  func test(_ slice: SegmentSlice, _ rows: SegmentRows, _ place: (Int) -> Int?) -> RowSet {
    guard let order = order(rows, place) else {
      if let last = keeps.last, last { remembered?.keep(.most, whole ?? conditions[0], slice) }
      return .most
    }
    var all = RowMask(count: slice.count, isFull: true)
    for index in order {
      let condition = conditions[index]
      let isKept = keeps[index] && whole != nil
      if all.isEmpty, !isKept { break }
      if let known = remembered?.rows(condition, slice), known.narrow(&all) { continue }
      // A condition whose rows are kept is asked of all rows, any other of those that are left.
      var mask = isKept ? RowMask(count: slice.count, isFull: true) : all.copy()
      narrow(&mask, condition, rows, place)
      if isKept { remembered?.keep(RowSet(mask), condition, slice) }
      all.formIntersection(mask)
    }
    let found = RowSet(all)
    if let last = keeps.last, last { remembered?.keep(found, whole ?? conditions[0], slice) }
    return found
  }

  /// Columns of a stretch of rows; what has been read of it from a file to be tested is not read, and decompressed, again.
  func read(_ slice: SegmentSlice, _ wanted: [Int], from source: any ScanSource, besides tested: SegmentRows) throws(CacheError) -> SegmentRows {
    guard tested.isFromDisk else { return try source.read(slice, columns: wanted) }
    let rest = wanted.filter { !columns.contains($0) }
    let others = rest.isEmpty ? nil : try source.read(slice, columns: rest)
    if let others {
      let isAlike = others.isFromDisk && others.slices.map(\.offset) == tested.slices.map(\.offset) && others.slices.map(\.count) == tested.slices.map(\.count)
      guard isAlike else { return try source.read(slice, columns: wanted) }
    }
    let slices = tested.slices.enumerated().map { index, slice in
      let batch = others.map { slice.batch.joined($0.slices[index].batch) } ?? slice.batch
      let order = wanted.map { column in columns.firstIndex(of: column) ?? columns.count + (rest.firstIndex(of: column) ?? 0) }
      return RecordBatchSlice(batch.selecting(order), offset: slice.offset, count: slice.count)
    }
    return SegmentRows(slices: slices, isFromDisk: true, byteCount: tested.byteCount + (others?.byteCount ?? 0))
  }

  private func narrow(_ mask: inout RowMask, _ condition: Predicate, _ rows: SegmentRows, _ place: (Int) -> Int?) {
    if rows.slices.count == 1, let only = rows.slices.first {
      return condition.narrow(&mask, only.batch, offset: only.offset, place: place)
    }
    var found = RowMask(count: mask.count, isFull: false)
    var first = 0
    for slice in rows.slices {
      var part = RowMask(count: slice.count, isFull: true)
      condition.narrow(&part, slice.batch, offset: slice.offset, place: place)
      found.insert(part, at: first)
      first += slice.count
    }
    mask.formIntersection(found)
  }

  /// The order in which the conditions leave the least work, by some rows here and there; nil where so many of those are wanted that to
  /// test all rows would be for nothing.
  private func order(_ rows: SegmentRows, _ place: (Int) -> Int?) -> [Int]? {
    let (places, length) = (4, 512)
    guard let first = rows.slices.first, first.count > 16 * places * length else { return Array(conditions.indices) }
    var wanted = 0
    var passing = conditions.map { _ in 0 }
    for number in 0..<places {
      var all = RowMask(count: length, isFull: true)
      for (index, condition) in conditions.enumerated() {
        var mask = RowMask(count: length, isFull: true)
        condition.narrow(&mask, first.batch, offset: first.offset + number * (first.count / places), place: place)
        passing[index] += mask.population
        all.formIntersection(mask)
      }
      wanted += all.population
    }
    let tested = places * length
    if !RowSet.pays(wanted, of: tested), wanted < tested { return nil }
    // What a condition costs for each row that it takes out.
    let prices = zip(costs, passing).map { cost, passing in cost / Double(tested - passing + 1) }
    return conditions.indices.sorted { prices[$0] < prices[$1] }
  }
}

extension Field {
  /// About as the bytes that are looked at, of texts as if they were some.
  fileprivate var testCost: Double {
    switch layout {
    case .fixed(let byteWidth): Double(4 + byteWidth)
    case .bits: 4
    default: 40
    }
  }
}

extension Predicate {
  /// Texts cost more to test than numbers.
  fileprivate var cost: Int {
    switch self {
    case .unknown, .meets, .isNull, .isNotNull: 0
    case .compare(_, _, .bytes), .prefix: 2
    case .isIn(_, let literals): if case .bytes? = literals.first { 3 } else { 2 }
    case .compare: 1
    case .and(let parts), .or(let parts): parts.map(\.cost).max() ?? 0
    }
  }
}
