import ArrowData
import CArrow
import Glibc
import Primitives

@testable import CacheStore

/// Operations that change what is in the store, or how the disk works.
extension DiskModel {
  func put(_ key: String) {
    var rows: [Int] = []
    switch random(0...99) {
    case 0..<4: rows = chance(50) ? [] : [0]
    case 4..<70: rows = [random(1...100)]
    case 70..<85: rows = (0..<random(2...6)).map { _ in random(0...40) }
    case 85..<98: rows = [random(100...400)]
    default: rows = chance(50) ? [random(900...1500)] : (0..<12).map { _ in random(60...120) }
    }
    tag += 1
    let table = SampleTable(tag: tag, batchRows: rows)
    do { put(key, table, try table.spec(schema).reader(counter)) } catch { fail("a stream: \(error)") }
  }

  /// Puts what another entry reads, so that both have the same memory.
  func putShared(_ key: String) {
    // A pinned version that is replaced by its own rows is beside them only as far as they are in memory, which is not known before.
    guard setting.sharesRows, let from = known.keys.sorted().randomElement(using: &generator), from != key || pins[key] == nil, let table = known[from]?.table, let entry = store.peek(from) else { return }
    var stream = ArrowArrayStream()
    exportStream(entry.reader(), to: &stream)
    for segment in entry.segments { if let file = segment.file { outside.possiblePaths.insert(file.path) } }
    defer { for segment in entry.segments { if let file = segment.file { outside.possiblePaths.insert(file.path) } } }
    do { put(key, table, try StreamReader(moving: &stream), source: entry) } catch { fail("a shared stream: \(error)") }
  }

  func put(_ key: String, _ table: SampleTable, _ stream: StreamReader, source: Entry? = nil) {
    let (overwrite, isPartitioned) = (chance(90), chance(80))
    let ttl = chance(15) ? Double(random(1...30)) : nil
    let copying: (Set<Int>?, Bool) = [(nil, true), (nil, false), ([1], false), ([0, 2], false)][random(0...(source == nil ? 3 : 1))]
    if pins[key] != nil, let old = store.peek(key) {
      pinnedAllowance = max(pinnedAllowance, old.segments.reduce(0) { $0 + ($1.isInMemory ? $1.byteCount : 0) })
    }
    do throws(CacheError) {
      let entry = try store.put(
        key: key, stream: stream, kind: "model", userMetadata: "{}", ttl: ttl, overwrite: overwrite, autoPartition: isPartitioned,
        copyColumns: copying.0, copyAll: copying.1)
      if !overwrite, known[key] != nil { fail("an entry was overwritten") }
      if entry.rowCount != table.rowCount { fail("\(entry.rowCount) rows of \(table.rowCount) were put") }
      follow(putKey: key, table: Known(table: table, version: entry.version, expiresAt: ttl.map { clock.now() + $0 }, isPartitioned: isPartitioned))
    } catch {
      tally("put failed")
      let sourceFails = source.map { mayFail($0, table, isPartitioned: false) } ?? false
      switch error.code {
      case .keyExists: if overwrite || known[key] == nil { fail("\(error)") }
      case .memoryLimit, .storage: if setting.isSafe { fail("\(error)") }
      case .stream: if !sourceFails { fail("\(error)") }
      default: fail("\(error)")
      }
    }
  }

  func remove(_ key: String) {
    if store.remove(key) != (known[key] != nil) { fail("remove") }
  }

  func clear() {
    let count = known.count
    let cleared = store.clear()
    if cleared != count { fail("cleared \(cleared) of \(count)") }
  }

  func pin(_ key: String) {
    let isThere = store.pin(key)
    if isThere != (known[key] != nil) { fail("pin") }
    if isThere { pins[key, default: 0] += 1 }
  }

  func unpin(_ key: String) {
    store.unpin(key)
    if let count = pins[key] { pins[key] = count > 1 ? count - 1 : nil }
  }

  func updateTTL(_ key: String) {
    let ttl = chance(70) ? Double(random(1...30)) : nil
    do {
      if try store.updateTTL(key, ttl: ttl) != (known[key] != nil) { fail("updateTTL") }
      known[key]?.expiresAt = ttl.map { clock.now() + $0 }
    } catch { fail("\(error)") }
  }

  func memo(_ key: String) {
    guard let entry = store.peek(key), let known = known[key] else { return }
    let name = "memo \(random(0...2))"
    if chance(20) {
      entry.setMemo(name, nil)
      return
    }
    let lease = chance(50) ? rows(of: entry, known, [0, 1, 2]) : nil
    let memo = Memo(chance(60) ? random(1...1500) : 0, lease)
    if entry.setMemo(name, memo, byteCount: memo.byteCount, holdsRows: lease != nil) { memos.append(WeakMemo(memo: memo)) }
  }

  func deleteFolder() {
    guard setting.hasFaults else { return }
    let system = SystemFiles()
    for name in place.all.sorted(by: >) {
      let path = place[name]
      if (try? system.status(path)?.isFolder) == true { rmdir(path) } else if unlink(path) == 0 { outside.removedPaths.insert(path) }
    }
  }

  func changeFaults() {
    guard setting.hasFaults else { return }
    guard chance(40) else { return files.replaceFaults([]) }
    let operations: [FileOperation] = [.create, .write, .preallocate, .rename, .unlink, .map, .makeFolder, .lock, .status, .list, .removeFolder]
    files.replaceFaults((0..<random(1...2)).map { _ in
      let operation = operations[random(0...(operations.count - 1))]
      let isShort = operation == .write && chance(50)
      return FaultyFiles.Fault(
        operation, call: random(1...3), isShort ? .shortWrite(byteCount: random(0...9)) : .error([EIO, ENOSPC, EACCES][random(0...2)]),
        isLasting: chance(40))
    })
  }
}
