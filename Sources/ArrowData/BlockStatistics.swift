import CArrow

/// What is known of a column over each of up to 64 blocks of rows that follow one another: a few words a block, judged together.
///
/// Takes up to 20 bytes a block of 2 048 rows, 32 for boxes: at most 0.13 % of a column of 8-byte values.
public final class BlockStatistics: Sendable {
  /// Rows of a block, but for the last: as many as DuckDB takes at once.
  public static let blockRows = 2048
  /// Blocks of a stretch: with 60, a stretch has as many rows as a row group of DuckDB's own tables.
  public static let stretchBlocks = 60
  public static let stretchRows = blockRows * stretchBlocks

  /// Smallest and largest value of each block; the smallest is above the largest where a block has no value.
  enum Bounds: Sendable {
    case unknown
    case int(min: [Int64], max: [Int64])
    case uint(min: [UInt64], max: [UInt64])
    case double(min: [Double], max: [Double], hasNaN: UInt64)
    /// Eight bytes after what all values begin with, as a number that orders as they do: no value of a block is outside of them.
    case text(prefix: [UInt8], min: [UInt64], max: [UInt64])
    case box([BoundingBox])
  }

  /// Of all blocks together.
  public let whole: ColumnStatistics
  let bounds: Bounds
  /// The blocks that have a null, and that have a value; all where that is unknown.
  let withNulls: UInt64
  let withValues: UInt64
  /// nil: unknown.
  let nullCounts: [UInt16]?

  public var rowCount: Int { whole.rowCount }
  public var blockCount: Int { (rowCount + Self.blockRows - 1) / Self.blockRows }
  /// A bit for each block.
  public var allBlocks: UInt64 { Self.bits(blockCount) }

  static func bits(_ count: Int) -> UInt64 { count >= 64 ? .max : 1 << UInt64(max(0, count)) - 1 }

  /// The rows of the slices, at most 64 blocks of them; `column` of each.
  public convenience init(of slices: [RecordBatchSlice], column: Int) {
    self.init(blocks: Self.blocks(of: slices, column))
  }

  private static func blocks(of slices: [RecordBatchSlice], _ column: Int) -> [ColumnStatistics] {
    var blocks: [ColumnStatistics] = []
    // What the last block has so far, where slices are smaller than blocks.
    var open: ColumnStatistics?
    for slice in slices where slice.batch.schema.fields.indices.contains(column) {
      let field = slice.batch.schema.fields[column]
      let order = ValueOrder(field)
      let array = slice.batch.column(column).pointee
      var offset = slice.offset
      let end = slice.offset + slice.count
      while offset < end {
        let count = min(end - offset, blockRows - (open?.rowCount ?? 0))
        let part = ColumnStatistics(of: array, field: field, order: order, offset: offset, count: count)
        let block = open.map { ColumnStatistics(merging: [$0, part]) } ?? part
        offset += count
        if block.rowCount == blockRows {
          blocks.append(block)
          open = nil
        } else {
          open = block
        }
      }
    }
    if let open { blocks.append(open) }
    return blocks
  }

  init(blocks: [ColumnStatistics]) {
    whole = ColumnStatistics(merging: blocks)
    var (withNulls, withValues): (UInt64, UInt64) = (0, 0)
    for (index, block) in blocks.enumerated() {
      if block.nullCount != 0 { withNulls |= 1 << UInt64(index) }
      if block.nullCount.map({ $0 < block.rowCount }) ?? true { withValues |= 1 << UInt64(index) }
    }
    (self.withNulls, self.withValues) = (withNulls, withValues)
    let known = blocks.compactMap { $0.nullCount.flatMap { UInt16(exactly: $0) } }
    nullCounts = known.count == blocks.count ? known : nil
    bounds = Self.bounds(blocks, whole.bounds)
  }

  private static func bounds(_ blocks: [ColumnStatistics], _ whole: ColumnStatistics.Bounds) -> Bounds {
    switch whole {
    case .unknown, .noValues: return .unknown
    case .int:
      let pairs = blocks.map { if case .int(let min, let max) = $0.bounds { (min, max) } else { (Int64.max, Int64.min) } }
      return .int(min: pairs.map(\.0), max: pairs.map(\.1))
    case .uint:
      let pairs = blocks.map { if case .uint(let min, let max) = $0.bounds { (min, max) } else { (UInt64.max, UInt64.min) } }
      return .uint(min: pairs.map(\.0), max: pairs.map(\.1))
    case .double:
      var nan: UInt64 = 0
      let pairs = blocks.enumerated().map { index, block in
        guard case .double(let min, let max, let hasNaN) = block.bounds else { return (Double.infinity, -Double.infinity) }
        if hasNaN { nan |= 1 << UInt64(index) }
        return (min, max)
      }
      return .double(min: pairs.map(\.0), max: pairs.map(\.1), hasNaN: nan)
    case .bytes(let least, let most, _):
      let prefix = most.map { Array(zip(least, $0).prefix { $0.0 == $0.1 }.map(\.0)) } ?? []
      let pairs = blocks.map { block in
        guard case .bytes(let min, let max, _) = block.bounds else { return (UInt64.max, UInt64.min) }
        return (TextHead.of(min.dropFirst(prefix.count)), max.map { TextHead.of($0.dropFirst(prefix.count)) } ?? .max)
      }
      return .text(prefix: prefix, min: pairs.map(\.0), max: pairs.map(\.1))
    case .box:
      return .box(blocks.map { if case .box(let box) = $0.bounds { box } else { .nowhere } })
    }
  }
}

/// The first eight bytes of a text as a big-endian number, zeroes after a shorter one.
enum TextHead {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var (head, count): (UInt64, UInt64) = (0, 0)
    for byte in bytes.prefix(8) {
      head |= UInt64(byte) << (56 - 8 * count)
      count += 1
    }
    return head
  }
}
