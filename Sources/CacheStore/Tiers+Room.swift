import Primitives

/// What a put that needs room must leave alone.
struct RoomRequest {
  /// What the room is for, in messages.
  let purpose: String
  /// The key that is being put: its old version stays until the new one is whole.
  var sparing: CacheKey?
  /// Memory above the limit that may be taken, since it is given back when the put ends: the old version's, where it cannot leave.
  var allowance = 0
  /// Where rows cannot go to disk, nothing goes before the put is known to fit.
  var deferral: Deferral?
  /// Whether entries may be evicted where their rows cannot go to disk.
  var evicts = true
}

extension Tiers {
  /// How long a call waits for others to give memory back, at most; and a put, whose rows can go to disk instead.
  private static let patienceSeconds = 20.0
  private static let putPatienceSeconds = 2.0

  /// Takes memory, after moving rows to disk and evicting entries where that is needed, or after others have.
  ///
  /// Blocks as long as that takes. Throws `.memoryLimit` where everything that could go has gone.
  func makeRoom(for byteCount: Int, _ request: RoomRequest) throws(CacheError) -> Reservation {
    if let deferral = request.deferral { return memory.reserve(byteCount, deferral) }
    return try waitForRoom(byteCount, request) { memory.reserve(byteCount, allowance: request.allowance) }
  }

  /// Has what a put has deferred count from now on, after evicting for it.
  func admit(_ deferral: Deferral, _ request: RoomRequest) throws(CacheError) {
    let counted = max(0, deferral.byteCount - request.allowance)
    let room = RoomRequest(purpose: request.purpose, sparing: request.sparing)
    try waitForRoom(counted, room) { memory.admit(deferral, allowance: request.allowance) ? () : nil }
  }

  private func waitForRoom<Taken>(
    _ byteCount: Int, _ request: RoomRequest, take: () -> Taken?
  ) throws(CacheError) -> Taken {
    if let taken = take() {
      noteUse()
      return taken
    }
    let started = SteadyClock.seconds()
    defer {
      counters.withLock { counters in
        counters.waitCount += 1
        counters.waitSeconds += SteadyClock.seconds() - started
      }
    }
    let patience = request.evicts || folder == nil ? Self.patienceSeconds : Self.putPatienceSeconds
    while true {
      let generation = memory.generation
      if let taken = take() { return taken }
      guard giveWay(byteCount, request) else {
        // Others may be about to give back what they have taken, or to end a move; or have done so since it was tried.
        let others = memory.generation != generation || memory.totals.reserved > 0 || movingCount.load(ordering: .relaxed) > 0 || pending?.holdsMemory ?? false
        guard others, SteadyClock.seconds() - started < patience else { throw refusal(byteCount, request) }
        memory.wait(since: generation, waitMillis: 100)
        continue
      }
    }
  }

  /// One step towards room; false where there is none to take.
  private func giveWay(_ byteCount: Int, _ request: RoomRequest) -> Bool {
    guard let limit = memory.limitBytes else { return false }
    let excess = memory.excess(over: limit.saturatingSum(request.allowance), with: byteCount)
    guard excess > 0 else { return true }
    // More than could ever be free: nothing goes for nothing.
    guard byteCount <= limit.saturatingSum(request.allowance) else { return false }
    if change({ catalog, now, dropped in catalog.expireDue(now, &dropped) }) > 0 { return true }
    let memos = memos.takeMemos()
    if !memos.isEmpty { return true }
    if spillColdest(excess, cause: "room", sparing: request.sparing) { return true }
    // As long as the disk takes rows, what is in memory still is moving, pinned or being put.
    guard folder == nil || isPaused && request.evicts else { return false }
    return evictResident(excess, request)
  }

  /// Evicts entries that have about so many bytes in memory; false where there is none.
  private func evictResident(_ byteCount: Int, _ request: RoomRequest) -> Bool {
    change { catalog, _, dropped in
      var freed = 0
      // Where rows could go to disk, what is there already would free nothing.
      while freed < byteCount, let victim = catalog.evict("memory limit", having: folder == nil ? nil : .memory, sparing: request.sparing, &dropped) {
        freed = freed.saturatingSum(max(1, victim.occupied.memory))
      }
      return freed > 0
    }
  }

  private func refusal(_ byteCount: Int, _ request: RoomRequest) -> CacheError {
    let totals = memory.totals
    let limit = memory.limitBytes ?? .max
    let failure = counters.withLock { $0.lastSpillFailure }
    let disk = folder == nil ? "spill_to_disk is off" : failure.map { "the disk takes nothing: \($0)" } ?? "nothing more can go to disk"
    return CacheError(
      .memoryLimit,
      "\(request.purpose) needs \(byteCount) bytes, \(max(0, limit - totals.used)) of the memory limit of \(limit) are free "
        + "(\(totals.resident) in entries that are pinned or being put, \(totals.reserved) taken by other calls; \(disk)): "
        + "raise memory_limit\(options.diskLimitBytes == nil ? "" : " or disk_limit"), unpin an entry or put less")
  }
}
