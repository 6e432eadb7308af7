/// S3-FIFO: a small queue for what is new, a main queue for what was read while it lay there or came back soon after its eviction, and
/// the keys of what the small queue evicted.
///
/// J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi: FIFO Queues are All You Need for Cache Eviction. SOSP 2023, algorithm 1. The names
/// are the paper's: S holds a tenth of all, M the rest, G as many keys as M items. An item's `mark` counts its reads up to 3;
/// two of them, while it lies in S, bring it into M, where each one spares it once.
///
/// Sizes: the shares, and G, are in bytes. O(1), amortised: each step over an item that stays is paid by a read.
final class S3FIFO: EvictionPolicy {
  private static let smallShare = 0.1
  private static let mostReads = 3

  private let capacityBytes: Int?
  private(set) var small = ItemList()  // S
  private(set) var main = ItemList()  // M
  private(set) var ghosts = GhostList()  // G
  /// Which queue the next victim comes from, as long as nothing has come or gone since that was decided.
  private var takesFromSmall: Bool?
  /// Items that a search for a victim has looked at.
  private(set) var steps = 0

  init(capacityBytes: Int?) { self.capacityBytes = capacityBytes }

  private var totalBytes: Int { small.byteCount + main.byteCount }

  func insert(_ item: EvictionItem) {
    takesFromSmall = nil
    item.mark = 0
    if ghosts.remove(item.keyHash) { main.append(item) } else { small.append(item) }
  }

  func restore(_ item: EvictionItem) {
    takesFromSmall = nil
    item.mark = 0
    if item.accessCount > 1 { main.append(item) } else { small.append(item) }
  }

  func remove(_ item: EvictionItem, isEvicted: Bool) {
    takesFromSmall = nil
    if small.has(item) {
      small.remove(item)
      guard isEvicted else { return }
      ghosts.append(item.keyHash, byteCount: item.byteCount)
      let capacity = capacityBytes ?? totalBytes
      ghosts.shrink(toBytes: capacity - capacity / 10)
    } else {
      main.remove(item)
    }
  }

  func touch(_ item: EvictionItem) { item.mark = min(item.mark + 1, Self.mostReads) }

  func resize(_ item: EvictionItem) {
    small.resize(item)
    main.resize(item)
  }

  func victim(excluding excluded: EvictionItem?) -> EvictionItem? {
    let takesFromSmall = takesFromSmall ?? (Double(small.byteCount) >= Self.smallShare * Double(totalBytes))
    self.takesFromSmall = takesFromSmall
    while true {
      let (first, second) = (small.oldest(excluding: excluded), main.oldest(excluding: excluded))
      steps += 1
      if let item = first, takesFromSmall || second == nil {
        guard item.mark > 1 else { return item }
        small.remove(item)
        item.mark = 0
        main.append(item)
      } else if let item = second {
        guard item.mark > 0 else { return item }
        item.mark -= 1
        main.moveToNewest(item)
      } else {
        return nil
      }
    }
  }
}
