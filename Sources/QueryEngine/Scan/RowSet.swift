import ArrowData

/// Which rows of a stretch satisfied a condition, in the form that takes the least memory.
enum RowSet: Sendable {
  case none
  case all
  /// So many that to leave out the others would not pay.
  case most
  /// First row and end of each run, one after the other.
  case runs([UInt32])
  case rows([UInt32])
  case bits([UInt64])

  /// Rows are left out where at most this share of them is wanted: what is copied for nothing then costs more than to pick.
  static func pays(_ wanted: Int, of count: Int) -> Bool { wanted * 4 <= count }

  /// So few that to look at the stretches one by one would cost more than the rows.
  static func isSparse(_ wanted: Int, of count: Int) -> Bool { wanted * 16 <= count }

  init(_ mask: borrowing RowMask) {
    let population = mask.population
    if population == 0 {
      self = .none
      return
    }
    if population == mask.count {
      self = .all
      return
    }
    let runs = mask.runCount
    // Long runs are handed on without a copy of each row, however many rows they have.
    let hasLongRuns = runs * 1024 <= population
    guard hasLongRuns || Self.pays(population, of: mask.count) else {
      self = .most
      return
    }
    let least = min(runs * 8, population * 4, mask.count / 8)
    if least == runs * 8 {
      self = .runs(mask.runs())
    } else if least == population * 4 {
      self = .rows(mask.rows())
    } else {
      self = .bits(mask.bits())
    }
  }

  /// Bytes, with those of what keeps it.
  var byteCount: Int {
    switch self {
    case .none, .all, .most: 64
    case .runs(let values), .rows(let values): 96 + values.count * 4
    case .bits(let words): 96 + words.count * 8
    }
  }

  /// Keeps of the wanted rows those that are in the set; false where the set does not say which are.
  func narrow(_ mask: inout RowMask) -> Bool {
    switch self {
    case .most: return false
    case .all: return true
    default:
      mask.formIntersection(rowMask(count: mask.count))
      return true
    }
  }

  /// - Parameter count: of the stretch.
  private func rowMask(count: Int) -> RowMask {
    var mask = RowMask(count: count, isFull: false)
    switch self {
    case .none, .all, .most: break
    case .runs(let runs): for index in stride(from: 0, to: runs.count - 1, by: 2) { mask.insert(Int(runs[index])..<Int(runs[index + 1])) }
    case .rows(let rows): for row in rows { mask.insert(Int(row)..<(Int(row) + 1)) }
    case .bits(let words): mask.insert(bits: words)
    }
    return mask
  }

  /// The rows in order; nil: all of them.
  func rows(count: Int) -> [UInt32]? {
    switch self {
    case .all, .most: nil
    case .none: []
    case .rows(let rows): rows
    case .runs, .bits: rowMask(count: count).rows()
    }
  }
}
